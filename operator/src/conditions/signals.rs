//! Whether load and forecast can be relied on. Pure.

use floodgate_api::annotation::MASK_HISTORY;
use floodgate_forecast::Masks;
use floodgate_planner::intake::{ColdScale, Trust};
use floodgate_prometheus::MissingReason;
use floodgate_words::{ConditionType, Reason};

use super::verdict::{Truth, Verdict};
use crate::{observe::Observed, plan::Planned, snapshot::ForecastState};

pub(super) fn signals_fresh(planned: &Planned) -> Verdict {
    let kind = ConditionType::SignalsFresh;
    let Some(missing) = &planned.load.missing else {
        return Verdict::new(
            kind,
            true,
            Reason::SignalsFresh,
            "the load is known and fresh",
        );
    };
    let message = match missing.reason {
        // These two carry numbers that move by themselves.
        MissingReason::Stale => "the newest sample is too old; nothing is scaled down".to_owned(),
        MissingReason::OutOfRange => "the load is negative, infinite or absurd".to_owned(),
        _ => format!("{missing}; nothing is scaled down"),
    };
    let unasked = missing.reason == MissingReason::NotSampledYet;
    let status = if unasked {
        Truth::Unknown
    } else {
        Truth::False
    };
    Verdict {
        awaits_first_answer: unasked,
        ..Verdict::new(kind, status, missing.reason.reason(), message)
    }
}

pub(super) fn forecast_trusted(observed: &Observed, planned: &Planned) -> Verdict {
    let (status, reason, message) = match planned.trust {
        Trust::Trusted => within_gate(observed, "the forecast bids"),
        Trust::Shadow => within_gate(observed, "published only: `forecast.mode` is Shadow"),
        Trust::Off => (
            Truth::True,
            Reason::ForecastOff,
            "the forecast is off".to_owned(),
        ),
        Trust::Pending => (
            Truth::Unknown,
            Reason::InsufficientHistory,
            "no history was read yet".to_owned(),
        ),
        Trust::ColdStart => (
            Truth::Unknown,
            Reason::ColdStart,
            cold_start(&observed.forecast.state),
        ),
        Trust::WorseThanNaive => {
            let message = "the live error is clearly above that of seasonal naive on the same \
                           points; the forecast does not bid until it is no longer";
            (Truth::False, Reason::WorseThanNaive, message.to_owned())
        }
        Trust::ErrorAboveGate => {
            let message = "the live error is above `forecast.errorPercentMax`".to_owned();
            (Truth::False, Reason::ErrorAboveGate, message)
        }
        Trust::HistoryUnavailable => match &observed.forecast.state {
            ForecastState::HistoryUnavailable(missing) => {
                let reason = match missing.reason {
                    MissingReason::NoData => Reason::InsufficientHistory,
                    reason => reason.reason(),
                };
                (Truth::Unknown, reason, missing.to_string())
            }
            _ => (
                Truth::Unknown,
                Reason::RefitFailed,
                "the history cannot be read".to_owned(),
            ),
        },
    };
    Verdict {
        awaits_first_answer: planned.trust == Trust::Pending,
        ..Verdict::new(ConditionType::ForecastTrusted, status, reason, message)
    }
}

/// A forecast within its gate, also while its last refit failed and the model before it is in use.
fn within_gate(observed: &Observed, what: &str) -> (Truth, Reason, String) {
    let message = format!("{what}{}", since_change(observed));
    match &observed.forecast.refit_failed {
        None => (Truth::True, Reason::WithinGate, message),
        Some(failed) => {
            let message = format!("{message}; the model before stands, for {}", failed.message);
            (Truth::True, Reason::RefitFailed, message)
        }
    }
}

/// That the window was shortened, where it was.
fn since_change(observed: &Observed) -> String {
    observed.forecast.changed_at.map_or(String::new(), |at| {
        format!("; the load changed for good at {at}, and what came before is left out")
    })
}

/// What the forecast is made of while there is less than a day of history.
fn cold_start(state: &ForecastState) -> String {
    let scale = match state {
        ForecastState::ColdStart(ColdScale::Measured) => ", scaled by the load measured now",
        ForecastState::ColdStart(ColdScale::Declared) => {
            ", scaled by the load that `scaling.min` pods hold"
        }
        _ => ", scaled by the hours there are",
    };
    format!(
        "less than a day of history: the usual shape of a day stands in{scale}; it does not bid"
    )
}

/// Whether declared windows are left out of the history.
pub(super) fn history_masked(planned: &Planned) -> Verdict {
    let kind = ConditionType::HistoryMasked;
    let Masks { windows, refused } = &planned.masks;
    let held = match windows.len() {
        1 => "1 window is left out of the forecast's history".to_owned(),
        count => format!("{count} windows are left out of the forecast's history"),
    };
    match refused.as_slice() {
        [] if windows.is_empty() => {
            let message = "nothing is declared to be left out of the forecast's history";
            Verdict::new(kind, false, Reason::NoMask, message)
        }
        [] => Verdict::new(kind, true, Reason::WindowsMasked, held),
        [first, others @ ..] => {
            let more = match others.len() {
                0 => String::new(),
                count => format!(" ({count} more)"),
            };
            let message = format!("`{MASK_HISTORY}`: {first}{more}; {held}");
            Verdict::new(kind, Truth::Unknown, Reason::InvalidMask, message)
        }
    }
}

#[cfg(test)]
mod tests;
