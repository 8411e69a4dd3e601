//! The forecast of a cluster, as the forecast loop leaves it. Pure.

use std::sync::Arc;

use floodgate_forecast::{ForecastPath, Quality};
use floodgate_prometheus::Missing;
use jiff::Timestamp;

/// A path older than this no longer bids, seconds; its Prometheus has been silent for so long.
pub const PATH_AGE_MAX_S: f64 = 1_800.0;

/// What the forecast loop left for a cluster.
#[derive(Clone, Debug, Default)]
pub struct ForecastSnapshot {
    /// Where the forecast stands.
    pub state: ForecastState,
    /// The newest path, also while it is not trusted.
    pub path: Option<Arc<ForecastPath>>,
    /// When `path` was made.
    pub made_at: Option<Timestamp>,
    /// When the model was fitted.
    pub fitted_at: Option<Timestamp>,
    /// Hours of history the model was fitted on.
    pub history_hours: u32,
    /// Largest load in that history, requests/s.
    pub peak_rps: Option<f64>,
    /// How good that history is; none while the path is one that an earlier process made.
    pub quality: Option<Quality>,
    /// The lasting jump of the level, what lies before which was left out.
    pub changed_at: Option<Timestamp>,
    /// How the forecast has fared.
    pub live: LiveFigures,
    /// When it was seen last that Prometheus lost what it had known.
    pub history_lost_at: Option<Timestamp>,
    /// Why the last refit failed, while the model before it stands.
    pub refit_failed: Option<Missing>,
    /// What went wrong with the stored model.
    pub note: Option<String>,
}

/// Where a forecast stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ForecastState {
    /// Nothing was fetched yet.
    #[default]
    Pending,
    /// Switched off by the spec.
    Off,
    /// The history could not be read.
    HistoryUnavailable(Missing),
    /// The history is too short for a season; the path is the usual shape of a day with a wide band.
    ColdStart(ColdScale),
    /// A path of a fitted model.
    Fitted,
}

/// What the usual shape of a day is scaled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColdScale {
    /// The hours of history there are.
    History,
    /// The load measured now.
    Measured,
    /// The load that the least replicas hold.
    Declared,
}

/// How the forecast has fared over the promises that came due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveFigures {
    /// Error (WAPE) at the lead time, percent of the load; none until a promise came due.
    pub error_percent: Option<u32>,
    /// The same for seasonal naive on the same points.
    pub naive_error_percent: Option<u32>,
    /// Share of loads at or below the upper quantile, percent.
    pub coverage_percent: Option<u32>,
    /// Whether enough promises came due for the figures to mean something.
    pub proven: bool,
    /// Whether seasonal naive would have been clearly better.
    pub loses: bool,
}
