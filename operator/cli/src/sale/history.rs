//! The load without a sale, forecast from a recorded trace, and what is doubtful about it.

use std::path::Path;

use floodgate_forecast::{Basis, FitOptions, Series, SeriesError, fit};
use floodgate_planner::ForecastPath;
use floodgate_trace::Unit;
use jiff::Timestamp;

use super::SaleError;
use crate::moment::{seconds, span};

/// How far a forecast of the history goes, seconds; a phase beyond it takes the same time of the
/// last day.
const HORIZON_S: u32 = 86_400;
/// A history that ended longer ago is told to be old, seconds: a day more, and the weekday the plan
/// takes for the last one is another.
const OLD_S: i64 = 86_400;
/// Share of steps with a value below which the gaps are told.
const COMPLETE_SHARE: f64 = 0.9;

/// A forecast, where it comes from, and what to know before it is trusted.
pub(super) struct History {
    pub(super) path: ForecastPath,
    /// Largest load in the trace, requests/s.
    pub(super) observed_peak_rps: f64,
    pub(super) source: String,
    pub(super) doubts: Vec<String>,
}

/// Forecasts from what the trace held at `now`.
pub(super) fn forecast(file: &Path, unit: Unit, now: Timestamp) -> Result<History, SaleError> {
    let trace = floodgate_trace::read(file, unit)?;
    let later = trace.samples().iter().filter(|sample| sample.at > now);
    let later = later.count();
    let series = match Series::known_at(&trace, now.into()) {
        Err(SeriesError::NoData) if later > 0 => {
            let from = trace.span().0.into();
            return Err(SaleError::HistoryLater { from, now });
        }
        series => series.map_err(SaleError::Series)?,
    };
    let model = fit(&series, &FitOptions::for_step_s(series.step_s())).map_err(SaleError::Fit)?;
    let quality = series.quality();
    if model.basis() == Basis::ColdStart {
        return Err(SaleError::HistoryShort {
            points: quality.points,
            span: span(series.span_s()),
        });
    }
    let path = model.path(&series, HORIZON_S);
    let mut doubts = Vec::new();
    let age_s = seconds(super::instant(series.end()), now);
    if age_s > OLD_S {
        doubts.push(format!(
            "The history ended {} before: the plan takes traffic to be what it was then, its weekdays included",
            span(age_s)
        ));
    }
    if later > 0 {
        doubts.push(format!(
            "The history goes on after {now}, as of which this is planned: {later} later rows were left out"
        ));
    }
    if model.basis() == Basis::Daily {
        doubts.push(format!(
            "Weekdays are not told apart: that takes eleven days of history since its level last jumped, and this one spans {}",
            span(series.span_s())
        ));
    }
    if quality.score < COMPLETE_SHARE {
        doubts.push(format!(
            "The history is full of gaps: {} of {} steps have no value, and {} values were refused as absurd",
            quality.missing,
            quality.missing + quality.points,
            quality.rejected
        ));
    }
    let source = format!(
        "forecast from --history, p{} ({})",
        path.quantile_percent(),
        unit.in_words(&trace)
    );
    Ok(History {
        path,
        observed_peak_rps: series.peak_rps(),
        source,
        doubts,
    })
}
