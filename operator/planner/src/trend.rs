//! A load that rises faster than pods start: where it will be when pods ordered now are warm.
//!
//! Within seconds a surge shows itself by its slope, long before it needs the pods: a load that
//! climbs to ten times in two minutes is met by pods ordered in its first ten seconds, and by
//! nothing later. Only a load already above what chance brings in all but rare moments is extended,
//! and never to more than double.
//!
//! Invariant: a higher reading never gives a lower projection, and a second decision in the same
//! instant takes no reading twice.

use std::collections::VecDeque;

use floodgate_forecast::UnixMillis;
use serde::{Deserialize, Serialize};

/// Readings this old still belong to the slope, seconds: the burst window and as much again would
/// be slower than the surge, the window alone mostly chance.
const SPAN_S: i64 = 10;
/// Readings that are kept at most; one a second.
const READINGS_MAX: usize = 11;
/// Fewer readings than this have no slope.
const READINGS_MIN: usize = 4;
/// A load is extended to at most this many times itself: what has just stepped up once climbs for
/// the length of the burst window, and is not going on.
const FACTOR_MAX: f64 = 2.0;

/// The readings of the last seconds, and what they point to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoadTrend {
    readings: VecDeque<(UnixMillis, f64)>,
    projected_rps: Option<f64>,
}

impl LoadTrend {
    /// Takes the rate of this moment. `unusual_rps` is the rate that chance exceeds in rare moments
    /// only, where that is known; `lead_s` how far to look ahead.
    pub(crate) fn observe(
        &mut self,
        now: UnixMillis,
        rps: f64,
        unusual_rps: Option<f64>,
        lead_s: i64,
    ) {
        match self.readings.back() {
            Some((at, _)) if *at == now => return,
            // The clock was set back: what was read is not of this hour.
            Some((at, _)) if *at > now => self.forget(),
            _ => {}
        }
        self.readings.push_back((now, rps));
        while self.readings.len() > READINGS_MAX
            || (self.readings.front()).is_some_and(|(at, _)| now.seconds_since(*at) > SPAN_S)
        {
            self.readings.pop_front();
        }
        let rises = unusual_rps.is_some_and(|unusual_rps| rps > unusual_rps);
        let slope = self.slope().filter(|slope| rises && *slope > 0.0);
        self.projected_rps = slope.map(|slope| (rps + slope * lead_s as f64).min(rps * FACTOR_MAX));
    }

    /// Forgets all; what rises by plan points to nothing.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Where the load will be at the end of the lead time, requests/s; `None` unless it rises beyond
    /// what chance brings.
    pub(crate) const fn projected_rps(&self) -> Option<f64> {
        self.projected_rps
    }

    /// Least-squares slope of the readings, requests/s each second.
    fn slope(&self) -> Option<f64> {
        if self.readings.len() < READINGS_MIN {
            return None;
        }
        let newest = self.readings.back()?.0;
        let count = self.readings.len() as f64;
        let ages = || (self.readings.iter()).map(|(at, _)| (at.0 - newest.0) as f64 / 1_000.0);
        let age = ages().sum::<f64>() / count;
        let mean_rps = self.readings.iter().map(|(_, rps)| rps).sum::<f64>() / count;
        let spread: f64 = ages().map(|one| (one - age).powi(2)).sum();
        let rates = self.readings.iter().map(|(_, rps)| rps - mean_rps);
        let common: f64 = ages().zip(rates).map(|(one, rps)| (one - age) * rps).sum();
        (spread > 0.0).then(|| common / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climb(readings: &[f64], unusual_rps: Option<f64>) -> Option<f64> {
        let mut trend = LoadTrend::default();
        for (second, rps) in (0..).zip(readings) {
            trend.observe(UnixMillis(second * 2_000), *rps, unusual_rps, 30);
        }
        trend.projected_rps()
    }

    #[test]
    fn a_climb_beyond_chance_is_extended_by_the_lead_time() {
        let found = climb(&[100.0, 104.0, 108.0, 112.0, 116.0], Some(110.0));
        assert!(
            (found.unwrap() - (116.0 + 2.0 * 30.0)).abs() < 1e-9,
            "{found:?}"
        );
    }

    #[test]
    fn chance_a_fall_and_an_unknown_spread_are_not_extended() {
        let rising = [100.0, 104.0, 108.0, 112.0, 116.0];
        assert_eq!(climb(&rising, Some(116.0)), None);
        assert_eq!(climb(&rising, None), None);
        assert_eq!(
            climb(&[300.0, 280.0, 260.0, 240.0, 220.0], Some(110.0)),
            None
        );
        assert_eq!(climb(&[100.0, 900.0, 900.0], Some(110.0)), None);
    }

    #[test]
    fn f25_a_step_of_ten_times_is_extended_to_no_more_than_double() {
        let found = climb(&[100.0, 100.0, 100.0, 1_000.0, 1_000.0], Some(110.0));
        assert_eq!(found, Some(2_000.0));
        let after = climb(&[100.0, 1e3, 1e3, 1e3, 1e3, 1e3, 1e3], Some(110.0));
        assert_eq!(after, None, "it has arrived");
    }

    #[test]
    fn the_same_instant_is_taken_once() {
        let mut trend = LoadTrend::default();
        for second in 0..5 {
            trend.observe(
                UnixMillis(second * 2_000),
                100.0 + second as f64,
                Some(10.0),
                30,
            );
        }
        let once = trend.clone();
        trend.observe(UnixMillis(8_000), 900.0, Some(10.0), 30);
        assert_eq!(trend, once);
    }
}
