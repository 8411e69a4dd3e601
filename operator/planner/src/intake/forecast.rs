//! When a forecast may bid, and as what the planner gets it.

use std::sync::Arc;

use floodgate_forecast::{ForecastPath, UnixMillis};
use floodgate_words::Reason;

use super::live::LiveFigures;
use crate::input::{ForecastInput, ForecastTrust};

/// A path older than this no longer bids, seconds; its store has been silent for so long.
pub const PATH_AGE_MAX_S: f64 = 1_800.0;
/// A model of less history does not bid, hours: it has not seen a whole day.
const HISTORY_HOURS_MIN: u32 = 24;

/// What `spec.forecast.mode` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForecastMode {
    /// It bids.
    Active,
    /// It is computed and published, and does not bid.
    Shadow,
    /// It is not computed.
    Off,
}

/// How a forecast comes to be. `F` says why the history could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ForecastState<F> {
    /// Nothing was fetched yet.
    #[default]
    Pending,
    /// Switched off by the spec.
    Off,
    /// The history could not be read.
    HistoryUnavailable(F),
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

/// What is known of a forecast when a decision is made.
#[derive(Clone, Copy, Debug)]
pub struct ForecastFacts<'a, F> {
    /// What the spec asks for.
    pub mode: ForecastMode,
    /// Live error above which it does not bid, percent.
    pub error_percent_max: u32,
    /// How it comes to be.
    pub state: &'a ForecastState<F>,
    /// The newest path.
    pub path: Option<&'a Arc<ForecastPath>>,
    /// When that was made.
    pub made_at: Option<UnixMillis>,
    /// Hours of history the model was fitted on.
    pub history_hours: u32,
    /// Largest load in that history, requests/s.
    pub peak_rps: Option<f64>,
    /// How it has fared.
    pub live: LiveFigures,
}

/// Whether the forecast may bid, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It bids.
    Trusted,
    /// Computed, published, and not asked to bid.
    Shadow,
    /// Switched off.
    Off,
    /// No path yet.
    Pending,
    /// Less than a day of history; the wide guess of a cold start does not bid.
    ColdStart,
    /// The live error is above the gate.
    ErrorAboveGate,
    /// The live error is clearly above that of seasonal naive.
    WorseThanNaive,
    /// The path is old, because the history cannot be read.
    HistoryUnavailable,
}

impl<F> ForecastFacts<'_, F> {
    /// Whether the forecast may bid at `now`.
    pub fn trust(&self, now: UnixMillis) -> Trust {
        let live = self.live;
        let error_max = self.error_percent_max;
        let above_gate = live.proven && live.error_percent.is_some_and(|error| error > error_max);
        let age_s = self
            .made_at
            .map_or(f64::INFINITY, |at| (now.0 - at.0) as f64 / 1_000.0);
        match (self.mode, self.state) {
            (ForecastMode::Off, _) | (_, ForecastState::Off) => Trust::Off,
            (_, ForecastState::Pending) => Trust::Pending,
            (_, ForecastState::ColdStart(_)) => Trust::ColdStart,
            (_, ForecastState::HistoryUnavailable(_)) if age_s > PATH_AGE_MAX_S => {
                Trust::HistoryUnavailable
            }
            _ if self.history_hours < HISTORY_HOURS_MIN => Trust::ColdStart,
            _ if above_gate => Trust::ErrorAboveGate,
            _ if live.loses => Trust::WorseThanNaive,
            (ForecastMode::Shadow, _) => Trust::Shadow,
            (ForecastMode::Active, _) => Trust::Trusted,
        }
    }

    /// The forecast as the planner takes it; `measured` says whether a load was measured. A guess from
    /// the declared capacity is none beside that: a sale multiplies the larger of both.
    pub fn input(&self, trust: Trust, measured: bool) -> ForecastInput {
        if measured && matches!(self.state, ForecastState::ColdStart(ColdScale::Declared)) {
            return ForecastInput::Missing(Reason::ColdStart);
        }
        let trust = match trust {
            Trust::Trusted => ForecastTrust::Trusted,
            Trust::Shadow => ForecastTrust::Muted(Reason::ForecastShadow),
            Trust::Off => return ForecastInput::Missing(Reason::ForecastOff),
            Trust::Pending => return ForecastInput::Missing(Reason::InsufficientHistory),
            Trust::HistoryUnavailable => {
                return ForecastInput::Missing(Reason::ForecastUnavailable);
            }
            Trust::ColdStart => ForecastTrust::Muted(Reason::ColdStart),
            Trust::ErrorAboveGate => ForecastTrust::Muted(Reason::ErrorAboveGate),
            Trust::WorseThanNaive => ForecastTrust::Muted(Reason::WorseThanNaive),
        };
        match self.path {
            Some(path) => ForecastInput::Path {
                path: Arc::clone(path),
                trust,
                observed_peak_rps: self.peak_rps,
            },
            None => ForecastInput::Missing(Reason::ForecastUnavailable),
        }
    }
}
