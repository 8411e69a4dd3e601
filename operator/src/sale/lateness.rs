//! Whether the pods of a phase come too late: foreseen from ten minutes before T0, when a person can
//! still act, and said for as long as the phase runs short. Pure.

use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_planner::UnixMillis;
use floodgate_words::Reason;
use jiff::Timestamp;

use super::seen::ClusterSeen;
use crate::snapshot::{PlanningFacts, PodSeen};

/// Seconds before T0 from which it is foreseen whether the plan will be met, whatever the lead time.
const FORESEEN_S: i64 = 600;

/// Why the plan of a phase will not be warm at T0, or is not while the phase runs. No number in the
/// message moves by itself, or each pass would write the status again.
pub(super) fn lateness(
    phase: &SalePhaseStatus,
    cluster: &SaleClusterStatus,
    seen: &ClusterSeen,
    facts: &PlanningFacts,
    now: Timestamp,
) -> Option<(Reason, String)> {
    let count = |count: i32| u32::try_from(count).unwrap_or(0);
    let planned = count(phase.planned_replicas_at(now));
    let warm = count(cluster.warm);
    let left_s = UnixMillis::from(phase.t0.0).seconds_since(now.into());
    if warm >= planned || left_s > FORESEEN_S {
        return None;
    }
    let so_far = format!("{warm} of the {planned} pods of the plan are warm");
    if left_s <= 0 {
        return Some((Reason::PlanLate, format!("{so_far} while the phase runs")));
    }
    let back = match facts.raise_taken_back {
        Some(Reason::ErrorsRose) => Some((Reason::ErrorsRose, "errors rose with the last raise")),
        Some(_) => {
            let message = "the pods of the last raise did not become Ready";
            Some((Reason::NewPodsNotReady, message))
        }
        None => None,
    };
    if let Some((reason, message)) = back {
        return Some((reason, format!("{so_far}; {message}")));
    }
    if warm.saturating_add(coming(phase, seen, facts, warm, now)) >= planned {
        return None;
    }
    let unplaced = seen.pods.as_ref().map_or(0, |pods| pods.unschedulable());
    let lead_s = facts.lead_time.total_s();
    Some(if unplaced > 0 {
        let message = format!("{so_far}; {unplaced} cannot be scheduled");
        (Reason::PodsUnschedulable, message)
    } else {
        let message = format!("{so_far}; with a lead time of {lead_s} s the others miss T0");
        (Reason::PlanLate, message)
    })
}

/// Pods beside the warm ones that will be warm at T0: those that started in time and are not
/// overdue, and those that can still be ordered in time.
fn coming(
    phase: &SalePhaseStatus,
    seen: &ClusterSeen,
    facts: &PlanningFacts,
    warm: u32,
    now: Timestamp,
) -> u32 {
    let (now, t0) = (UnixMillis::from(now), UnixMillis::from(phase.t0.0));
    let lead_s = facts.lead_time.total_s();
    let planned = u32::try_from(phase.planned_replicas).unwrap_or(0);
    let ordered_at = UnixMillis::from(phase.prescale_start.0).max(now);
    let orderable = if ordered_at.plus_s(lead_s) <= t0 {
        planned.saturating_sub(facts.pods)
    } else {
        0
    };
    // A pod that exists has its decision behind it.
    let start_s = lead_s - i64::from(facts.lead_time.interval_s);
    let starting = match &seen.pods {
        None => facts.pods.saturating_sub(warm),
        Some(pods) => {
            let in_time = |pod: &&PodSeen| {
                let created_at = pod.facts.created_at.map(UnixMillis::from);
                created_at.is_some_and(|at| {
                    // Past the 99th percentile and the margin nobody knows when it comes.
                    let overdue = at.plus_s(facts.lead_time.horizon_s()) < now;
                    !overdue && at.plus_s(start_s) <= t0
                })
            };
            let waits =
                |pod: &&PodSeen| !pod.facts.ending && !pod.facts.unschedulable && !pod.is_warm();
            let count = pods.pods.iter().filter(waits).filter(in_time).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        }
    };
    starting.saturating_add(orderable)
}
