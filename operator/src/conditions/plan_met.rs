//! Whether the pods that were ordered are there, Ready and warm. Pure.

use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_words::{ConditionType, Reason};

use super::verdict::{Standing, Verdict};
use crate::{plan::Planned, validate::ValidatedCluster};

pub(super) fn plan_met(
    cluster: &ValidatedCluster,
    planned: &Planned,
    standing: &Standing,
) -> Verdict {
    let kind = ConditionType::PlanMet;
    if let Some((reason, message)) = &standing.foreign_writer
        && *reason == Reason::AutoscalerTargets
    {
        return Verdict::new(kind, false, *reason, message.clone());
    }
    let wanted = planned.replicas;
    let (planned_for, met, warming) = match cluster.mode {
        ScalingMode::Enforce => (
            format!("{wanted} pods are planned"),
            Reason::PlanMet,
            Reason::WarmingUp,
        ),
        // What is only recommended nobody waits for; what somebody asked for, one may.
        ScalingMode::Recommend => (
            format!(
                "{} pods are recommended, {wanted} are asked for",
                planned.decision.replicas
            ),
            Reason::RecommendOnly,
            Reason::RecommendOnly,
        ),
    };
    let lead_s = planned.lead_time.total_s() as f64;
    let (holds, reason, rest) = match standing.short_for_s {
        None => (true, met, ", Ready and warm"),
        Some(short_for_s) if short_for_s <= lead_s => {
            (true, warming, "; the missing ones are in time")
        }
        Some(_) => {
            let late = "; some are not warm within the lead time";
            (false, Reason::PlanLate, late)
        }
    };
    Verdict::new(kind, holds, reason, planned_for + rest)
}

#[cfg(test)]
mod tests;
