//! The status of a sale: its plan, the pods at T0, and the report. Pure.

use floodgate_api::sale::status::{
    SaleClusterStatus, SaleEventStatus, SalePhaseStatus, SaleReport,
};
use floodgate_planner::{Baseline, SalePhase, UnixMillis, sale_plan};
use floodgate_settings::ValidSale;
use jiff::Timestamp;

use super::{plan::planned, records::PhaseRecord, seen::ClusterSeen, stage::current_phase};
use crate::status::rounded;

/// The pods at T0 are noted within this many seconds of it, or not at all.
const T0_NOTED_WITHIN_S: i64 = 15;

/// The status after this pass, without its conditions.
pub(super) fn status(
    before: &SaleEventStatus,
    generation: Option<i64>,
    valid: &ValidSale,
    seen: &[ClusterSeen],
    record: impl Fn(&str, &SalePhase) -> Option<PhaseRecord>,
    now: Timestamp,
) -> SaleEventStatus {
    let clusters: Vec<SaleClusterStatus> = seen
        .iter()
        .map(|cluster| {
            let old = before.clusters.iter().find(|old| old.name == cluster.name);
            cluster_status(old, valid, cluster, &record, now)
        })
        .collect();
    let current = |cluster: &SaleClusterStatus| {
        current_phase(cluster, valid, now).map(|phase| phase.planned_replicas_at(now))
    };
    let learned = clusters
        .iter()
        .flat_map(|cluster| &cluster.phases)
        .filter_map(|phase| phase.report.as_ref())
        .map(|report| report.learned_uplift_percent)
        .max();
    let pod_hours = clusters
        .iter()
        .flat_map(|cluster| &cluster.phases)
        .filter_map(|phase| phase.pod_hours)
        .reduce(i32::saturating_add);
    SaleEventStatus {
        observed_generation: generation,
        conditions: Vec::new(),
        planned_pod_hours: pod_hours,
        planned_replicas: clusters
            .iter()
            .filter_map(current)
            .reduce(i32::saturating_add),
        warm_replicas: Some(clusters.iter().map(|cluster| cluster.warm).sum()),
        learned_uplift_percent: learned.filter(|percent| *percent > 0),
        clusters,
    }
}

fn cluster_status(
    old: Option<&SaleClusterStatus>,
    valid: &ValidSale,
    seen: &ClusterSeen,
    record: &impl Fn(&str, &SalePhase) -> Option<PhaseRecord>,
    now: Timestamp,
) -> SaleClusterStatus {
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let (ready, warm) = match &seen.pods {
        Some(pods) => (count(pods.ready()), count(pods.warm())),
        None => old.map_or((0, 0), |old| (old.ready, old.warm)),
    };
    let plans = seen.planning.as_ref().map(|facts| {
        let baseline = Baseline {
            path: facts.path.as_deref(),
            measured_rps: facts.baseline_rps,
            observed_peak_rps: facts.observed_peak_rps,
        };
        let sale = valid.sale.clone();
        let sale = sale.with_usual_confidence(facts.quantile_percent);
        sale_plan(&sale, baseline, &facts.scaling, &facts.lead_time).phases
    });
    let phases = valid.sale.phases.iter().filter_map(|phase| {
        let old = old.and_then(|old| old.phases.iter().find(|one| one.name == phase.name));
        let plan = plans
            .as_ref()
            .and_then(|all| all.iter().find(|one| one.name == phase.name));
        let scaling = seen.planning.as_ref().map(|facts| &facts.scaling);
        let mut status = planned(old, phase, plan, scaling, now)?;
        note_t0(
            &mut status,
            phase,
            seen.pods.is_some().then_some((ready, warm)),
            now,
        );
        if status.report.is_none() && phase.until <= UnixMillis::from(now) {
            status.report = record(&seen.name, phase).map(|record| report(&status, &record, phase));
        }
        Some(status)
    });
    SaleClusterStatus {
        name: seen.name.clone(),
        ready,
        warm,
        phases: phases.collect(),
    }
}

/// Notes Ready and warm pods at T0, once.
fn note_t0(
    status: &mut SalePhaseStatus,
    phase: &SalePhase,
    pods: Option<(i32, i32)>,
    now: Timestamp,
) {
    let since_t0_s = UnixMillis::from(now).seconds_since(phase.t0);
    let at_t0 = phase.t0 <= UnixMillis::from(now) && since_t0_s < T0_NOTED_WITHIN_S;
    if let Some((ready, warm)) = pods.filter(|_| at_t0 && status.ready_at_t0.is_none()) {
        status.ready_at_t0 = Some(ready);
        status.warm_at_t0 = Some(warm);
    }
}

/// What came of a phase. Nothing is learned from one whose beginning this process did not see: its
/// peak may have come before.
fn report(status: &SalePhaseStatus, record: &PhaseRecord, phase: &SalePhase) -> SaleReport {
    let whole = record.saw_from(phase.t0);
    let uplift = f64::from(status.uplift_percent.max(1)) / 100.0;
    // The next sale multiplies its busiest moment, too.
    let (_, planned_rps) = status.planned_most_from(status.t0.0);
    let baseline_rps = f64::from(planned_rps) / uplift;
    let learned = if whole && baseline_rps > 0.0 {
        record.peak_rps / baseline_rps * 100.0
    } else {
        0.0
    };
    SaleReport {
        peak_rps: rounded(record.peak_rps),
        baseline_rps: rounded(baseline_rps),
        learned_uplift_percent: rounded(learned.min(100_000.0)),
        replicas_max: i32::try_from(record.replicas_max).unwrap_or(i32::MAX),
        degraded_seconds: rounded(record.degraded_s),
        profile: if whole {
            record.profile.lifts(phase, baseline_rps)
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests;
