//! The run's own payments of late, to be read and refunded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng;
use rand::rngs::StdRng;

/// How many of the run's own payments are kept for reads and refunds.
const RECENT_MAX: usize = 10_000;
/// A payment this run has an acknowledgement for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Id the service gave.
    pub id: String,
    /// Payer.
    pub user: String,
    /// Amount in minor units.
    pub amount_minor: i64,
}

/// Payments acknowledged of late, for reads and refunds.
#[derive(Debug, Default)]
struct Recent {
    readable: VecDeque<Payment>,
    refundable: VecDeque<Payment>,
}

/// Payments for reads and refunds, shared by the source of intents and those who finish them.
#[derive(Clone, Debug, Default)]
pub struct RecentPayments(Arc<Mutex<Recent>>);

impl RecentPayments {
    /// Remembers an acknowledged payment.
    pub fn add(&self, payment: Payment) {
        let mut recent = self.lock();
        push_bounded(&mut recent.refundable, payment.clone());
        push_bounded(&mut recent.readable, payment);
    }

    /// A payment to read; it stays.
    pub(super) fn any(&self, random: &mut StdRng) -> Option<Payment> {
        let recent = self.lock();
        let count = recent.readable.len();
        (count > 0).then(|| recent.readable[random.random_range(0..count)].clone())
    }

    /// A payment to refund; it is given once.
    pub(super) fn take(&self) -> Option<Payment> {
        self.lock().refundable.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push_bounded(queue: &mut VecDeque<Payment>, payment: Payment) {
    if queue.len() == RECENT_MAX {
        queue.pop_front();
    }
    queue.push_back(payment);
}
