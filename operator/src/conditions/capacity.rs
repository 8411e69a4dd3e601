//! Whether what may be run holds the load that is expected. Pure.

use floodgate_api::cluster::scaling::NodeSupply;
use floodgate_planner::Guard;
use floodgate_words::{ConditionType, Reason};

use super::verdict::Verdict;
use crate::{nodes::RoomSeen, observe::Observed, plan::Planned, validate::ValidatedCluster};

pub(super) fn capacity_sufficient(
    observed: &Observed,
    cluster: &ValidatedCluster,
    planned: &Planned,
) -> Verdict {
    let kind = ConditionType::CapacitySufficient;
    let most = cluster.scaling.replicas_max;
    if planned.decision.replicas_wanted > most {
        let message = format!(
            "the expected load needs more than the {most} pods that `scaling.max` allows; degradation answers it"
        );
        return Verdict::new(kind, false, Reason::AtMaximum, message);
    }
    if let Some((reason, message)) = planned.decision.guards.iter().find_map(capped) {
        return Verdict::new(kind, false, reason, message);
    }
    let fixed = cluster.nodes == NodeSupply::Fixed;
    let room_unknown = fixed && observed.room.known(observed.now).is_none();
    let message = if room_unknown {
        "the expected load fits within `scaling.max`; the room on the nodes is not known and bounds nothing"
    } else {
        "the expected load fits within `scaling.max`"
    };
    Verdict {
        awaits_first_answer: fixed && matches!(*observed.room, RoomSeen::Unread),
        ..Verdict::new(kind, true, Reason::CapacitySufficient, message)
    }
}

/// What a guard that keeps pods from running says.
fn capped(guard: &Guard) -> Option<(Reason, &'static str)> {
    let message = match guard.reason {
        Reason::QuotaExceeded => {
            "the quota of the namespace admits fewer pods than the expected load needs; degradation answers it"
        }
        Reason::NodesFull => {
            "the nodes hold fewer pods than the expected load needs, and `scaling.nodes` is Fixed; degradation answers it"
        }
        Reason::NewPodsNotReady => {
            "the pods of the last raise did not become Ready; it was taken back and is tried again later"
        }
        Reason::ErrorsRose => {
            "errors rose with the pods of the last raise; it was taken back and is tried again later"
        }
        _ => return None,
    };
    Some((guard.reason, message))
}

#[cfg(test)]
mod tests;
