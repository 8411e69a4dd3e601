//! A histogram whose older values count less: measured starts, of which a high quantile is planned
//! with. Pure: the time is given.
//!
//! Values fall into buckets whose widths grow by a tenth, so a quantile is at most a tenth too
//! high and never too low, whatever the range.

use floodgate_forecast::UnixMillis;

/// Ratio of two neighbouring bucket ends.
const RATIO: f64 = 1.1;
/// End of the first bucket, seconds.
const FIRST_S: f64 = 0.1;
/// Buckets; the last one ends beyond two hours, the longest lead time that may be planned with.
const BUCKETS: usize = 119;
/// Age at which a value counts half, seconds: yesterday's image and nodes say little about today's.
const HALF_LIFE_S: f64 = 86_400.0;
/// A value is as good as forgotten after this many half-lives; weights stay within range by it.
const HALF_LIVES_MAX: f64 = 60.0;

/// Weighted counts of durations.
#[derive(Clone, Debug, PartialEq)]
pub struct DecayingHistogram {
    weights: Vec<f64>,
    /// Instant at which a new value weighs 1.
    since: Option<UnixMillis>,
    samples: u64,
}

impl Default for DecayingHistogram {
    fn default() -> Self {
        Self {
            weights: vec![0.0; BUCKETS],
            since: None,
            samples: 0,
        }
    }
}

impl DecayingHistogram {
    /// Takes in a duration of `value_s` seconds that was measured at `at`; anything but a finite
    /// number of at least 0 is dropped.
    pub fn note(&mut self, at: UnixMillis, value_s: f64) {
        if !value_s.is_finite() || value_s < 0.0 {
            return;
        }
        let since = *self.since.get_or_insert(at);
        let mut age = at.seconds_since(since) as f64 / HALF_LIFE_S;
        if age > HALF_LIVES_MAX {
            let factor = (-age).exp2();
            self.weights.iter_mut().for_each(|weight| *weight *= factor);
            self.since = Some(at);
            age = 0.0;
        }
        self.weights[bucket_of(value_s)] += age.max(-HALF_LIVES_MAX).exp2();
        self.samples = self.samples.saturating_add(1);
    }

    /// The end of the bucket below which at least `share` (0..=1) of the weight lies, seconds;
    /// `None` until something was measured.
    pub fn quantile_s(&self, share: f64) -> Option<f64> {
        let total: f64 = self.weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut below = 0.0;
        for (index, weight) in self.weights.iter().enumerate() {
            below += weight;
            if below >= share * total {
                return Some(FIRST_S * RATIO.powi(i32::try_from(index).unwrap_or(i32::MAX)));
            }
        }
        None
    }

    /// Values taken in so far.
    pub const fn samples(&self) -> u64 {
        self.samples
    }
}

fn bucket_of(value_s: f64) -> usize {
    // A value on the end of a bucket belongs to it, whatever rounding says.
    let index = ((value_s / FIRST_S).max(1.0).ln() / RATIO.ln() - 1e-9).ceil();
    (index.max(0.0) as usize).min(BUCKETS - 1)
}
