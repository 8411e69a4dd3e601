//! Fields of a `PaymentCluster` in the units of the planner. Pure.
//!
//! Files may never have met an apiserver, so they are read with the operator's checks.

use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_api::{FieldError, PaymentCluster};
use floodgate_planner::rehearse::{ForecastSettings, Settings};
use floodgate_planner::{DegradationPolicy, LeadTime};
use floodgate_settings::LEAD_UNMEASURED_S;

/// What of a cluster decides.
pub fn of_cluster(cluster: &PaymentCluster) -> Result<Settings, FieldError> {
    let spec = &cluster.spec;
    let degradation = floodgate_settings::degradation(&spec.degradation)?;
    let forecast = floodgate_settings::forecast(&spec.forecast)?;
    Ok(Settings {
        scaling: floodgate_settings::scaling(&spec.scaling)?,
        load_limits: floodgate_settings::load_limits(&spec.traffic)?,
        degradation: degradation.unwrap_or_else(DegradationPolicy::never),
        forecast: ForecastSettings {
            active: forecast.mode == ForecastMode::Active,
            quantile_percent: forecast.usual_quantile_percent(),
            margin_s: forecast.margin_s,
            refresh_s: forecast.refresh_s,
            refit_s: forecast.refit_s,
            error_percent_max: forecast.error_percent_max,
            history_days: floodgate_settings::history(&spec.traffic)?.days,
        },
        lead_s: floodgate_settings::prewarm(&spec.prewarm)?.lead_s,
    })
}

/// Chance of a sale phase that names none, percent.
pub fn quantile_percent(cluster: &PaymentCluster) -> Result<u8, FieldError> {
    let forecast = floodgate_settings::forecast(&cluster.spec.forecast)?;
    Ok(forecast.usual_quantile_percent())
}

/// Measured lead time, or the one planned with before any was measured, within its bounds.
pub fn lead_time(cluster: &PaymentCluster) -> LeadTime {
    let measured = cluster.status.as_ref().and_then(|status| status.lead_time);
    let prewarm = &cluster.spec.prewarm;
    let count = |seconds: i32| u32::try_from(seconds).unwrap_or(0);
    let least = count(prewarm.lead_seconds_min).max(1);
    let lead_s = measured
        .map_or(LEAD_UNMEASURED_S, |lead| count(lead.seconds))
        .clamp(least, count(prewarm.lead_seconds_max).max(least));
    LeadTime {
        ready_p99_s: lead_s,
        warm_p99_s: 0,
        interval_s: 0,
        margin_s: count(cluster.spec.forecast.margin_seconds),
    }
}
