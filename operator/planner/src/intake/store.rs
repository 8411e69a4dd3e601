//! What the metrics store answers: its newest answer, and the valid loads of the minute before it.

use std::collections::VecDeque;

use floodgate_forecast::UnixMillis;

use crate::load::LoadReading;

/// Milliseconds whose largest load counts.
const MINUTE_MS: i64 = 60_000;

/// A load that the store answered with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreLoad {
    /// Requests/s offered.
    pub rps: f64,
    /// Seconds between the newest sample and the evaluation, by the store's clock.
    pub age_s: f64,
    /// The store's clock at evaluation.
    pub store_time: UnixMillis,
    /// Pods whose counters the number is made of; none where the query does not count them.
    pub pods: Option<u32>,
}

/// The newest answer of the store, and the valid ones of the last minute. `F` says why an answer
/// holds no load.
#[derive(Clone, Debug)]
pub struct StoreReading<F> {
    /// When the store was asked.
    pub asked_at: UnixMillis,
    /// When the answer came, or the failure.
    pub answered_at: UnixMillis,
    /// The load, or why there is none.
    pub load: Result<StoreLoad, F>,
    /// Valid loads of the minute before the newest valid one: when they were true by our clock, and
    /// requests/s.
    recent: VecDeque<(UnixMillis, f64)>,
}

impl<F> StoreReading<F> {
    /// A new reading; what was valid before stays known until it is a minute older than the newest
    /// valid load.
    pub fn after(
        last: Option<&Self>,
        (asked_at, answered_at): (UnixMillis, UnixMillis),
        load: Result<StoreLoad, F>,
    ) -> Self {
        let mut recent = last.map(|last| last.recent.clone()).unwrap_or_default();
        if let Ok(valid) = &load {
            let age_ms = (valid.age_s * 1_000.0) as i64;
            let at = UnixMillis(answered_at.0.saturating_sub(age_ms));
            recent.retain(|(then, _)| at.0.saturating_sub(then.0) <= MINUTE_MS);
            recent.push_back((at, valid.rps));
        }
        Self {
            asked_at,
            answered_at,
            load,
            recent,
        }
    }

    /// Largest load of the minute before the newest valid one, at the time of that one.
    pub fn minute_max(&self) -> Option<LoadReading> {
        let (observed_at, _) = self.recent.back()?;
        let largest = self.recent.iter().map(|(_, rps)| *rps).reduce(f64::max)?;
        Some(LoadReading {
            rate_rps_max: largest,
            burst_rps: None,
            observed_at: *observed_at,
        })
    }

    /// Seconds that the store's clock is ahead of ours, negative behind it, where that is more than
    /// `limit_s`: it evaluated the query after it answered, or before it was asked (F13). Ages are by
    /// its clock alone and stay true.
    pub fn clock_skew_s(&self, limit_s: u32) -> Option<f64> {
        let store_time = self.load.as_ref().ok()?.store_time;
        let ahead_ms = store_time.0.saturating_sub(self.answered_at.0);
        let behind_ms = self.asked_at.0.saturating_sub(store_time.0);
        let skew_ms = if ahead_ms > behind_ms {
            ahead_ms
        } else {
            -behind_ms
        };
        (ahead_ms.max(behind_ms) > i64::from(limit_s) * 1_000).then_some(skew_ms as f64 / 1_000.0)
    }
}
