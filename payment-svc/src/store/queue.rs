//! What waits for a writer lane, and who waits for its answer.
//!
//! Lane and waiter agree by one atomic on who was first: a waiter whose time is up before a lane
//! took the payment can say that nothing was done; after that only the lane knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::StoreError;
use crate::ids::Slot;
use crate::order::{NewPayment, PaymentOutcome, RequestHash};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const ABANDONED: u8 = 2;

/// A payment in the queue.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) payment: NewPayment,
    pub(super) request_hash: RequestHash,
    pub(super) stripe: i16,
    pub(super) since: Instant,
    deadline: Instant,
    state: Arc<AtomicU8>,
    answer: oneshot::Sender<Result<PaymentOutcome, StoreError>>,
}

/// The waiting side of an [`Item`].
pub(super) struct Ticket {
    state: Arc<AtomicU8>,
    answer: oneshot::Receiver<Result<PaymentOutcome, StoreError>>,
}

/// A payment and the ticket for its answer.
pub(super) fn item(payment: NewPayment, slot: Slot, deadline: Instant) -> (Item, Ticket) {
    let state = Arc::new(AtomicU8::new(WAITING));
    let (answer, receiver) = oneshot::channel();
    let item = Item {
        id: slot.new_payment_id(),
        request_hash: payment.request_hash(),
        stripe: slot.stripe(),
        payment,
        since: Instant::now(),
        deadline,
        state: Arc::clone(&state),
        answer,
    };
    (
        item,
        Ticket {
            state,
            answer: receiver,
        },
    )
}

impl Item {
    /// Takes the payment for a batch, unless nobody waits for it any more.
    pub(super) fn take(self, now: Instant) -> Option<Self> {
        if self.answer.is_closed() {
            return None;
        }
        let taken = self
            .state
            .compare_exchange(WAITING, TAKEN, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if !taken {
            return None;
        }
        if self.deadline <= now {
            self.answer(Err(StoreError::Deadline));
            return None;
        }
        Some(self)
    }

    /// When the last one who could use the answer gives up.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Wakes the waiter; it may have left, which changes nothing.
    pub(super) fn answer(self, outcome: Result<PaymentOutcome, StoreError>) {
        drop(self.answer.send(outcome));
    }
}

impl Ticket {
    /// Waits for the answer until the deadline.
    pub(super) async fn wait(
        self,
        shard: usize,
        deadline: Instant,
    ) -> Result<PaymentOutcome, StoreError> {
        match timeout_at(deadline, self.answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_lane_gone)) => Err(StoreError::OutcomeUnknown { shard }),
            Err(_elapsed) => {
                let abandoned = self
                    .state
                    .compare_exchange(WAITING, ABANDONED, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok();
                Err(if abandoned {
                    StoreError::Deadline
                } else {
                    StoreError::OutcomeUnknown { shard }
                })
            }
        }
    }
}
