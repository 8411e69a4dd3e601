//! What the tasks of a run share, and what they write to the journal.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::journal::{
    CreateLine, Effect, JournalWriter, Line, OutcomeLine, RefundLine, RunLine, WriteError,
};
use crate::plan::ValidPlan;
use crate::retry::RetryBudget;
use crate::tally::Tally;
use crate::traffic::{Action, Intent, RecentPayments};
use crate::wire::Dialect;

/// Letters that distinguish runs: 26^12 leave no room for chance.
const PREFIX_LETTERS: u32 = 12;

/// What a run is given beside its plan.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Where to keep the journal; none keeps none, and then nothing can be audited.
    pub journal: Option<PathBuf>,
    /// Cancelled to end the run early: nothing new is sent, what is in flight is waited for.
    pub stop: CancellationToken,
}

/// What the tasks of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) dialect: Dialect,
    pub(super) deadline: Duration,
    /// For attempts beyond the first.
    pub(super) retries: RetryBudget,
    /// For look-ups of lost answers.
    pub(super) look_ups: RetryBudget,
    pub(super) tally: Mutex<Tally>,
    pub(super) journal: Option<JournalWriter>,
    pub(super) recent: RecentPayments,
    pub(super) start: Instant,
    pub(super) stop: CancellationToken,
    pub(super) in_flight: Arc<Semaphore>,
}

impl Shared {
    /// Opens the journal, and what else the tasks of a run need.
    pub(super) fn open(
        plan: &ValidPlan,
        options: RunOptions,
        started: Timestamp,
    ) -> Result<Self, WriteError> {
        let key_prefix = new_key_prefix();
        let currency = plan.plan().currency.clone();
        let journal = match &options.journal {
            None => None,
            Some(path) => Some(JournalWriter::create(path)?),
        };
        if let Some(journal) = &journal {
            let (key_prefix, currency) = (key_prefix.clone(), currency.clone());
            journal.append(&Line::Run(RunLine {
                key_prefix,
                currency,
                at: Timestamp::now(),
            }));
        }
        Ok(Self {
            client: Client::new(plan.plan().target),
            dialect: Dialect {
                key_prefix,
                currency,
            },
            deadline: plan.deadline(),
            retries: RetryBudget::new(),
            look_ups: RetryBudget::new(),
            tally: Mutex::new(Tally::new(&plan.plan().phases)),
            journal,
            recent: RecentPayments::default(),
            start: instant_of(started),
            stop: options.stop,
            in_flight: Arc::new(Semaphore::new(plan.plan().in_flight_max as usize)),
        })
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Journals an intent that moves money; the mark must be reached before it is sent.
    pub(super) fn announce(&self, intent: &Intent) -> u64 {
        let n = intent.n;
        let line = match (&self.journal, &intent.action) {
            (
                Some(_),
                Action::Create {
                    user,
                    merchant,
                    amount_minor,
                },
            ) => Line::Create(CreateLine {
                n,
                user: user.clone(),
                merchant: merchant.clone(),
                amount_minor: *amount_minor,
            }),
            (
                Some(_),
                Action::Refund {
                    payment,
                    amount_minor,
                },
            ) => Line::Refund(RefundLine {
                n,
                payment: payment.id.clone(),
                user: payment.user.clone(),
                amount_minor: *amount_minor,
            }),
            _ => return 0,
        };
        self.journal
            .as_ref()
            .map_or(0, |journal| journal.append(&line))
    }

    /// Journals what the ledger must hold of an intent.
    pub(super) fn conclude(&self, n: u64, effect: Effect, id: Option<String>) {
        if let Some(journal) = &self.journal {
            journal.append(&Line::Outcome(OutcomeLine { n, effect, id }));
        }
    }

    /// Whether a journal mark is with the kernel; at once in the usual case.
    pub(super) async fn written(&self, mark: u64) -> Result<(), WriteError> {
        match &self.journal {
            Some(journal) if mark > 0 => journal.wait_for(mark).await,
            _ => Ok(()),
        }
    }
}

fn instant_of(time: Timestamp) -> Instant {
    let (now, ahead) = (Instant::now(), time.duration_since(Timestamp::now()));
    let distance = ahead.unsigned_abs();
    if ahead.is_negative() {
        now.checked_sub(distance).unwrap_or(now)
    } else {
        now + distance
    }
}

/// A prefix for the idempotency keys of one run.
///
/// Two runs of one plan must not share keys, so it is not drawn from the seed. It holds no digits: a
/// key with a long run of them may read as a card number and be refused.
fn new_key_prefix() -> String {
    let letters = (0..PREFIX_LETTERS).map(|_| char::from(rand::random_range(b'a'..=b'z')));
    format!("load-{}-", letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_keys_of_its_own_that_read_as_no_card_number() {
        let prefixes: std::collections::HashSet<String> =
            (0..1000).map(|_| new_key_prefix()).collect();
        assert_eq!(prefixes.len(), 1000);
        assert!(
            prefixes
                .iter()
                .all(|prefix| !prefix.contains(|one: char| one.is_ascii_digit()))
        );
    }
}
