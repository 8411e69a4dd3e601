//! The load as the planner gets it, from what Prometheus and the pods say. Pure.
//!
//! Prometheus is the reference: only a fresh reading of it may lower anything.
//! The pods' own counters are a second faster and may raise; while Prometheus is silent they are
//! used only where they ask for more than what stands (F01), so that a lost source never shrinks.

use floodgate_planner::{Load, LoadFault, LoadLimits, LoadReading, Scaling};
use floodgate_prometheus::{Missing, MissingReason};
use jiff::Timestamp;

use crate::{clock::seconds_between, observe::Observed, snapshot::PrometheusReading};

/// Rates of the pods older than this are history, seconds; rounds come each second.
const RATES_AGE_MAX_S: f64 = 5.0;
/// What the rate of the shared query looks back, seconds; a pod Ready for longer must have samples.
const RATE_WINDOW_S: f64 = 60.0;

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
    let now = observed.now;
    let reading = observed.prometheus.as_deref();
    let newest = reading.and_then(PrometheusReading::minute_max);
    let staleness_s = f64::from(limits.staleness_s);
    let fresh = newest.filter(|(at, _)| seconds_between(*at, now) <= staleness_s);
    let rates = observed.rates.as_deref();
    let rates = rates.filter(|rates| seconds_between(rates.at, now) <= RATES_AGE_MAX_S);
    let fresh_at = newest.map(|(at, _)| at);
    let skewed = reading.and_then(|reading| reading.clock_skew(limits.skew_s));
    let unseen = skewed.or_else(|| pods_unseen(observed));
    if let Some((at, minute_max_rps)) = fresh.filter(|_| unseen.is_none()) {
        let load = LoadReading {
            rate_rps_max: rates
                .map_or(minute_max_rps, |own| own.minute_max_rps.max(minute_max_rps)),
            burst_rps: rates.and_then(|own| own.burst_rps),
            observed_at: at.into(),
        };
        let current = reading.and_then(|reading| Some(reading.load.as_ref().ok()?.rps));
        let rps = rates
            .and_then(|own| own.burst_rps)
            .or(current)
            .or(Some(minute_max_rps));
        return LoadSeen {
            load: Load::Reading(load),
            missing: None,
            rps,
            fresh_at,
        };
    }
    let missing = match reading.map(|reading| &reading.load) {
        Some(Ok(_)) if fresh.is_some() => unseen.unwrap_or_else(|| {
            Missing::because(MissingReason::Stale, "the newest sample is too old")
        }),
        None => Missing::because(MissingReason::NotSampledYet, "Prometheus was not asked yet"),
        Some(Err(missing)) => missing.clone(),
        Some(Ok(load)) => {
            let message = format!("the newest sample is {:.0} s old", load.age_s);
            Missing::because(MissingReason::Stale, message)
        }
    };
    let partial = fresh.map(|(at, minute_max_rps)| LoadReading {
        rate_rps_max: minute_max_rps,
        burst_rps: None,
        observed_at: at.into(),
    });
    let own = rates.map(|own| LoadReading {
        rate_rps_max: own.minute_max_rps,
        burst_rps: own.burst_rps,
        observed_at: own.at.into(),
    });
    let load = [own, partial]
        .into_iter()
        .flatten()
        .find(|reading| raises(reading, scaling, desired))
        .map_or(Load::Missing(fault_of(missing.reason)), Load::Reading);
    let rps = rates.and_then(|own| own.burst_rps);
    LoadSeen {
        load,
        missing: Some(missing),
        rps,
        fresh_at,
    }
}

/// Why the number of Prometheus is too small: fewer pods have samples than are Ready for longer than
/// the rate looks back, so that part of the load is missing, and missing is not zero.
fn pods_unseen(observed: &Observed) -> Option<Missing> {
    let sampled = observed.prometheus.as_ref()?.load.as_ref().ok()?.pods?;
    let settled = observed
        .pods
        .as_ref()?
        .ready_for(RATE_WINDOW_S, observed.now);
    (sampled < settled).then(|| {
        let message = "Ready pods without samples, so the load is larger than the number";
        Missing::because(MissingReason::PartialData, message)
    })
}

/// Whether a reading that may only raise asks for more than what stands.
fn raises(reading: &LoadReading, scaling: &Scaling, desired: Option<u32>) -> bool {
    let peak_rps = reading.burst_rps.unwrap_or(0.0).max(reading.rate_rps_max);
    let needed = scaling.replicas_for(peak_rps);
    needed
        .zip(desired)
        .is_some_and(|(needed, stands)| needed > stands)
}

const fn fault_of(reason: MissingReason) -> LoadFault {
    match reason {
        MissingReason::PrometheusUnavailable
        | MissingReason::PrometheusTimeout
        | MissingReason::AnswerUndecodable
        | MissingReason::RefitFailed => LoadFault::Unavailable,
        MissingReason::QueryInvalid | MissingReason::QueryShapeInvalid => LoadFault::ShapeInvalid,
        MissingReason::NoData | MissingReason::PartialData => LoadFault::NoData,
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
