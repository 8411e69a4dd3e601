//! A built-in daily curve, for a history when no trace is given.

use std::f64::consts::TAU;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::trace::TraceSample;

const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;
/// The unix epoch fell on a Thursday: a week that begins on Monday began three days before it.
const EPOCH_AFTER_MONDAY_S: i64 = 3 * DAY_S;

/// Two peaks a day (noon and evening), quieter nights, livelier week-ends, a little noise.
///
/// The mean over a week is close to `mean_rps`; the same seed gives the same series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DailyCurve {
    /// Mean rate, requests per second.
    pub mean_rps: f64,
    /// Swing of the day as a share of the mean, 0 to 1.
    pub swing_ratio: f64,
    /// How much a Saturday and a Sunday lie above the mean, as a share of it.
    pub weekend_ratio: f64,
    /// Half width of the uniform noise, as a share of the value.
    pub noise_ratio: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl DailyCurve {
    /// The usual day around a mean rate.
    pub const fn around(mean_rps: f64, seed: u64) -> Self {
        Self {
            mean_rps,
            swing_ratio: 0.6,
            weekend_ratio: 0.15,
            noise_ratio: 0.04,
            seed,
        }
    }

    /// Rate at an instant without noise, requests per second, never negative.
    pub fn rps_at(&self, at: Timestamp) -> f64 {
        let second = at.as_second();
        let day = second.rem_euclid(DAY_S) as f64 / DAY_S as f64;
        // Lowest at 04:00 UTC, highest in the evening, with a lower shoulder at noon.
        let shape = -0.75 * (TAU * (day - 4.0 / 24.0)).cos()
            - 0.25 * (2.0 * TAU * (day - 4.0 / 24.0)).cos();
        let weekday = (second + EPOCH_AFTER_MONDAY_S).rem_euclid(WEEK_S) / DAY_S;
        let week = if weekday >= 5 {
            self.weekend_ratio
        } else {
            -self.weekend_ratio * 0.4
        };
        (self.mean_rps * (1.0 + self.swing_ratio * shape) * (1.0 + week)).max(0.0)
    }

    /// Samples from `from` until before `to`, one each `step_s` seconds, with noise.
    pub fn series(&self, from: Timestamp, to: Timestamp, step_s: u32) -> Vec<TraceSample> {
        let mut random = StdRng::seed_from_u64(self.seed);
        let step_s = i64::from(step_s.max(1));
        let mut series = Vec::new();
        let mut second = from.as_second();
        while second < to.as_second() {
            let Ok(timestamp) = Timestamp::from_second(second) else {
                break;
            };
            let noise = 1.0 + self.noise_ratio * random.random_range(-1.0..=1.0);
            let value = Some((self.rps_at(timestamp) * noise).max(0.0));
            series.push(TraceSample { timestamp, value });
            second += step_s;
        }
        series
    }
}
