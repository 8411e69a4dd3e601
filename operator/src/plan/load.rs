//! What Prometheus and the pods say of the load, and what is missing, in words. Pure.

use floodgate_planner::{
    Load, LoadFault, LoadLimits, Scaling, UnixMillis,
    intake::{LoadSources, RATE_WINDOW_S},
};
use floodgate_prometheus::{Missing, MissingReason};
use jiff::Timestamp;

use crate::{
    observe::Observed,
    snapshot::{PrometheusReading, clock_skew},
};

/// The load and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSeen {
    /// For the planner.
    pub load: Load,
    /// Why Prometheus gives no fresh load, when it does not.
    pub missing: Option<Missing>,
    /// The load to show, requests/s.
    pub rps: Option<f64>,
    /// Time of the newest valid reading of Prometheus.
    pub fresh_at: Option<Timestamp>,
}

/// Judges both sources.
pub fn load_seen(
    observed: &Observed,
    scaling: &Scaling,
    limits: LoadLimits,
    desired: Option<u32>,
) -> LoadSeen {
    let store = observed.prometheus.as_deref();
    let failed = store.and_then(|reading| reading.load.as_ref().err());
    let pods = observed.pods.as_ref();
    let sources = LoadSources {
        store,
        failure: failed.map(|missing| fault_of(missing.reason)),
        pods: observed.rates.as_deref().copied(),
        settled_pods: pods.map(|pods| pods.ready_for(RATE_WINDOW_S, observed.now)),
    };
    let seen = sources.judge(observed.now.into(), limits, scaling, desired);
    let missing = |fault| missing(fault, store, limits);
    LoadSeen {
        load: seen.load,
        missing: seen
            .fault
            .map(|fault| failed.cloned().unwrap_or_else(|| missing(fault))),
        rps: seen.rps,
        fresh_at: seen.fresh_at.and_then(UnixMillis::timestamp),
    }
}

/// What is missing although Prometheus answered, or was not asked yet.
fn missing(fault: LoadFault, store: Option<&PrometheusReading>, limits: LoadLimits) -> Missing {
    let skewed = store.and_then(|reading| clock_skew(reading, limits.skew_s));
    let age_s = store.and_then(|reading| Some(reading.load.as_ref().ok()?.age_s));
    let stale = || {
        let message = format!("the newest sample is {:.0} s old", age_s.unwrap_or(0.0));
        Missing::because(MissingReason::Stale, message)
    };
    match fault {
        LoadFault::Unasked => {
            Missing::because(MissingReason::NotSampledYet, "Prometheus was not asked yet")
        }
        LoadFault::PartialData => {
            let message = "Ready pods without samples, so the load is larger than the number";
            Missing::because(MissingReason::PartialData, message)
        }
        LoadFault::ClockSkew => skewed.unwrap_or_else(stale),
        _ => stale(),
    }
}

const fn fault_of(reason: MissingReason) -> LoadFault {
    match reason {
        MissingReason::PrometheusUnavailable
        | MissingReason::PrometheusTimeout
        | MissingReason::AnswerUndecodable
        | MissingReason::RefitFailed => LoadFault::Unavailable,
        MissingReason::QueryInvalid | MissingReason::QueryShapeInvalid => LoadFault::ShapeInvalid,
        MissingReason::NoData => LoadFault::NoData,
        MissingReason::PartialData => LoadFault::PartialData,
        MissingReason::NotANumber | MissingReason::OutOfRange => LoadFault::NotPlausible,
        MissingReason::Stale => LoadFault::Stale,
        MissingReason::NotSampledYet => LoadFault::Unasked,
        MissingReason::ClockSkew => LoadFault::ClockSkew,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_planner_misses_has_the_reason_of_the_condition() {
        for reason in [
            MissingReason::PrometheusUnavailable,
            MissingReason::PrometheusTimeout,
            MissingReason::AnswerUndecodable,
            MissingReason::QueryInvalid,
            MissingReason::QueryShapeInvalid,
            MissingReason::NoData,
            MissingReason::PartialData,
            MissingReason::NotANumber,
            MissingReason::OutOfRange,
            MissingReason::Stale,
            MissingReason::ClockSkew,
            MissingReason::NotSampledYet,
        ] {
            let planned = fault_of(reason).reason();
            assert_eq!(planned.as_str(), reason.reason().as_str(), "{reason:?}");
        }
    }
}
