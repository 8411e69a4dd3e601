//! What the planner remembers of the last pass. Pure.

use floodgate_planner::{HoldCause, Memory};
use jiff::Timestamp;

use crate::{observe::Observed, target::PolicyTarget};

/// What the last pass hands to this one.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The planner's memory; none right after the start of the operator.
    pub memory: Option<Memory>,
    /// Policy in force.
    pub policy: Option<PolicyTarget>,
    /// The loss of the history that was held for last.
    pub history_lost_at: Option<Timestamp>,
}

impl Before {
    /// What the planner remembers; held as it is where Prometheus lost its history since (F12).
    pub(super) fn memory(&self, observed: &Observed) -> Memory {
        let lost_at = observed.forecast.history_lost_at;
        match self.memory.clone() {
            None => first_memory(observed),
            Some(memory) if lost_at.is_some() && lost_at != self.history_lost_at => {
                memory.hold(HoldCause::HistoryLost)
            }
            Some(memory) => memory,
        }
    }
}

/// Memory of the first pass: a cluster whose Deployment exists is held as it is (S4).
fn first_memory(observed: &Observed) -> Memory {
    if observed.deployment.is_none() {
        return Memory::default();
    }
    let status = observed.cluster.status.as_ref();
    let floor = status
        .and_then(|status| status.level.as_ref())
        .map(|level| level.floor);
    Memory::held(observed.started_by).with_level(floor.unwrap_or_default())
}
