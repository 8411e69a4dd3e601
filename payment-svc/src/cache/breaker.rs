//! When to leave Redis alone: a breaker, pure in time.

use std::time::Duration;

/// Failures in a row that open it.
const FAILURES_MAX: u32 = 5;
/// First time it stays open, doubled with every probe that fails.
const OPEN_LEAST: Duration = Duration::from_millis(500);
/// Longest time it stays open: Redis is back in use this long after it is back.
const OPEN_MOST: Duration = Duration::from_secs(8);

/// State of the breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_for: Duration,
    open_until: Option<Duration>,
    probing: bool,
}

impl Breaker {
    /// Whether a command may be sent now. When the time is up, one may, and the rest wait for it.
    pub(super) fn allows(&mut self, now: Duration) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now >= until && !self.probing => {
                self.probing = true;
                // A probe that is never reported back must not keep the breaker open for good.
                self.open_until = Some(now + OPEN_MOST);
                true
            }
            Some(until) if now >= until => {
                self.open_until = Some(now + OPEN_MOST);
                true
            }
            Some(_) => false,
        }
    }

    /// A command was answered.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A command failed or took too long; true when this opened the breaker.
    pub(super) fn failed(&mut self, now: Duration) -> bool {
        self.failures += 1;
        let opens = self.probing || (self.open_until.is_none() && self.failures >= FAILURES_MAX);
        if opens {
            self.open_for = (self.open_for * 2).clamp(OPEN_LEAST, OPEN_MOST);
            self.open_until = Some(now + self.open_for);
            self.probing = false;
        }
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn f73_five_failures_open_it_and_one_probe_closes_it() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.failed(ms(0)));
            assert!(breaker.allows(ms(0)));
        }
        assert!(breaker.failed(ms(0)));
        assert!(!breaker.allows(ms(499)));
        assert!(breaker.allows(ms(500)), "the probe");
        assert!(!breaker.allows(ms(501)), "one probe at a time");
        breaker.succeeded();
        assert!(breaker.allows(ms(502)));
    }

    #[test]
    fn each_failed_probe_doubles_the_wait_up_to_a_bound() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| {
            breaker.failed(ms(0));
        });
        let mut now = ms(0);
        for wait in [500, 1_000, 2_000, 4_000, 8_000, 8_000] {
            assert!(!breaker.allows(now + ms(wait - 1)));
            now += ms(wait);
            assert!(breaker.allows(now), "after {wait} ms");
            breaker.failed(now);
        }
    }

    #[test]
    fn a_probe_that_is_never_reported_back_does_not_block_for_good() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| {
            breaker.failed(ms(0));
        });
        assert!(breaker.allows(ms(500)));
        assert!(!breaker.allows(ms(8_000)));
        assert!(breaker.allows(ms(8_500)));
    }
}
