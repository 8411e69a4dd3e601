//! The load without a sale: given on the command line, measured by the operator, or forecast from a
//! recorded trace, with what is doubtful about it.

use std::path::Path;

use floodgate_api::PaymentCluster;
use floodgate_forecast::{Basis, FitOptions, Series, SeriesError, fit};
use floodgate_planner::{Baseline, ForecastPath};
use floodgate_trace::Unit;
use jiff::Timestamp;

use crate::moment::{seconds, span};
use crate::sale::error::SaleError;
use crate::sale::phase::instant;

/// How far a forecast of the history goes, seconds; a phase beyond it takes the same time of the
/// last day.
const HORIZON_S: u32 = 86_400;
/// A history that ended longer ago is doubtful, seconds: a day more, and the weekday the plan takes
/// for the last one is another.
const OLD_S: i64 = 86_400;
/// Share of steps with a value below which the gaps are doubtful.
const COMPLETE_SHARE: f64 = 0.9;

/// The load without a sale, and where it is known from.
pub(super) struct KnownLoad {
    path: Option<ForecastPath>,
    measured_rps: Option<f64>,
    observed_peak_rps: Option<f64>,
    pub(super) source: String,
}

impl KnownLoad {
    /// A constant load.
    pub(super) fn constant(rps: f64, source: &str) -> Self {
        Self {
            path: None,
            measured_rps: Some(rps),
            observed_peak_rps: None,
            source: format!("{rps} req/s, {source}"),
        }
    }

    /// The load that the operator measured, where it has.
    pub(super) fn measured(cluster: &PaymentCluster) -> Option<Self> {
        let rps = cluster.status.as_ref()?.load_rps.filter(|rps| *rps > 0)?;
        let source = "the load measured by the operator";
        Some(Self::constant(f64::from(rps), source))
    }

    /// As the planner takes it.
    pub(super) fn baseline(&self) -> Baseline<'_> {
        Baseline {
            path: self.path.as_ref(),
            measured_rps: self.measured_rps,
            observed_peak_rps: self.observed_peak_rps,
        }
    }
}

/// Forecasts from what the trace held at `now`; with what is doubtful about that.
pub(super) fn forecast(
    file: &Path,
    unit: Unit,
    now: Timestamp,
) -> Result<(KnownLoad, Vec<String>), SaleError> {
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
    if model.basis() == Basis::ColdStart {
        return Err(SaleError::HistoryShort {
            points: series.quality().points,
            span: span(series.span_s()),
        });
    }
    let path = model.path(&series, HORIZON_S);
    let doubts = doubts(&series, model.basis(), later, now);
    let source = format!(
        "forecast from --history, p{} ({})",
        path.quantile_percent(),
        unit.in_words(&trace)
    );
    let load = KnownLoad {
        path: Some(path),
        measured_rps: None,
        observed_peak_rps: Some(series.peak_rps()),
        source,
    };
    Ok((load, doubts))
}

/// What is doubtful about a series; `later` rows of its trace came after `now`.
fn doubts(series: &Series, basis: Basis, later: usize, now: Timestamp) -> Vec<String> {
    let quality = series.quality();
    let age_s = seconds(instant(series.end()), now);
    let mut doubts = Vec::new();
    if age_s > OLD_S {
        doubts.push(format!(
            "The history ended {} before: the plan takes traffic, weekdays included, to be what it was then",
            span(age_s)
        ));
    }
    if later > 0 {
        doubts.push(format!(
            "The history goes on after {now}, as of which this is planned: {later} later rows were left out"
        ));
    }
    if basis == Basis::Daily {
        doubts.push(format!(
            "Weekdays are taken to be alike: telling them apart takes eleven days of history since its level last jumped, and this one spans {}",
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
    doubts
}
