//! The forecast of a cluster, as the forecast loop leaves it. Pure.

use std::sync::Arc;

use floodgate_forecast::{ForecastPath, Quality};
use floodgate_planner::intake::{self, LiveFigures};
use floodgate_prometheus::Missing;
use jiff::Timestamp;

/// How a forecast comes to be.
pub type ForecastState = intake::ForecastState<Missing>;

/// What the forecast loop left for a cluster.
#[derive(Clone, Debug, Default)]
pub struct ForecastSnapshot {
    /// How far the forecast has come.
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
    /// Why the last refit failed, while the model before it is in use.
    pub refit_failed: Option<Missing>,
    /// What went wrong with the stored model.
    pub note: Option<String>,
}
