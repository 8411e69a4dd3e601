//! Training: rows per lead bucket, a validation part that sets the blend and the bound, a refit.
//!
//! The validation part is the newest 30 % of the rows; the regression that is judged on it has not
//! seen it. Seasonal naive is always in the race, so that the model is never much worse than it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Series;
use crate::blocks::Blocks;
use crate::conformal::Bound;
use crate::features::{self, Season, log_rate};
use crate::model::{Basis, Bucket, Model};
use crate::ridge::{Ridge, Rows};

/// Ends of the lead buckets, seconds.
const BUCKET_ENDS_S: [u32; 10] = [
    300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400,
];
/// Share of the rows on which the regression is fitted before it is judged on the rest.
const FIT_SHARE: f64 = 0.7;
/// Rows of one bucket; with more, origins are thinned out evenly to bound the time of a fit.
const ROWS_MAX: usize = 4_096;
/// No prediction goes further than this factor above the largest value in the history.
const GROWTH_MAX: f64 = 5.0;
/// Upper bound of a bucket without residuals, as a factor in log space: about threefold.
const WIDE_LOG: f64 = 1.1;

/// How to fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitOptions {
    /// The upper quantile, 51..=99 percent.
    pub quantile_percent: u8,
    /// Only the newest part of the series is used, seconds.
    pub window_s: u32,
    /// Weight of the ridge penalty on standardised features.
    pub ridge_lambda: f64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            quantile_percent: 95,
            window_s: 28 * 86_400,
            ridge_lambda: 1.0,
        }
    }
}

/// Why a model could not be fitted. A short history is no error but [`Basis::ColdStart`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FitError {
    /// The upper quantile must be above the median.
    #[error("the upper quantile must be between 51 and 99 percent")]
    QuantileInvalid,
    /// The penalty must be a positive number.
    #[error("the ridge penalty must be a positive number")]
    PenaltyInvalid,
}

/// Fits a model on the newest part of a series. Deterministic.
pub fn fit(series: &Series, options: &FitOptions) -> Result<Model, FitError> {
    let FitOptions {
        quantile_percent,
        window_s,
        ridge_lambda,
    } = *options;
    if !(51..=99).contains(&quantile_percent) {
        return Err(FitError::QuantileInvalid);
    }
    if !ridge_lambda.is_finite() || ridge_lambda <= 0.0 {
        return Err(FitError::PenaltyInvalid);
    }
    let blocks = Blocks::new(series, window_s);
    let basis = basis(&blocks);
    let season = match basis {
        Basis::ColdStart => None,
        Basis::Daily => Some(Season::Daily),
        Basis::Weekly => Some(Season::Weekly),
    };
    let buckets = season.map_or_else(Vec::new, |season| {
        let trainer = Trainer {
            blocks: &blocks,
            season,
            options,
        };
        trainer.buckets()
    });
    let peak_rps = (0..blocks.len())
        .map(|index| blocks.value(index))
        .fold(0.0, f64::max);
    let log_max = log_rate(peak_rps * GROWTH_MAX);
    Ok(Model {
        basis,
        quantile_percent,
        window_s,
        log_max,
        buckets,
    })
}

/// A weekly model needs a week of rows to learn from after the longest lag, a daily one half a day.
fn basis(blocks: &Blocks) -> Basis {
    let day = blocks.count_in(86_400);
    if blocks.len() >= Season::Weekly.first_origin(blocks) + 4 * day {
        Basis::Weekly
    } else if blocks.len() >= Season::Daily.first_origin(blocks) {
        Basis::Daily
    } else {
        Basis::ColdStart
    }
}

struct Trainer<'a> {
    blocks: &'a Blocks,
    season: Season,
    options: &'a FitOptions,
}

/// Where a row comes from.
#[derive(Clone, Copy)]
struct Origin {
    index: usize,
    lead: usize,
}

impl Trainer<'_> {
    fn buckets(&self) -> Vec<Bucket> {
        let mut buckets = Vec::with_capacity(BUCKET_ENDS_S.len());
        let mut lead_min = 1;
        for lead_s_max in BUCKET_ENDS_S {
            let block_s = self.blocks.block_s();
            let lead_max = usize::try_from(lead_s_max / block_s).unwrap_or(0);
            if lead_max < lead_min {
                continue;
            }
            buckets.push(self.bucket(lead_s_max, lead_min, lead_max));
            lead_min = lead_max + 1;
        }
        buckets
    }

    fn bucket(&self, lead_s_max: u32, lead_min: usize, lead_max: usize) -> Bucket {
        let (rows, origins) = self.rows(lead_min, lead_max);
        let fitted = (rows.len() as f64 * FIT_SHARE) as usize;
        // A target of the fitted part must not reach into the part that judges it.
        let purged = fitted.saturating_sub(lead_max.min(fitted / 4));
        let lambda = self.options.ridge_lambda;
        let judged = Ridge::fit(&rows, purged, lambda);
        let pairs: Vec<Judged> = (fitted..rows.len())
            .map(|index| {
                let Origin {
                    index: origin,
                    lead,
                } = origins[index];
                let naive = features::seasonal_naive(self.blocks, self.season, origin, lead);
                let ridge = judged
                    .as_ref()
                    .map_or(naive, |ridge| ridge.predict(rows.row(index)));
                Judged {
                    naive,
                    ridge,
                    truth: rows.target(index),
                }
            })
            .collect();
        let ridge_share = if judged.is_some() {
            best_share(&pairs)
        } else {
            0.0
        };
        let blended: Vec<(f64, f64)> = pairs
            .iter()
            .map(|pair| (pair.blend(ridge_share), pair.truth))
            .collect();
        let share = f64::from(self.options.quantile_percent) / 100.0;
        let bound = Bound::calibrate(&blended, share).unwrap_or(Bound::wide(WIDE_LOG));
        let ridge = if ridge_share > 0.0 {
            Ridge::fit(&rows, rows.len(), lambda)
        } else {
            None
        };
        Bucket {
            lead_s_max,
            ridge_share: if ridge.is_some() { ridge_share } else { 0.0 },
            ridge,
            bound,
        }
    }

    /// One row per origin; the lead rotates through the bucket from origin to origin.
    fn rows(&self, lead_min: usize, lead_max: usize) -> (Rows, Vec<Origin>) {
        let leads = lead_max - lead_min + 1;
        let first = self.season.first_origin(self.blocks);
        let end = self.blocks.len().saturating_sub(lead_min);
        let thinning = end.saturating_sub(first).div_ceil(ROWS_MAX).max(1);
        let mut rows = Rows::default();
        let mut origins = Vec::new();
        for (count, index) in (first..end).step_by(thinning).enumerate() {
            let lead = lead_min + count % leads;
            let Some(truth) = self.blocks.observed(index + lead) else {
                continue;
            };
            rows.push(
                &features::row(self.blocks, self.season, index, lead),
                log_rate(truth),
            );
            origins.push(Origin { index, lead });
        }
        (rows, origins)
    }
}

/// One prediction of each member beside the truth, in log space.
struct Judged {
    naive: f64,
    ridge: f64,
    truth: f64,
}

impl Judged {
    fn blend(&self, ridge_share: f64) -> f64 {
        ridge_share * self.ridge + (1.0 - ridge_share) * self.naive
    }
}

/// The share of the regression with the least absolute error in requests/s.
fn best_share(pairs: &[Judged]) -> f64 {
    let error = |share: f64| -> f64 {
        let off = |pair: &Judged| (pair.blend(share).exp_m1() - pair.truth.exp_m1()).abs();
        pairs.iter().map(off).sum()
    };
    (0..=10)
        .map(|tenth| f64::from(tenth) / 10.0)
        .map(|share| (share, error(share)))
        .filter(|(_, error)| error.is_finite())
        .min_by(|left, right| left.1.total_cmp(&right.1))
        .map_or(0.0, |(share, _)| share)
}
