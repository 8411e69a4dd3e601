//! Training: what of the history is used, and one bucket after the other.
//!
//! Each bucket has a rolling validation that sets its blend and its bound. Seasonal naive is always
//! in the race, so that the model is never much worse than it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    blocks::Blocks,
    change,
    events::{Calendar, Uplift},
    features::Season,
    model::{Basis, Bucket, Model},
    series::Series,
    train::Trainer,
    view::{Unit, View},
};

/// Ends of the lead buckets, seconds.
const BUCKET_ENDS_S: [u32; 10] = [
    300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400,
];
/// No prediction goes further than this factor beyond the least and the largest value in the history.
const GROWTH_MAX: f64 = 5.0;

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

impl FitOptions {
    /// The default window for a series of this step: four weeks, and eight where the steps are
    /// longer than a quarter of an hour and rows are few.
    pub fn for_step_s(step_s: u32) -> Self {
        let days = if step_s <= 900 { 28 } else { 56 };
        Self {
            window_s: days * 86_400,
            ..Self::default()
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
    fit_with_events(series, options, &Calendar::default())
}

/// Fits with a calendar of events, whose lift is learned from those that lie in the series.
/// Deterministic.
pub fn fit_with_events(
    series: &Series,
    options: &FitOptions,
    calendar: &Calendar,
) -> Result<Model, FitError> {
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
    let whole = Blocks::new(series, window_s);
    let jump = change::days_since_jump(&whole, Unit::of(&whole));
    let shortened_s = jump.and_then(|days| u32::try_from(days * 86_400).ok());
    let (blocks, window_s) = match shortened_s {
        Some(shortened_s) => (Blocks::new(series, shortened_s), shortened_s),
        None => (whole, window_s),
    };
    let basis = basis(&blocks);
    let season = match basis {
        Basis::ColdStart => None,
        Basis::Daily => Some(Season::Daily),
        Basis::Weekly => Some(Season::Weekly),
    };
    let unit = Unit::of(&blocks);
    let uplift = Uplift::learn(&blocks, unit, calendar);
    let buckets = season.map_or_else(Vec::new, |season| {
        let view = View::new(&blocks, unit);
        let events = uplift.view(&blocks, calendar, blocks.count_in(86_400));
        let trainer = Trainer {
            view: &view,
            events: events.as_ref(),
            unit,
            season,
            lambda: ridge_lambda,
            share: f64::from(quantile_percent) / 100.0,
        };
        buckets(&trainer)
    });
    let values = || (0..blocks.len()).map(|index| blocks.value(index));
    let least_rps = values().fold(f64::INFINITY, f64::min);
    let peak_rps = values().fold(0.0, f64::max);
    let log_range = (
        unit.log(least_rps / GROWTH_MAX),
        unit.log(peak_rps * GROWTH_MAX),
    );
    Ok(Model {
        basis,
        quantile_percent,
        window_s,
        changed_at: shortened_s.map(|since_s| series.end().plus_s(-i64::from(since_s))),
        unit,
        uplift,
        log_range,
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

fn buckets(trainer: &Trainer) -> Vec<Bucket> {
    let mut buckets = Vec::with_capacity(BUCKET_ENDS_S.len());
    let mut lead_min = 1;
    for lead_s_max in BUCKET_ENDS_S {
        let lead_max = usize::try_from(lead_s_max / trainer.view.blocks.block_s()).unwrap_or(0);
        if lead_max < lead_min {
            continue;
        }
        buckets.push(trainer.bucket(lead_s_max, lead_min, lead_max));
        lead_min = lead_max + 1;
    }
    buckets
}
