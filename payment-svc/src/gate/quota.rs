//! Quotas per class, by the generic cell rate algorithm: one number per class, no timer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Seconds of quota a class may use at once after a silence.
const BURST_S: u64 = 2;

/// One class's quota.
#[derive(Debug, Default)]
pub(super) struct Quota {
    /// Nanoseconds one request is worth; 0 when there is no quota, `u64::MAX` when it is zero.
    interval_ns: AtomicU64,
    /// Theoretical arrival time of the next request, nanoseconds of the gate's clock.
    next_ns: AtomicU64,
}

impl Quota {
    /// Sets the quota; `None` lifts it, 0 refuses everything.
    pub(super) fn set(&self, quota_rps: Option<u32>) {
        let interval_ns = match quota_rps {
            None => 0,
            Some(0) => u64::MAX,
            Some(rps) => 1_000_000_000 / u64::from(rps),
        };
        self.interval_ns.store(interval_ns, Ordering::Relaxed);
    }

    /// Takes one request's worth; false when the quota is used up.
    pub(super) fn take(&self, now: Duration) -> bool {
        let interval_ns = self.interval_ns.load(Ordering::Relaxed);
        if interval_ns == 0 {
            return true;
        }
        if interval_ns == u64::MAX {
            return false;
        }
        let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let burst_ns = BURST_S * 1_000_000_000;
        self.next_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next_ns| {
                let start_ns = next_ns.max(now_ns);
                (start_ns + interval_ns <= now_ns + burst_ns).then_some(start_ns + interval_ns)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_admits_its_rate_and_two_seconds_of_burst() {
        let quota = Quota::default();
        quota.set(Some(10));
        let mut taken = 0;
        for ms in 0..10_000u64 {
            taken += u64::from(quota.take(Duration::from_millis(ms)));
        }
        assert!((115..=121).contains(&taken), "{taken}");
    }

    #[test]
    fn none_is_no_quota_and_zero_refuses_everything() {
        let quota = Quota::default();
        assert!((0..1000).all(|_| quota.take(Duration::ZERO)));
        quota.set(Some(0));
        assert!(!quota.take(Duration::from_secs(100)));
        quota.set(None);
        assert!(quota.take(Duration::from_secs(100)));
    }
}
