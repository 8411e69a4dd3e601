//! Whether what may be run holds the load that is expected. Pure.

use floodgate_api::{ConditionType, Reason};
use floodgate_planner::Reason as Why;

use super::Verdict;
use crate::{plan::Planned, validate::ValidatedCluster};

pub(super) fn capacity_sufficient(cluster: &ValidatedCluster, planned: &Planned) -> Verdict {
    let kind = ConditionType::CapacitySufficient;
    let most = cluster.scaling.replicas_max;
    if planned.decision.replicas_wanted > most {
        let message = format!(
            "the expected load needs more than the {most} pods that `scaling.max` allows; degradation answers it"
        );
        return Verdict::new(kind, false, Reason::AtMaximum, message);
    }
    let mut guards = planned.decision.guards.iter();
    let capped = guards
        .find_map(|guard| match guard.reason {
            Why::QuotaExceeded => Some((
                Reason::QuotaExceeded,
                "the quota of the namespace admits fewer pods than the expected load needs; degradation answers it",
            )),
            Why::NewPodsNotReady => Some((
                Reason::NewPodsNotReady,
                "the pods of the last raise did not become Ready; it was taken back and is tried again later",
            )),
            Why::ErrorsRose => Some((
                Reason::ErrorsRose,
                "errors rose with the pods of the last raise; it was taken back and is tried again later",
            )),
            _ => None,
        });
    let (truth, reason, message) = match capped {
        Some((reason, message)) => (false, reason, message),
        None => (
            true,
            Reason::CapacitySufficient,
            "the expected load fits within `scaling.max`",
        ),
    };
    Verdict::new(kind, truth, reason, message)
}
