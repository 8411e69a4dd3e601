//! What was measured of the pods, within the bounds of the spec: capacity, lead time, health. Pure.

use floodgate_api::cluster::status::CapacitySource;
use floodgate_planner::{LeadTime, PodHealth, Scaling};
use floodgate_settings::LEAD_UNMEASURED_S;
use floodgate_words::Level;

use crate::{observe::Observed, validate::ValidatedCluster};

/// Seconds between two decisions, at most.
const INTERVAL_S: u32 = 2;

/// The scaling to plan with, and the measurements its capacity was learned from.
///
/// A capacity that an earlier process learned holds until this one has learned its own, or a
/// restart would change how many pods a load needs (S4).
pub(super) fn capacity(observed: &Observed, cluster: &ValidatedCluster) -> (Scaling, Option<u32>) {
    let pods = observed.pods.as_ref();
    let learned = pods
        .and_then(|pods| pods.measured.capacity)
        .map(|learned| (learned.capacity_rps, learned.samples));
    let status = observed.cluster.status.as_ref();
    let recalled = status
        .and_then(|status| status.capacity)
        .filter(|capacity| capacity.source == CapacitySource::Learned)
        .map(|capacity| {
            let samples = capacity.samples.and_then(|samples| samples.try_into().ok());
            (f64::from(capacity.rps), samples.unwrap_or(0))
        });
    let bounds = &cluster.capacity_rps_learned;
    match learned
        .or(recalled)
        .filter(|_| bounds.start() < bounds.end())
    {
        Some((rps, samples)) => {
            let scaling = Scaling {
                capacity_rps: rps.clamp(*bounds.start(), *bounds.end()),
                ..cluster.scaling.clone()
            };
            (scaling, Some(samples))
        }
        None => (cluster.scaling.clone(), None),
    }
}

/// What the pods say; in mode Manual their levels impose nothing.
pub(super) fn health(observed: &Observed, cluster: &ValidatedCluster) -> PodHealth {
    let health = observed.pods.as_ref().map(|pods| pods.health());
    let health = health.unwrap_or_default();
    match cluster.degradation {
        Some(_) => health,
        None => PodHealth {
            own_levels: [0; Level::ALL.len()],
            ..health
        },
    }
}

/// Measured lead time within its bounds. Pods are Ready only when warm, so all of it is in the
/// first part; the warm-up alone is shown in the status only.
pub(super) fn lead_time(observed: &Observed, cluster: &ValidatedCluster) -> LeadTime {
    let pods = observed.pods.as_ref();
    let starts = pods.and_then(|pods| pods.measured.starts);
    // What an earlier process measured holds until this one has.
    let status = observed.cluster.status.as_ref();
    let recalled = status
        .and_then(|status| status.lead_time)
        .filter(|lead_time| lead_time.samples > 0)
        .map(|lead_time| f64::from(lead_time.ready_seconds));
    let unmeasured_s = f64::from(LEAD_UNMEASURED_S - INTERVAL_S);
    let measured_s = starts
        .map(|starts| starts.ready_p99_s)
        .or(recalled)
        .unwrap_or(unmeasured_s);
    let bounds = &cluster.prewarm.lead_s;
    let total_s = (measured_s.ceil() as u32).saturating_add(INTERVAL_S);
    let total_s = total_s.clamp(*bounds.start(), *bounds.end());
    LeadTime {
        ready_p99_s: total_s.saturating_sub(INTERVAL_S),
        warm_p99_s: 0,
        interval_s: INTERVAL_S.min(total_s),
        margin_s: cluster.forecast.margin_s,
    }
}
