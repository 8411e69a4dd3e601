//! `spec.forecast`: what to expect from history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to expect from history. The forecast only adds pods, never removes any, and bids only while
/// its live error is within `errorPercentMax`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Forecast {
    /// `Active` (default) forecasts and bids; `Shadow` forecasts and publishes, but does not bid;
    /// `Off` does not forecast.
    pub mode: ForecastMode,
    /// Quantile of the load to keep pods for, as its maximum over the lead time, 51 to 99 percent,
    /// default 95.
    #[schemars(range(min = 51, max = 99))]
    pub quantile_percent: i32,
    /// Seconds added to the lead time when looking ahead, 0 to 3600, default 60.
    #[schemars(range(min = 0, max = 3_600))]
    pub margin_seconds: i32,
    /// Seconds between two forecasts, 10 to 3600, default 60.
    #[schemars(range(min = 10, max = 3_600))]
    pub refresh_seconds: i32,
    /// Seconds between two fits of the model, 60 to 86400, default 900.
    #[schemars(range(min = 60, max = 86_400))]
    pub refit_seconds: i32,
    /// Live error (WAPE, percent) above which the forecast makes no bid, 1 to 200, default 40.
    #[schemars(range(min = 1, max = 200))]
    pub error_percent_max: i32,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            mode: ForecastMode::Active,
            quantile_percent: 95,
            margin_seconds: 60,
            refresh_seconds: 60,
            refit_seconds: 900,
            error_percent_max: 40,
        }
    }
}

/// What the forecast may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ForecastMode {
    /// It bids.
    #[default]
    Active,
    /// It is computed and published, but does not bid.
    Shadow,
    /// It is not computed.
    Off,
}
