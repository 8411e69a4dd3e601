//! The plan of a phase, as its status publishes it. Pure.

use floodgate_api::sale::status::{SalePhaseStatus, SalePlanStep};
use floodgate_planner::{PhasePlan, SalePhase, Scaling, UnixMillis};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{conditions::merge::whole_second, status::rounded};

/// The plan of a phase: the published one once its pre-scale has begun, the newest before that.
pub(super) fn planned(
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

#[cfg(test)]
mod tests;
