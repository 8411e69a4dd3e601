//! The status of a sale: plan, what stood at T0, and the report. Pure.

use std::sync::Arc;

use floodgate_api::sale::status::{
    SaleClusterStatus, SaleEventStatus, SalePhaseStatus, SalePlanStep, SaleReport,
};
use floodgate_planner::{Baseline, PhasePlan, SalePhase, Scaling, UnixMillis, sale_plan};
use floodgate_settings::ValidSale;
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::ledger::Tally;
use crate::{
    conditions::{Truth, Verdict, merge::whole_second, ready},
    snapshot::{PlanningFacts, PodsSeen},
};

/// What stood at T0 is noted within this many seconds of it, or not at all.
const T0_NOTED_WITHIN_S: i64 = 15;

/// A cluster the sale hits, and what its own passes left.
#[derive(Clone, Debug)]
pub(super) struct ClusterSeen {
    pub(super) name: String,
    pub(super) planning: Option<Arc<PlanningFacts>>,
    pub(super) pods: Option<Arc<PodsSeen>>,
}

/// How far a sale has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Scheduled,
    Prescaling,
    Running,
    Completed,
}

/// The status after this pass, without its conditions.
pub(super) fn status(
    before: &SaleEventStatus,
    generation: Option<i64>,
    valid: &ValidSale,
    seen: &[ClusterSeen],
    tally: impl Fn(&str, &SalePhase) -> Option<Tally>,
    now: Timestamp,
) -> SaleEventStatus {
    let clusters: Vec<SaleClusterStatus> = seen
        .iter()
        .map(|cluster| {
            let old = before.clusters.iter().find(|old| old.name == cluster.name);
            cluster_status(old, valid, cluster, &tally, now)
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
    tally: &impl Fn(&str, &SalePhase) -> Option<Tally>,
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
            status.report = tally(&seen.name, phase).map(|tally| report(&status, &tally, phase));
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

/// The plan of a phase: the published one once its pre-scale has begun, the newest before that.
fn planned(
    old: Option<&SalePhaseStatus>,
    phase: &SalePhase,
    plan: Option<&PhasePlan>,
    scaling: Option<&Scaling>,
    now: Timestamp,
) -> Option<SalePhaseStatus> {
    let t0 = phase.t0.timestamp()?;
    let same = old.filter(|old| old.t0.0 == whole_second(t0));
    if let Some(frozen) = same.filter(|old| old.prescale_start.0 <= now) {
        return Some(with_uplift(frozen, phase, scaling));
    }
    let same = same.filter(|old| u32::try_from(old.uplift_percent) == Ok(phase.uplift_percent));
    let plan = plan.and_then(|plan| Some((plan, plan.replicas?, plan.prescale_at.timestamp()?)));
    let Some((plan, replicas, prescale_at)) = plan else {
        return same.cloned();
    };
    let minute = |from: UnixMillis| from.seconds_since(phase.t0) / 60;
    let later = plan.later.iter().map(|step| SalePlanStep {
        from_minute: i32::try_from(minute(step.from)).unwrap_or(i32::MAX),
        planned_rps: rounded(step.expected_rps),
        planned_replicas: i32::try_from(step.replicas).unwrap_or(i32::MAX),
    });
    let later: Vec<SalePlanStep> = later.collect();
    Some(SalePhaseStatus {
        name: phase.name.clone(),
        t0: Time(whole_second(t0)),
        end: phase.until.timestamp().map(|end| Time(whole_second(end))),
        uplift_percent: i32::try_from(phase.uplift_percent).unwrap_or(i32::MAX),
        planned_rps: rounded(plan.expected_rps.unwrap_or(0.0)),
        planned_replicas: i32::try_from(replicas).unwrap_or(i32::MAX),
        prescale_start: Time(whole_second(prescale_at)),
        pod_hours: Some(pod_hours(replicas, &later, plan.prescale_at, phase)),
        later,
        ready_at_t0: None,
        warm_at_t0: None,
        report: None,
    })
}

/// A frozen plan under another uplift: its baseline stays, for by now the load may be the sale's own.
fn with_uplift(
    frozen: &SalePhaseStatus,
    phase: &SalePhase,
    scaling: Option<&Scaling>,
) -> SalePhaseStatus {
    let uplift_percent = i32::try_from(phase.uplift_percent).unwrap_or(i32::MAX);
    let factor = f64::from(uplift_percent) / f64::from(frozen.uplift_percent.max(1));
    let scaled = |planned_rps: i32| {
        let scaling = scaling?;
        let expected_rps = f64::from(planned_rps) * factor;
        let needed = scaling.replicas_for(expected_rps)?;
        let most = scaling.replicas_max.max(scaling.replicas_min);
        Some((
            rounded(expected_rps),
            needed.clamp(scaling.replicas_min, most),
        ))
    };
    let step = |step: &SalePlanStep| {
        let (planned_rps, replicas) = scaled(step.planned_rps)?;
        Some(SalePlanStep {
            planned_rps,
            planned_replicas: i32::try_from(replicas).unwrap_or(i32::MAX),
            ..*step
        })
    };
    let later: Option<Vec<SalePlanStep>> = frozen.later.iter().map(step).collect();
    match scaled(frozen.planned_rps).zip(later) {
        Some(((planned_rps, replicas), later)) if uplift_percent != frozen.uplift_percent => {
            let from = frozen.prescale_start.0.into();
            SalePhaseStatus {
                uplift_percent,
                planned_rps,
                planned_replicas: i32::try_from(replicas).unwrap_or(i32::MAX),
                pod_hours: Some(pod_hours(replicas, &later, from, phase)),
                later,
                ..frozen.clone()
            }
        }
        _ => frozen.clone(),
    }
}

/// Cost of `replicas`, and of those planned later, from the pre-scale to the end of the phase, rounded
/// up.
fn pod_hours(replicas: u32, later: &[SalePlanStep], from: UnixMillis, phase: &SalePhase) -> i32 {
    let steps = later.iter().map(|step| {
        let begin = phase.t0.plus_s(i64::from(step.from_minute) * 60);
        (begin, f64::from(step.planned_replicas))
    });
    let mut before = (from, f64::from(replicas));
    let mut seconds = 0.0;
    for (begin, replicas) in steps.chain([(phase.until, 0.0)]) {
        seconds += before.1 * begin.seconds_since(before.0).max(0) as f64;
        before = (begin, replicas);
    }
    rounded((seconds / 3_600.0 - 1e-9).ceil())
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
fn report(status: &SalePhaseStatus, tally: &Tally, phase: &SalePhase) -> SaleReport {
    let whole = tally.saw_from(phase.t0);
    let uplift = f64::from(status.uplift_percent.max(1)) / 100.0;
    // The next sale multiplies its busiest moment, too.
    let (_, planned_rps) = status.planned_most_from(status.t0.0);
    let baseline_rps = f64::from(planned_rps) / uplift;
    let learned = if whole && baseline_rps > 0.0 {
        tally.peak_rps / baseline_rps * 100.0
    } else {
        0.0
    };
    SaleReport {
        peak_rps: rounded(tally.peak_rps),
        baseline_rps: rounded(baseline_rps),
        learned_uplift_percent: rounded(learned.min(100_000.0)),
        replicas_max: i32::try_from(tally.replicas_max).unwrap_or(i32::MAX),
        degraded_seconds: rounded(tally.degraded_s),
        profile: if whole {
            tally.profile.lifts(phase, baseline_rps)
        } else {
            Vec::new()
        },
    }
}

/// The running phase, or the next one.
pub(super) fn current_phase<'a>(
    cluster: &'a SaleClusterStatus,
    valid: &ValidSale,
    now: Timestamp,
) -> Option<&'a SalePhaseStatus> {
    let left = valid
        .sale
        .phases
        .iter()
        .filter(|phase| phase.until > UnixMillis::from(now));
    let name = &left.min_by_key(|phase| phase.t0)?.name;
    cluster.phases.iter().find(|phase| phase.name == *name)
}

/// Whether every phase is over.
pub(super) fn is_over(valid: &ValidSale, now: Timestamp) -> bool {
    let now = UnixMillis::from(now);
    valid.sale.phases.iter().all(|phase| phase.until <= now)
}

/// How far the sale has come.
pub(super) fn stage(status: &SaleEventStatus, valid: &ValidSale, now: Timestamp) -> Stage {
    let instant = UnixMillis::from(now);
    if is_over(valid, now) {
        return Stage::Completed;
    }
    if valid
        .sale
        .phases
        .iter()
        .any(|phase| phase.t0 <= instant && instant < phase.until)
    {
        return Stage::Running;
    }
    let mut current = status
        .clusters
        .iter()
        .filter_map(|one| current_phase(one, valid, now));
    if current.any(|phase| phase.prescale_start.0 <= now) {
        return Stage::Prescaling;
    }
    Stage::Scheduled
}

/// The sale is valid; with what was taken for local times that are no single instant (B15).
pub(super) fn accepted(valid: &ValidSale) -> Verdict {
    let mut message = "the sale is valid and its clusters exist".to_owned();
    for remark in &valid.remarks {
        message.push_str("; ");
        message.push_str(remark);
    }
    Verdict::new(ConditionType::Accepted, true, Reason::Accepted, message)
}

/// The conditions of the sale.
pub(super) fn verdicts(
    status: &SaleEventStatus,
    valid: &ValidSale,
    (accepted, prepared): (Verdict, Verdict),
    now: Timestamp,
) -> Vec<Verdict> {
    let stage = stage(status, valid, now);
    let plan_met = plan_met(status, valid, stage, now);
    let verdicts = [accepted, plan_met, prepared];
    let summed = ready(&verdicts);
    let reason = match stage {
        Stage::Scheduled => Reason::Scheduled,
        Stage::Prescaling => Reason::Prescaling,
        Stage::Running => Reason::Running,
        Stage::Completed => Reason::Completed,
    };
    let summed = match summed.status {
        Truth::True => Verdict {
            reason,
            message: "the plan stands".to_owned(),
            ..summed
        },
        Truth::False | Truth::Unknown => summed,
    };
    let [accepted, plan_met, prepared] = verdicts;
    vec![summed, accepted, plan_met, prepared]
}

fn plan_met(status: &SaleEventStatus, valid: &ValidSale, stage: Stage, now: Timestamp) -> Verdict {
    let kind = ConditionType::PlanMet;
    let verdict = |truth: Truth, reason, message: &str| Verdict::new(kind, truth, reason, message);
    let unplanned = |cluster: &SaleClusterStatus| {
        stage != Stage::Completed && current_phase(cluster, valid, now).is_none()
    };
    if status.clusters.iter().any(unplanned) {
        let message = "no forecast and no load to plan from yet";
        return verdict(Truth::Unknown, Reason::NoSignals, message);
    }
    let instant = UnixMillis::from(now);
    // Each phase by itself: while one runs the pre-scale of the next may be under way.
    let short = |runs: bool| {
        status.clusters.iter().any(|cluster| {
            let mut open = valid.sale.phases.iter();
            open.any(|phase| {
                let planned = cluster.phases.iter().find(|one| one.name == phase.name);
                phase.until > instant
                    && (phase.t0 <= instant) == runs
                    && planned.is_some_and(|planned| {
                        planned.prescale_start.0 <= now
                            && cluster.warm < planned.planned_replicas_at(now)
                    })
            })
        })
    };
    match stage {
        Stage::Scheduled => verdict(Truth::True, Reason::Scheduled, "the pre-scale lies ahead"),
        Stage::Completed => verdict(Truth::True, Reason::Completed, "every phase is over"),
        Stage::Prescaling | Stage::Running if short(true) => verdict(
            Truth::False,
            Reason::PlanLate,
            "a phase runs with fewer warm pods than planned",
        ),
        Stage::Prescaling | Stage::Running if short(false) => verdict(
            Truth::True,
            Reason::WarmingUp,
            "pods of the plan are starting",
        ),
        Stage::Prescaling | Stage::Running => verdict(
            Truth::True,
            Reason::PlanMet,
            "the planned pods are Ready and warm",
        ),
    }
}

fn rounded(value: f64) -> i32 {
    value.round().clamp(0.0, f64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests;
