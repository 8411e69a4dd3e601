//! Measured lead time: how long pods take from creation to Ready and warm. Pure.

use std::collections::HashSet;

use floodgate_planner::{DecayingHistogram, UnixMillis};

use crate::snapshot::MeasuredStarts;

/// The quantile that is planned with.
const SHARE: f64 = 0.99;

/// Collects each pod's start once; older ones count less.
#[derive(Debug, Default)]
pub struct Starts {
    measured: HashSet<String>,
    ready: DecayingHistogram,
    warm: DecayingHistogram,
}

impl Starts {
    /// Notes a pod that became Ready at `at`; a pod already noted changes nothing.
    pub fn note(&mut self, uid: &str, at: UnixMillis, start_s: f64, warm_ms: Option<u64>) {
        if !self.measured.insert(uid.to_owned()) {
            return;
        }
        self.ready.note(at, start_s);
        if let Some(warm_ms) = warm_ms {
            self.warm.note(at, warm_ms as f64 / 1_000.0);
        }
    }

    /// Forgets the names of pods that are gone; their starts still count.
    pub fn retain(&mut self, living: &HashSet<&str>) {
        self.measured.retain(|uid| living.contains(uid.as_str()));
    }

    /// The percentiles; none until a pod was measured.
    pub fn measured(&self) -> Option<MeasuredStarts> {
        Some(MeasuredStarts {
            ready_p99_s: self.ready.quantile_s(SHARE)?,
            warm_p99_s: self.warm.quantile_s(SHARE).unwrap_or(0.0),
            pods: self.ready.samples(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_counts_once_and_the_slowest_percent_does_not() {
        let mut starts = Starts::default();
        assert_eq!(starts.measured(), None);
        let at = UnixMillis(1_800_000_000_000);
        for pod in 0..100 {
            let start_s = if pod == 0 { 500.0 } else { 4.0 };
            starts.note(&format!("pod-{pod}"), at, start_s, Some(1_500));
            starts.note(&format!("pod-{pod}"), at, 900.0, None);
        }
        let measured = starts.measured().unwrap();
        assert_eq!(measured.pods, 100);
        // The end of a bucket, at most a tenth above.
        assert!((4.0..4.4).contains(&measured.ready_p99_s), "{measured:?}");
        assert!((1.5..1.65).contains(&measured.warm_p99_s), "{measured:?}");
    }
}
