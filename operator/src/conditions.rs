//! The conditions of a cluster, from what was observed, planned and applied. Pure.
//!
//! Each condition has one function; `Ready` is made of the others and of nothing else.
//! Messages hold no number that changes by itself, or every pass would write the status.

use floodgate_words::{ConditionType, Level, Reason, condition::LAST_VALID_HOLDS};
use k8s_openapi::api::apps::v1::Deployment;

use crate::{
    build::{Applied, Resources},
    observe::Observed,
    plan::Planned,
    validate::{ValidateError, ValidatedCluster},
};

mod capacity;
pub mod merge;
mod paused;
mod plan_met;
mod signals;
mod verdict;

use capacity::capacity_sufficient;
use paused::paused;
use plan_met::plan_met;
use signals::{forecast_trusted, history_masked, signals_fresh};
pub use verdict::{Standing, Truth, Verdict};

/// Conditions `Ready` is the sum of, in the order in which they are reported.
const SUMMED: [ConditionType; 7] = [
    ConditionType::Accepted,
    ConditionType::WorkloadAvailable,
    ConditionType::SignalsFresh,
    ConditionType::ForecastTrusted,
    ConditionType::CapacitySufficient,
    ConditionType::PlanMet,
    ConditionType::Prepared,
];

/// All conditions of a cluster that was planned and applied.
pub fn of(
    observed: &Observed,
    cluster: &ValidatedCluster,
    planned: &Planned,
    applied: &Resources<Applied>,
    standing: &Standing,
    accepted: Verdict,
) -> Vec<Verdict> {
    let mut verdicts = vec![
        accepted,
        workload_available(observed, cluster, &applied.deployment),
        signals_fresh(planned),
        forecast_trusted(observed, planned),
        capacity_sufficient(observed, cluster, planned),
        plan_met(cluster, planned, standing),
        degraded(observed, planned),
        overridden(planned),
        scale_conflict(standing),
        history_masked(planned),
        paused(planned),
    ];
    verdicts.insert(0, ready(&verdicts));
    verdicts
}

/// The spec is valid.
pub fn accepted() -> Verdict {
    let kind = ConditionType::Accepted;
    Verdict::new(kind, true, Reason::Accepted, "the spec is valid")
}

/// The spec is not valid, and the last one that was still holds.
pub fn not_accepted(error: &ValidateError) -> Verdict {
    let message = format!("{error}; {LAST_VALID_HOLDS}");
    Verdict::new(ConditionType::Accepted, false, error.reason(), message)
}

/// Conditions of a cluster that cannot be acted on.
pub fn of_refused(reason: Reason, message: &str) -> Vec<Verdict> {
    let accepted = Verdict::new(ConditionType::Accepted, false, reason, message);
    vec![
        Verdict {
            kind: ConditionType::Ready,
            ..accepted.clone()
        },
        accepted,
    ]
}

/// False with reason and message of the first summed condition that is False, True otherwise.
pub fn ready(verdicts: &[Verdict]) -> Verdict {
    let summed = SUMMED
        .iter()
        .filter_map(|kind| verdicts.iter().find(|one| one.kind == *kind));
    match summed
        .clone()
        .find(|verdict| verdict.status == Truth::False)
    {
        Some(wrong) => Verdict {
            kind: ConditionType::Ready,
            ..wrong.clone()
        },
        None => Verdict::new(
            ConditionType::Ready,
            true,
            Reason::PlanMet,
            "all conditions hold",
        ),
    }
}

fn workload_available(
    observed: &Observed,
    cluster: &ValidatedCluster,
    deployment: &Deployment,
) -> Verdict {
    let kind = ConditionType::WorkloadAvailable;
    let status = deployment.status.as_ref();
    let condition = |name: &str, value: &str| {
        let conditions = status?.conditions.as_ref()?;
        conditions
            .iter()
            .find(|one| one.type_.as_deref() == Some(name) && one.status.as_deref() == Some(value))
    };
    if let Some(failure) = condition("ReplicaFailure", "True") {
        let message = failure.message.clone().unwrap_or_default();
        let message: String = message.chars().take(256).collect();
        return Verdict::new(kind, false, Reason::QuotaExceeded, message);
    }
    if let Some(stuck) = condition("Progressing", "False") {
        let message = stuck.message.clone().unwrap_or_default();
        return Verdict::new(kind, false, Reason::RolloutStuck, message);
    }
    let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
    let ready = u32::try_from(ready).unwrap_or(0);
    let least = cluster.scaling.replicas_min;
    if ready >= least {
        let message = format!("at least {least} pods are Ready");
        return Verdict::new(kind, true, Reason::PodsReady, message);
    }
    if observed
        .pods
        .as_ref()
        .is_some_and(|pods| pods.unschedulable() > 0)
    {
        let message = "pods cannot be scheduled: the nodes lack room for their requests";
        return Verdict::new(kind, false, Reason::PodsUnschedulable, message);
    }
    let message = format!("fewer than {least} pods are Ready");
    Verdict::new(kind, false, Reason::PodsNotReady, message)
}

/// Level in force: the highest of what is imposed and what pods took by themselves.
pub fn level_in_force(observed: &Observed, planned: &Planned) -> Level {
    let own = observed
        .pods
        .as_ref()
        .map_or(Level::Normal, |pods| pods.level_max());
    match &planned.policy {
        Some(policy) => policy.pin.unwrap_or(policy.floor).max(own),
        None => own,
    }
}

fn degraded(observed: &Observed, planned: &Planned) -> Verdict {
    let kind = ConditionType::Degraded;
    let level = level_in_force(observed, planned);
    let imposed = planned
        .policy
        .as_ref()
        .map_or(Level::Normal, |policy| policy.pin.unwrap_or(policy.floor));
    if level == Level::Normal {
        return Verdict::new(kind, false, Reason::Normal, "everything is on");
    }
    let words = &planned.overrides.overrides;
    let reason = if imposed < level {
        Reason::PodsDegraded
    } else if words.degrade_pin.is_some() || words.degrade_floor.is_some() {
        Reason::OverrideActive
    } else {
        planned.decision.level.reason
    };
    let message = format!("level {level} is in force, {imposed} is imposed");
    Verdict::new(kind, true, reason, message)
}

fn overridden(planned: &Planned) -> Verdict {
    let kind = ConditionType::Overridden;
    let active = &planned.overrides.active;
    if let Some(first) = active.first() {
        let names: Vec<String> = active
            .iter()
            .map(|one| format!("{}={}", one.name, one.value))
            .collect();
        let message = format!(
            "{} until {}: {}",
            names.join(", "),
            first.until.0,
            first.reason
        );
        // What contradicts or spoils them is said beside them (B26, B28).
        let remarks = &planned.overrides.remarks;
        let conflict = remarks
            .iter()
            .find(|one| one.reason == Reason::OverrideConflict);
        let reason = conflict.map_or(Reason::OverrideActive, |one| one.reason);
        let message = match conflict.or(planned.overrides.refused().next()) {
            Some(remark) => format!("{message}; {}", remark.message),
            None => message,
        };
        return Verdict::new(kind, true, reason, message);
    }
    match planned.overrides.refused().next() {
        Some(refused) => Verdict::new(kind, false, refused.reason, refused.message.clone()),
        None => Verdict::new(kind, false, Reason::NoOverride, "nobody overrides"),
    }
}

fn scale_conflict(standing: &Standing) -> Verdict {
    let kind = ConditionType::ScaleConflict;
    match &standing.foreign_writer {
        Some((reason, message)) => Verdict::new(kind, true, *reason, message.clone()),
        None => Verdict::new(kind, false, Reason::SoleWriter, "nobody else scales"),
    }
}

#[cfg(test)]
mod tests;
