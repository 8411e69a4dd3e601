//! The input of one decision after judgement.

use floodgate_forecast::{ForecastPath, UnixMillis};

use crate::{
    input::{ForecastInput, ForecastTrust, PlanInput},
    load::{LoadFault, ValidLoad},
    overrides::ActiveOverrides,
};

/// The input after judgement: what is valid, what holds, what is near.
pub(crate) struct Situation<'a> {
    pub(crate) input: &'a PlanInput,
    pub(crate) load: Result<ValidLoad, LoadFault>,
    pub(crate) overrides: ActiveOverrides<'a>,
    /// End of the span that a decision made now must provide for.
    pub(crate) horizon: UnixMillis,
}

impl<'a> Situation<'a> {
    pub(crate) fn read(input: &'a PlanInput) -> Self {
        Self {
            input,
            load: input.load.judge(input.now, &input.load_limits),
            overrides: input.overrides.active(input.now),
            horizon: input.now.plus_s(input.lead_time.horizon_s()),
        }
    }

    /// Whether the load and the capacity allow a number to be lowered.
    pub(crate) fn may_lower(&self) -> bool {
        self.load.is_ok() && self.input.scaling.has_capacity()
    }

    /// The path when it may bid.
    pub(crate) fn trusted_path(&self) -> Option<&'a ForecastPath> {
        match &self.input.forecast {
            ForecastInput::Path {
                path,
                trust: ForecastTrust::Trusted,
                ..
            } => Some(path),
            _ => None,
        }
    }

    /// The most that any forecast counts for, requests/s, wherever it is used: a path that exploded
    /// may neither buy pods, nor degrade, nor be multiplied by a sale.
    pub(crate) fn forecast_rps_max(&self) -> f64 {
        let observed_peak_rps = match &self.input.forecast {
            ForecastInput::Path {
                observed_peak_rps, ..
            } => *observed_peak_rps,
            ForecastInput::Missing(_) => None,
        };
        self.input.scaling.forecast_rps_max(observed_peak_rps)
    }
}
