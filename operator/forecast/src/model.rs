//! The fitted model: one regression per lead bucket, blended with seasonal naive, and its path.

use serde::{Deserialize, Serialize};

use crate::blocks::Blocks;
use crate::conformal::Bound;
use crate::features::{self, Season, log_rate};
use crate::ridge::Ridge;
use crate::{ForecastPath, Series};

/// What a model could learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Less than a day and a bit: the recent level with a wide interval. Publish
    /// `InsufficientHistory`.
    ColdStart,
    /// Daily lags only.
    Daily,
    /// Daily and weekly lags.
    Weekly,
}

impl Basis {
    /// Name as decisions and status print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ColdStart => "level",
            Self::Daily => "ridge-direct-daily",
            Self::Weekly => "ridge-direct-weekly",
        }
    }
}

/// A fitted model; serialises to a few kilobytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub(crate) basis: Basis,
    pub(crate) quantile_percent: u8,
    pub(crate) window_s: u32,
    /// No prediction exceeds this, in log space: a multiple of the largest value trained on.
    pub(crate) log_max: f64,
    pub(crate) buckets: Vec<Bucket>,
}

/// One range of lead times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// The bucket serves leads up to this one, seconds.
    pub(crate) lead_s_max: u32,
    /// `None` when there were too few rows; seasonal naive serves alone then.
    pub(crate) ridge: Option<Ridge>,
    /// Share of the regression in the blend, 0..=1; the rest is seasonal naive.
    pub(crate) ridge_share: f64,
    pub(crate) bound: Bound,
}

impl Bucket {
    /// Median in log space for a target `lead` blocks after `origin`.
    pub(crate) fn predict(
        &self,
        blocks: &Blocks,
        season: Season,
        origin: usize,
        lead: usize,
    ) -> f64 {
        let naive = features::seasonal_naive(blocks, season, origin, lead);
        match &self.ridge {
            Some(ridge) if self.ridge_share > 0.0 => {
                let fitted = ridge.predict(&features::row(blocks, season, origin, lead));
                let blended = self.ridge_share * fitted + (1.0 - self.ridge_share) * naive;
                if blended.is_finite() { blended } else { naive }
            }
            _ => naive,
        }
    }
}

impl Model {
    /// What the model could learn from.
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// Largest share of the regression over all lead buckets, 0..=1; 0 means seasonal naive won
    /// everywhere.
    pub fn ridge_share_max(&self) -> f64 {
        self.buckets
            .iter()
            .map(|bucket| bucket.ridge_share)
            .fold(0.0, f64::max)
    }

    /// The path of `horizon_s` after the last value of `series`, which is the newest history and
    /// may be longer than what the model was fitted on. Steps are those of the series, or 5 minutes
    /// when those are shorter.
    pub fn path(&self, series: &Series, horizon_s: u32) -> ForecastPath {
        let blocks = Blocks::new(series, self.window_s);
        let steps = usize::try_from(horizon_s.div_ceil(blocks.block_s()))
            .unwrap_or(1)
            .max(1);
        let season = match self.basis {
            Basis::Weekly => Season::Weekly,
            Basis::Daily | Basis::ColdStart => Season::Daily,
        };
        let known = blocks.last() >= season.first_origin(&blocks);
        let pairs = (1..=steps).map(|lead| {
            let bucket = self.bucket(lead, blocks.block_s());
            match bucket.filter(|_| known && self.basis != Basis::ColdStart) {
                Some(bucket) => self.step(bucket, &blocks, season, lead),
                None => level(&blocks),
            }
        });
        let start = blocks.end().plus_s(i64::from(blocks.block_s()));
        let name = self.basis.as_str().to_owned();
        ForecastPath::from_sound_pairs(start, blocks.block_s(), self.quantile_percent, name, pairs)
    }

    fn step(&self, bucket: &Bucket, blocks: &Blocks, season: Season, lead: usize) -> (f64, f64) {
        let predicted = bucket.predict(blocks, season, blocks.last(), lead);
        let median = predicted.clamp(0.0, self.log_max);
        let upper = (median + bucket.bound.offset(median)).min(self.log_max);
        (median.exp_m1(), upper.exp_m1().max(median.exp_m1()))
    }

    fn bucket(&self, lead: usize, block_s: u32) -> Option<&Bucket> {
        let lead_s = u32::try_from(lead)
            .unwrap_or(u32::MAX)
            .saturating_mul(block_s);
        let serving = self
            .buckets
            .iter()
            .find(|bucket| lead_s <= bucket.lead_s_max);
        serving.or(self.buckets.last())
    }
}

/// Median and upper bound, requests/s, when only the recent level is known: the mean of the last
/// hour, and above it the larger of twice that mean and the largest value of the last day.
fn level(blocks: &Blocks) -> (f64, f64) {
    let last = blocks.last();
    let hour = blocks.count_in(3_600);
    let day = blocks.count_in(86_400);
    let mean = blocks.mean((last + 1).saturating_sub(hour), last);
    let peak = ((last + 1).saturating_sub(day)..=last)
        .map(|at| blocks.value(at))
        .fold(0.0, f64::max);
    let mean = log_rate(mean).exp_m1();
    (mean, peak.max(2.0 * mean))
}
