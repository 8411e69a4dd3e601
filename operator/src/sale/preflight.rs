//! Whether anything keeps a sale's plan from coming true: asked from 24 hours before T0, so that a
//! person still has a day to raise a bound, a quota or the number of nodes. Each phase is judged by
//! itself: one that runs says nothing about the next. Pure.

use floodgate_api::cluster::scaling::NodeSupply;
use floodgate_planner::{SalePhase, UnixMillis};
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;

use super::{lateness::lateness, seen::ClusterSeen};
use crate::{
    conditions::{Truth, Verdict},
    nodes::NodeRoom,
    snapshot::PlanningFacts,
};
use floodgate_api::sale::status::{SaleClusterStatus, SaleEventStatus};
use floodgate_settings::ValidSale;

/// Seconds before T0 from which the plan is checked.
const PREFLIGHT_S: i64 = 86_400;

/// Whether some phase is near enough for its plan to be checked, and not over.
pub(super) fn is_due(valid: &ValidSale, now: Timestamp) -> bool {
    let now = UnixMillis::from(now);
    let near = |t0: UnixMillis| t0.seconds_since(now) <= PREFLIGHT_S;
    let mut phases = valid.sale.phases.iter();
    phases.any(|phase| phase.until > now && near(phase.t0))
}

/// The condition `Prepared` of a sale.
pub(super) fn prepared(
    status: &SaleEventStatus,
    valid: &ValidSale,
    seen: &[ClusterSeen],
    nodes: Option<&NodeRoom>,
    now: Timestamp,
) -> Verdict {
    let kind = ConditionType::Prepared;
    let instant = UnixMillis::from(now);
    let left = valid.sale.phases.iter().filter(|one| one.until > instant);
    let Some(next) = left.map(|phase| phase.t0).min() else {
        return Verdict::new(kind, true, Reason::Completed, "every phase is over");
    };
    if next.seconds_since(instant) > PREFLIGHT_S {
        let message = "the plan is checked against bounds, quota and nodes from 24 hours before T0";
        return Verdict::new(kind, Truth::Unknown, Reason::PreflightAhead, message);
    }
    let mut room = nodes.cloned();
    for cluster in &status.clusters {
        let seen = seen.iter().find(|one| one.name == cluster.name);
        match judged(cluster, valid, seen, room.as_mut(), now) {
            Ok(()) => {}
            Err((truth, reason, message)) => {
                let message = format!("{}: {message}", cluster.name);
                return Verdict::new(kind, truth, reason, message);
            }
        }
    }
    let checked = if nodes.is_some() {
        "bounds, quota, nodes and overrides admit the plan"
    } else {
        "bounds, quota and overrides admit the plan; the nodes cannot be read"
    };
    Verdict::new(kind, true, Reason::Prepared, checked)
}

/// Whether a cluster can have the plan of every phase that is near or runs, the next one first.
fn judged(
    cluster: &SaleClusterStatus,
    valid: &ValidSale,
    seen: Option<&ClusterSeen>,
    room: Option<&mut NodeRoom>,
    now: Timestamp,
) -> Result<(), (Truth, Reason, String)> {
    let instant = UnixMillis::from(now);
    let unplanned = || {
        let message = "no plan yet".to_owned();
        (Truth::Unknown, Reason::NoSignals, message)
    };
    let (seen, facts) = seen
        .and_then(|seen| Some((seen, seen.planning.as_deref()?)))
        .ok_or_else(unplanned)?;
    let due = |phase: &&SalePhase| {
        phase.until > instant && phase.t0.seconds_since(instant) <= PREFLIGHT_S
    };
    let mut due: Vec<_> = valid.sale.phases.iter().filter(due).collect();
    due.sort_by_key(|phase| phase.t0);
    // Phases use the same pods one after the other: what the largest plan takes is what is taken.
    let (whole, mut most) = (room.as_deref().cloned(), 0);
    let mut left = room;
    for phase in due {
        let planned = cluster.phases.iter().find(|one| one.name == phase.name);
        let planned = planned.ok_or_else(unplanned)?;
        let mut here = whole.clone();
        let pods = planned.planned_most_from(now);
        let found = obstacle(pods, facts, here.as_mut())
            .or_else(|| lateness(planned, cluster, seen, facts, now));
        if let Some((reason, message)) = found {
            let message = format!("phase {}: {message}", phase.name);
            return Err((Truth::False, reason, message));
        }
        if pods.0 > most
            && let Some((left, here)) = left.as_deref_mut().zip(here)
        {
            (*left, most) = (here, pods.0);
        }
    }
    Ok(())
}

/// What keeps a cluster from reaching its plan: replicas, and the load they are for, requests/s.
fn obstacle(
    (planned, planned_rps): (i32, i32),
    facts: &PlanningFacts,
    room: Option<&mut NodeRoom>,
) -> Option<(Reason, String)> {
    let planned = u32::try_from(planned).unwrap_or(0);
    let needed = facts.scaling.replicas_for(f64::from(planned_rps));
    let limits = &facts.limits;
    if limits.recommend {
        let message = "`scaling.mode` is Recommend: nothing is put up";
        return Some((Reason::RecommendOnly, message.to_owned()));
    }
    if limits.paused && facts.replicas < planned {
        let message = format!("scaling is paused below the {planned} pods of the plan");
        return Some((Reason::Paused, message));
    }
    if let Some(most) = limits.overridden_to.filter(|most| *most < planned) {
        let message = format!("an override holds {most} pods; the plan has {planned}");
        return Some((Reason::OverrideBelowPlan, message));
    }
    if let Some(needed) = needed.filter(|needed| *needed > facts.scaling.replicas_max) {
        let most = facts.scaling.replicas_max;
        let message = format!("the load needs {needed} pods; `scaling.max` is {most}");
        return Some((Reason::AtMaximum, message));
    }
    if let Some(most) = limits.quota_replicas_max.filter(|most| *most < planned) {
        let message = format!("the quota admits {most} pods; the plan has {planned}");
        return Some((Reason::QuotaExceeded, message));
    }
    let missing = planned.saturating_sub(facts.pods);
    let placed = room.map_or(missing, |room| {
        room.place(missing, limits.cpu_request, limits.memory)
    });
    let short = format!("the nodes have room for {placed} of the {missing} pods that are missing");
    match limits.nodes {
        _ if placed >= missing => None,
        NodeSupply::Elastic => Some((
            Reason::NodesShort,
            format!("{short}; the others need nodes that are added in time"),
        )),
        NodeSupply::Fixed => Some((
            Reason::NodesFull,
            format!("{short}, and `scaling.nodes` is Fixed: the others will not stand"),
        )),
    }
}

#[cfg(test)]
mod tests;
