//! Measured lead time: how long pods take from creation to Ready and warm. Pure.

use std::collections::{HashSet, VecDeque};

/// Starts kept: enough for a 99th percentile that is not just the slowest one of a handful.
const STARTS_MAX: usize = 200;

/// What was measured so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeasuredStarts {
    /// 99th percentile of creation to Ready, seconds. A pod is Ready only when it is warm or past
    /// its warm deadline, so the warm-up is in it.
    pub ready_p99_s: f64,
    /// 99th percentile of the warm-up alone, seconds.
    pub warm_p99_s: f64,
    /// Pods measured.
    pub pods: usize,
}

/// Collects each pod's start once.
#[derive(Debug, Default)]
pub struct Starts {
    measured: HashSet<String>,
    ready_s: VecDeque<f64>,
    warm_s: VecDeque<f64>,
}

impl Starts {
    /// Notes a pod that is Ready; a pod already noted changes nothing.
    pub fn note(&mut self, uid: &str, start_s: f64, warm_ms: Option<u64>) {
        if !self.measured.insert(uid.to_owned()) {
            return;
        }
        push_bounded(&mut self.ready_s, start_s);
        if let Some(warm_ms) = warm_ms {
            push_bounded(&mut self.warm_s, warm_ms as f64 / 1_000.0);
        }
    }

    /// Forgets the names of pods that are gone; their starts still count.
    pub fn retain(&mut self, living: &HashSet<&str>) {
        self.measured.retain(|uid| living.contains(uid.as_str()));
    }

    /// The percentiles; none until a pod was measured.
    pub fn measured(&self) -> Option<MeasuredStarts> {
        Some(MeasuredStarts {
            ready_p99_s: p99(&self.ready_s)?,
            warm_p99_s: p99(&self.warm_s).unwrap_or(0.0),
            pods: self.ready_s.len(),
        })
    }
}

fn push_bounded(values: &mut VecDeque<f64>, value: f64) {
    if values.len() == STARTS_MAX {
        values.pop_front();
    }
    values.push_back(value);
}

/// Nearest-rank 99th percentile.
fn p99(values: &VecDeque<f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * 99).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_counts_once_and_the_slowest_percent_does_not() {
        let mut starts = Starts::default();
        assert_eq!(starts.measured(), None);
        for pod in 0..100 {
            let start_s = if pod == 0 { 500.0 } else { 4.0 };
            starts.note(&format!("pod-{pod}"), start_s, Some(1_500));
            starts.note(&format!("pod-{pod}"), 900.0, None);
        }
        let measured = starts.measured().unwrap();
        assert_eq!(measured.pods, 100);
        assert!((measured.ready_p99_s - 4.0).abs() < 1e-9);
        assert!((measured.warm_p99_s - 1.5).abs() < 1e-9);
    }
}
