//! What is known of the forecast, as the planner's intake takes it. Pure.

use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_planner::intake::{self, ForecastFacts};
use floodgate_prometheus::Missing;

use crate::{observe::Observed, validate::ValidatedCluster};

/// The facts that decide whether the forecast may bid.
pub(super) fn forecast_facts<'a>(
    observed: &'a Observed,
    cluster: &ValidatedCluster,
) -> ForecastFacts<'a, Missing> {
    let forecast = &*observed.forecast;
    ForecastFacts {
        mode: match cluster.forecast.mode {
            ForecastMode::Active => intake::ForecastMode::Active,
            ForecastMode::Shadow => intake::ForecastMode::Shadow,
            ForecastMode::Off => intake::ForecastMode::Off,
        },
        error_percent_max: cluster.forecast.error_percent_max,
        state: &forecast.state,
        path: forecast.path.as_ref(),
        made_at: forecast.made_at.map(Into::into),
        history_hours: forecast.history_hours,
        peak_rps: forecast.peak_rps,
        live: forecast.live,
    }
}
