//! Queueing delay as a task of the serving runtime feels it.
//!
//! A task asks to be woken every few milliseconds and notes how late it is. It waits in the same
//! queue as the requests, so its lateness is their wait, without a baseline that could drift.
//! What is kept is the mean wait of a request that arrives at any moment: while the runtime is away
//! for L, those who arrive wait L / 2 on average, so L weighs by its square. Counting samples
//! instead would see one late wake-up where a hundred requests waited.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Lateness a timer has on an idle runtime; tokio rounds up to its 1 ms wheel.
const TIMER_SLACK: Duration = Duration::from_millis(2);
/// Longest absence that counts as a measurement; a stopped machine is not a queue.
const ABSENCE_MAX: Duration = Duration::from_secs(30);

/// What the probe has noted since it was last read; times of the gate's clock.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// Sum of L squared over 2, in square microseconds.
    waited_us2: AtomicU64,
    /// Microseconds at which the next wake-up is due; 0 before the first.
    due_us: AtomicU64,
}

impl Lateness {
    /// Notes a wake-up that was due and the time of the next one.
    pub(super) fn woken(&self, due: Duration, now: Duration, next_due: Duration) {
        let late = Self::late(due, now);
        self.waited_us2
            .fetch_add(late * late / 2, Ordering::Relaxed);
        self.due_us.store(micros(next_due), Ordering::Relaxed);
    }

    /// Mean wait over the `span` since the last reading.
    pub(super) fn take(&self, now: Duration, span: Duration) -> Duration {
        let waited_us2 = self.waited_us2.swap(0, Ordering::Relaxed) as f64;
        let due_us = self.due_us.load(Ordering::Relaxed);
        // A wake-up that is overdue at this moment is known to be at least this late; without it a
        // runtime that is stuck would look idle until it comes back.
        let pending_us = if due_us == 0 {
            0
        } else {
            Self::late(Duration::from_micros(due_us), now)
        };
        let span_us = (micros(span).max(1)) as f64;
        let mean_us = (waited_us2 / span_us).max(pending_us as f64 / 2.0);
        Duration::from_micros(mean_us as u64)
    }

    fn late(due: Duration, now: Duration) -> u64 {
        let late = now.saturating_sub(due + TIMER_SLACK).min(ABSENCE_MAX);
        micros(late)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_weighs_by_its_square() {
        let ms = Duration::from_millis;
        let lateness = Lateness::default();
        lateness.woken(ms(10), ms(102), ms(112));
        assert_eq!(
            lateness.take(ms(110), ms(100)).as_millis(),
            40,
            "90 ms of 100"
        );
        lateness.woken(ms(112), ms(113), ms(123));
        assert_eq!(
            lateness.take(ms(120), ms(100)),
            Duration::ZERO,
            "timer slack is no queue"
        );
    }

    #[test]
    fn a_runtime_that_is_stuck_is_seen_before_it_comes_back() {
        let ms = Duration::from_millis;
        let lateness = Lateness::default();
        lateness.woken(ms(10), ms(10), ms(20));
        assert_eq!(lateness.take(ms(422), ms(100)).as_millis(), 200);
    }
}
