//! Which load counts, of what the metrics store and the pods' own counters say.
//!
//! The store is the reference: only a fresh reading of it may lower anything. The pods' counters are
//! a second faster and may raise; while the store is silent, behind or incomplete, they are used
//! only where they ask for more than what runs (F01), so that a lost source never shrinks anything.

use floodgate_forecast::UnixMillis;

use super::store::StoreReading;
use crate::{
    input::Scaling,
    load::{Load, LoadFault, LoadLimits, LoadReading},
};

/// Rates of the pods older than this are history, milliseconds; rounds come each second.
const RATES_AGE_MAX_MS: i64 = 5_000;
/// What a rate of the store looks back, seconds; a pod Ready for longer must have samples.
pub const RATE_WINDOW_S: f64 = 60.0;

/// Offered rates by the pods' own counters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodRates {
    /// When the newest complete round was.
    pub at: UnixMillis,
    /// Largest rate of the last minute, requests/s.
    pub minute_max_rps: f64,
    /// Rate of the last seconds, requests/s.
    pub burst_rps: Option<f64>,
}

/// What each source says of the load.
#[derive(Clone, Copy, Debug)]
pub struct LoadSources<'a, F> {
    /// The metrics store; none until it was asked.
    pub store: Option<&'a StoreReading<F>>,
    /// Why the newest answer of the store holds no load, when it does not.
    pub failure: Option<LoadFault>,
    /// The pods.
    pub pods: Option<PodRates>,
    /// Pods that have been Ready for [`RATE_WINDOW_S`]; none where that is not known.
    pub settled_pods: Option<u32>,
}

/// The load and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadSeen {
    /// For the planner.
    pub load: Load,
    /// Why the store gives no load that may lower anything, when it does not.
    pub fault: Option<LoadFault>,
    /// The load to show, requests/s.
    pub rps: Option<f64>,
    /// Time of the newest valid reading of the store.
    pub fresh_at: Option<UnixMillis>,
}

impl<F> LoadSources<'_, F> {
    /// Judges the sources at `now`, `desired` being the replicas that run.
    pub fn judge(
        &self,
        now: UnixMillis,
        limits: LoadLimits,
        scaling: &Scaling,
        desired: Option<u32>,
    ) -> LoadSeen {
        let pods = self
            .pods
            .filter(|rates| now.0 - rates.at.0 <= RATES_AGE_MAX_MS);
        let burst_rps = pods.and_then(|rates| rates.burst_rps);
        let stored = self.store.and_then(StoreReading::minute_max);
        let fault = self.store_fault(stored, now, limits);
        let fresh_at = stored.map(|reading| reading.observed_at);
        let complete = stored.filter(|_| fault.is_none());
        if let Some(stored) = complete {
            let rate_rps_max = stored.rate_rps_max;
            let newest = self.store.and_then(|store| store.load.as_ref().ok());
            return LoadSeen {
                load: Load::Reading(LoadReading {
                    rate_rps_max: pods
                        .map_or(rate_rps_max, |own| own.minute_max_rps.max(rate_rps_max)),
                    burst_rps,
                    ..stored
                }),
                fault: None,
                rps: burst_rps.or(newest.map_or(Some(rate_rps_max), |load| Some(load.rps))),
                fresh_at,
            };
        }
        let own = pods.map(|rates| LoadReading {
            rate_rps_max: rates.minute_max_rps,
            burst_rps,
            observed_at: rates.at,
        });
        let is_fresh = |reading: &LoadReading| Load::Reading(*reading).judge(now, &limits).is_ok();
        let fault = fault.unwrap_or(LoadFault::Stale);
        LoadSeen {
            load: [own, stored.filter(is_fresh)]
                .into_iter()
                .flatten()
                .find(|reading| raises(reading, scaling, desired))
                .map_or(Load::Missing(fault), Load::Reading),
            fault: Some(fault),
            rps: burst_rps,
            fresh_at,
        }
    }

    /// Why the store gives no load that may lower anything.
    fn store_fault(
        &self,
        stored: Option<LoadReading>,
        now: UnixMillis,
        limits: LoadLimits,
    ) -> Option<LoadFault> {
        let Some(store) = self.store else {
            return Some(LoadFault::Unasked);
        };
        // A valid load of a moment ago replaces an answer that failed.
        let judged = stored.map(|reading| Load::Reading(reading).judge(now, &limits));
        match (judged, &store.load) {
            (Some(Ok(_)), Err(_)) => None,
            (Some(Ok(_)), Ok(newest)) => {
                let skewed = store.clock_skew_s(limits.skew_s).is_some();
                let unseen = newest.pods.zip(self.settled_pods);
                // Part of the load is missing, and missing is not zero.
                let partial = unseen.is_some_and(|(sampled, settled)| sampled < settled);
                let partial = partial.then_some(LoadFault::PartialData);
                skewed.then_some(LoadFault::ClockSkew).or(partial)
            }
            (_, Err(_)) => Some(self.failure.unwrap_or(LoadFault::Unavailable)),
            (Some(Err(fault)), Ok(_)) => Some(fault),
            (None, Ok(_)) => Some(LoadFault::Stale),
        }
    }
}

/// Whether a reading that may only raise asks for more than what runs.
fn raises(reading: &LoadReading, scaling: &Scaling, desired: Option<u32>) -> bool {
    let peak_rps = reading.burst_rps.unwrap_or(0.0).max(reading.rate_rps_max);
    let needed = scaling.replicas_for(peak_rps);
    needed
        .zip(desired)
        .is_some_and(|(needed, runs)| needed > runs)
}
