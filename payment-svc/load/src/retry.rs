//! When a request is sent again: at most twice, not too soon, and never more than a tenth on top.
//! Without that bound the retries of a slow second would keep the next one slow.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Attempts of one intent, the first included.
pub(crate) const ATTEMPTS_MAX: u32 = 3;
/// What one intent adds to the budget: retries stay within a tenth of the traffic.
const TOKENS_PER_INTENT: f64 = 0.1;
/// What may be saved up: ten seconds of a tenth of 400 requests/s, one pod's worth of lost answers.
const TOKENS_MAX: f64 = 400.0;
/// What a run begins with, so that its first seconds can be retried too.
const TOKENS_FIRST: f64 = 20.0;
/// Shortest and longest wait before the first retry; the second waits twice as long.
const BACKOFF_MS: (f64, f64) = (50.0, 150.0);

/// Retries, or look-ups, the run may still make.
#[derive(Debug)]
pub(crate) struct RetryBudget(Mutex<f64>);

impl RetryBudget {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(TOKENS_FIRST))
    }

    /// A new intent was sent.
    pub(crate) fn deposit(&self) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = (*tokens + TOKENS_PER_INTENT).min(TOKENS_MAX);
    }

    /// Takes one retry, if there is one.
    pub(crate) fn withdraw(&self) -> bool {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = *tokens >= 1.0;
        if granted {
            *tokens -= 1.0;
        }
        granted
    }
}

/// How long to wait after attempt number `attempt` (from 1); none when a person would have given up.
///
/// A `Retry-After` is honoured in full, and past the deadline of the plan the intent ends instead.
/// `jitter` lies in 0 to 1.
pub(crate) fn wait_before_retry(
    attempt: u32,
    retry_after: Option<Duration>,
    deadline: Duration,
    jitter: f64,
) -> Option<Duration> {
    if attempt >= ATTEMPTS_MAX {
        return None;
    }
    let (low, high) = BACKOFF_MS;
    let backoff_ms = (low + (high - low) * jitter) * f64::from(attempt);
    let backoff = Duration::from_secs_f64(backoff_ms / 1000.0).min(deadline);
    // The jitter is added on top, so that those refused together do not come back together.
    let wait = retry_after.map_or(backoff, |after| after + backoff);
    (retry_after.unwrap_or_default() <= deadline).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(2);

    #[test]
    fn retry_after_is_honoured_up_to_the_deadline() {
        let second = Some(Duration::from_secs(1));
        let wait = wait_before_retry(1, second, DEADLINE, 0.0).unwrap();
        assert!(wait >= Duration::from_secs(1), "{wait:?}");
        assert_eq!(
            wait_before_retry(1, Some(Duration::from_secs(3)), DEADLINE, 0.0),
            None
        );
    }

    #[test]
    fn there_are_at_most_two_retries() {
        assert!(wait_before_retry(2, None, DEADLINE, 1.0).is_some());
        assert_eq!(wait_before_retry(3, None, DEADLINE, 0.5), None);
    }

    #[test]
    fn the_budget_lets_through_a_tenth() {
        let budget = RetryBudget::new();
        let granted = (0..10_000).filter(|_| {
            budget.deposit();
            budget.withdraw()
        });
        let granted = granted.count();
        assert!((1_000..=1_020).contains(&granted), "{granted}");
    }

    #[test]
    fn the_budget_does_not_grow_without_bound() {
        let budget = RetryBudget::new();
        (0..100_000).for_each(|_| budget.deposit());
        assert_eq!((0..10_000).filter(|_| budget.withdraw()).count(), 400);
    }
}
