//! Whether load and forecast can be relied on. Pure.

use floodgate_api::{ConditionType, Reason};

use super::{Truth, Verdict};
use crate::{
    forecast::OutlookState,
    observe::Observed,
    plan::{Planned, Trust},
    prometheus::MissingReason,
};

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
    let reason = match missing.reason {
        MissingReason::PrometheusUnavailable
        | MissingReason::PrometheusTimeout
        | MissingReason::AnswerUndecodable => Reason::PrometheusUnreachable,
        MissingReason::QueryInvalid | MissingReason::QueryShapeInvalid => Reason::QueryShapeInvalid,
        MissingReason::NoData | MissingReason::PartialData => Reason::SeriesMissing,
        MissingReason::NotANumber | MissingReason::OutOfRange => Reason::ValueImplausible,
        MissingReason::Stale => Reason::SignalsStale,
        MissingReason::NotSampledYet => Reason::NoSignals,
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
        ..Verdict::new(kind, status, reason, message)
    }
}

pub(super) fn forecast_trusted(observed: &Observed, planned: &Planned) -> Verdict {
    let (status, reason, message) = match planned.trust {
        Trust::Trusted => (
            Truth::True,
            Reason::WithinGate,
            "the forecast bids".to_owned(),
        ),
        Trust::Shadow => (
            Truth::True,
            Reason::WithinGate,
            "published only: `forecast.mode` is Shadow".to_owned(),
        ),
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
        Trust::InsufficientHistory => {
            let message = "less than a day of history; the forecast does not bid".to_owned();
            (Truth::Unknown, Reason::InsufficientHistory, message)
        }
        Trust::ErrorAboveGate => {
            let message = "the live error is above `forecast.errorPercentMax`".to_owned();
            (Truth::False, Reason::ErrorAboveGate, message)
        }
        Trust::HistoryUnavailable => match &observed.outlook.state {
            OutlookState::HistoryUnavailable(missing) => {
                let fit_failed = missing.reason == MissingReason::NotSampledYet;
                let reason = match missing.reason {
                    _ if fit_failed => Reason::RefitFailed,
                    MissingReason::NoData => Reason::InsufficientHistory,
                    MissingReason::QueryInvalid | MissingReason::QueryShapeInvalid => {
                        Reason::QueryShapeInvalid
                    }
                    _ => Reason::PrometheusUnreachable,
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
