//! Sees one intent through: attempts, retries with the same key, and what it ended as.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::Shared;
use crate::client::SendError;
use crate::journal::Effect;
use crate::retry::wait_before_retry;
use crate::tally::Outcome;
use crate::traffic::{Action, Intent, Payment};
use crate::wire::Verdict;

/// What one attempt came to.
enum Attempt {
    Acked(Option<Payment>),
    /// 429 or 503.
    Shed {
        effect: Effect,
        retry_after: Option<Duration>,
    },
    /// Refused for good, whatever became of the attempts before.
    Declined {
        code: String,
    },
    /// Another answer, or none that can have had an effect.
    Failed {
        code: String,
        effect: Effect,
        again: bool,
        retry_after: Option<Duration>,
    },
    /// Sent, and no answer came.
    Lost {
        code: &'static str,
    },
}

/// Carries an intent out to its end and counts it; asks by key when an answer was lost, as long as
/// such questions stay within a tenth of the traffic.
pub(super) async fn carry_out(shared: &Shared, intent: &Intent) {
    let lost = attempt_until_done(shared, intent).await;
    let (
        Some(()),
        Action::Create {
            user, amount_minor, ..
        },
    ) = (lost, &intent.action)
    else {
        return;
    };
    if shared.stop.is_cancelled() || !shared.look_ups.withdraw() {
        return;
    }
    let action = Action::LookUp {
        user: user.clone(),
        lost: intent.n,
        amount_minor: *amount_minor,
    };
    let look_up = Intent {
        n: intent.n,
        at: shared.start.elapsed(),
        action,
    };
    shared.tally().begin(look_up.at, look_up.action.class());
    attempt_until_done(shared, &look_up).await;
}

/// Returns something when the intent ended without anyone knowing whether it took effect.
async fn attempt_until_done(shared: &Shared, intent: &Intent) -> Option<()> {
    let mut doubt = false;
    let mut due = shared.start + intent.at;
    let mut number = 0;
    loop {
        number += 1;
        let attempt = attempt(shared, intent, due).await;
        doubt |= attempt.leaves_doubt(&intent.action);
        if let Some(wait) = wait(shared, &attempt, number) {
            tokio::select! {
                () = sleep(wait) => {}
                () = shared.stop.cancelled() => return end(shared, intent, attempt, doubt, due),
            }
            shared.tally().retry();
            due = Instant::now();
            continue;
        }
        return end(shared, intent, attempt, doubt, due);
    }
}

/// How long to wait before the next attempt; none when there is to be no other.
fn wait(shared: &Shared, attempt: &Attempt, number: u32) -> Option<Duration> {
    let retry_after = match attempt {
        Attempt::Acked(_) | Attempt::Declined { .. } | Attempt::Failed { again: false, .. } => {
            return None;
        }
        Attempt::Shed { retry_after, .. } | Attempt::Failed { retry_after, .. } => *retry_after,
        Attempt::Lost { .. } => None,
    };
    if shared.stop.is_cancelled() {
        return None;
    }
    let wait = wait_before_retry(number, retry_after, shared.deadline, rand::random())?;
    if shared.retries.withdraw() {
        return Some(wait);
    }
    shared.tally().retries_withheld += 1;
    None
}

async fn attempt(shared: &Shared, intent: &Intent, due: Instant) -> Attempt {
    let Ok(request) = shared.dialect.request(intent) else {
        return Attempt::unsent("request_invalid", false);
    };
    let answer = match timeout_at(due + shared.deadline, shared.client.send(request)).await {
        Err(_) => return Attempt::Lost { code: "timeout" },
        Ok(Err(SendError::Lost(_))) => {
            return Attempt::Lost {
                code: "connection_lost",
            };
        }
        Ok(Err(SendError::Connect(_))) => return Attempt::unsent("connection_refused", true),
        Ok(Ok(answer)) => answer,
    };
    let retry_after = answer.retry_after;
    match shared.dialect.judge(intent, &answer) {
        Verdict::Acked(payment) => Attempt::Acked(payment),
        Verdict::Shed(effect) => {
            if retry_after.is_none() {
                shared.tally().refusals_without_retry_after += 1;
            }
            Attempt::Shed {
                effect,
                retry_after,
            }
        }
        Verdict::Declined { code } => Attempt::Declined { code },
        Verdict::Failed {
            code,
            effect,
            again,
        } => Attempt::Failed {
            code,
            effect,
            again,
            retry_after,
        },
    }
}

/// Counts and journals the end of an intent.
fn end(
    shared: &Shared,
    intent: &Intent,
    attempt: Attempt,
    doubt: bool,
    due: Instant,
) -> Option<()> {
    let effect = if doubt {
        Effect::Unknown
    } else {
        Effect::Absent
    };
    let declined = matches!(attempt, Attempt::Declined { .. });
    let (outcome, effect, payment) = match attempt {
        Attempt::Acked(payment) => {
            let now = Instant::now();
            let latency = now.saturating_duration_since(shared.start + intent.at);
            let attempt = now.saturating_duration_since(due);
            (
                Outcome::Acked { latency, attempt },
                Effect::Recorded,
                payment,
            )
        }
        Attempt::Shed { .. } if doubt => (
            Outcome::Unknown {
                code: "shed_after_lost_answer".to_owned(),
            },
            effect,
            None,
        ),
        Attempt::Shed { .. } => (Outcome::Shed, effect, None),
        Attempt::Declined { code } => (Outcome::Failed { code }, Effect::Absent, None),
        Attempt::Failed { code, .. } => (Outcome::Failed { code }, effect, None),
        Attempt::Lost { code } => (
            Outcome::Unknown {
                code: code.to_owned(),
            },
            effect,
            None,
        ),
    };
    shared
        .tally()
        .end(intent.at, intent.action.class(), &outcome);
    let known = matches!(intent.action, Action::Create { .. } | Action::LookUp { .. });
    if let Some(payment) = payment.as_ref().filter(|_| known) {
        shared.recent.add(payment.clone());
    }
    match &intent.action {
        Action::Create { .. } | Action::Refund { .. } => {
            shared.conclude(intent.n, effect, payment.map(|payment| payment.id));
        }
        // The look-up found what the lost answer held.
        Action::LookUp { lost, .. } => {
            if let Some(payment) = payment {
                shared.conclude(*lost, Effect::Recorded, Some(payment.id));
            } else if declined {
                shared.conclude(*lost, Effect::Absent, None);
            }
        }
        Action::ReadPayment(_) | Action::ReadAccount { .. } | Action::ReadMerchant { .. } => {}
    }
    (effect == Effect::Unknown).then_some(())
}

impl Attempt {
    /// Nothing left this machine.
    fn unsent(code: &str, again: bool) -> Self {
        Self::Failed {
            code: code.to_owned(),
            effect: Effect::Absent,
            again,
            retry_after: None,
        }
    }

    /// Whether the ledger may hold something after it that no client has an answer for.
    fn leaves_doubt(&self, action: &Action) -> bool {
        let effect = match self {
            Self::Acked(_) | Self::Declined { .. } => Effect::Absent,
            Self::Shed { effect, .. } | Self::Failed { effect, .. } => *effect,
            Self::Lost { .. } => Effect::Unknown,
        };
        action.moves_money() && effect == Effect::Unknown
    }
}
