//! The load signal as a type in which missing is not a number.
//!
//! Invariant: a [`ValidLoad`] is finite, not negative, not absurd and fresh; there is no way to
//! make one but [`Load::judge`], so no later step can mistake absence for zero (promise S2).

use floodgate_forecast::UnixMillis;
use floodgate_words::{Reason, is_plausible};
use serde::{Deserialize, Serialize};

/// The load signal as the sampler found it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Load {
    /// Numbers as they came, not judged yet.
    Reading(LoadReading),
    /// Nothing usable came.
    Missing(LoadFault),
}

/// Offered load as sampled; any of the numbers may still be nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadReading {
    /// Largest offered rate of the last minute, requests/s.
    pub rate_rps_max: f64,
    /// Offered rate over the last 6 s, requests/s, when there is a source that fast.
    pub burst_rps: Option<f64>,
    /// Time stamp of the newest sample, from the source's own clock.
    pub observed_at: UnixMillis,
}

/// Bounds within which a reading is believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadLimits {
    /// A sample older than this, seconds, is missing.
    pub staleness_s: u32,
    /// A sample further in the future than this, seconds, comes from a wrong clock.
    pub skew_s: u32,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self {
            staleness_s: 30,
            skew_s: 5,
        }
    }
}

/// Why there is no valid load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadFault {
    /// The source was not asked yet.
    Unasked,
    /// The source did not answer, or answered with an error.
    Unavailable,
    /// The source answered without a series.
    NoData,
    /// The source refused the query, or the answer was not one number per cluster.
    ShapeInvalid,
    /// Some Ready pods have no sample, so the number is too small.
    PartialData,
    /// The newest sample is too old.
    Stale,
    /// NaN, infinite, negative or absurdly large.
    NotPlausible,
    /// The sample is from the future.
    ClockSkew,
}

impl LoadFault {
    /// The reason constant of this fault.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Unasked => Reason::NoSignals,
            Self::Unavailable => Reason::PrometheusUnreachable,
            Self::NoData | Self::PartialData => Reason::SeriesMissing,
            Self::ShapeInvalid => Reason::QueryShapeInvalid,
            Self::Stale => Reason::SignalsStale,
            Self::NotPlausible => Reason::ValueImplausible,
            Self::ClockSkew => Reason::ClockSkew,
        }
    }
}

/// A load that may be acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidLoad {
    rate_rps_max: f64,
    burst_rps: Option<f64>,
}

impl ValidLoad {
    /// Largest offered rate of the last minute, requests/s.
    pub const fn rate_rps_max(&self) -> f64 {
        self.rate_rps_max
    }

    /// Offered rate over the last 6 s, requests/s, when it is known and plausible.
    pub const fn burst_rps(&self) -> Option<f64> {
        self.burst_rps
    }

    /// The larger of both, requests/s: the load that capacity must hold now.
    pub fn peak_rps(&self) -> f64 {
        self.burst_rps
            .map_or(self.rate_rps_max, |burst| burst.max(self.rate_rps_max))
    }

    /// The newest rate that is known, requests/s: the last 6 s, else the last minute.
    pub fn present_rps(&self) -> f64 {
        self.burst_rps.unwrap_or(self.rate_rps_max)
    }
}

impl Load {
    /// Decides whether the signal may be acted upon at `now`.
    ///
    /// A burst rate that is nonsense is dropped by itself: it may only raise, so doing without it
    /// lowers nothing that the rate of the last minute does not already carry.
    pub fn judge(&self, now: UnixMillis, limits: &LoadLimits) -> Result<ValidLoad, LoadFault> {
        let reading = match self {
            Self::Reading(reading) => reading,
            Self::Missing(fault) => return Err(*fault),
        };
        if !is_plausible(reading.rate_rps_max) {
            return Err(LoadFault::NotPlausible);
        }
        let age_ms = now.0.saturating_sub(reading.observed_at.0);
        if age_ms > i64::from(limits.staleness_s) * 1_000 {
            return Err(LoadFault::Stale);
        }
        if age_ms < -i64::from(limits.skew_s) * 1_000 {
            return Err(LoadFault::ClockSkew);
        }
        Ok(ValidLoad {
            rate_rps_max: reading.rate_rps_max,
            burst_rps: reading.burst_rps.filter(|burst| is_plausible(*burst)),
        })
    }
}
