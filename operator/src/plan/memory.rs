//! What earlier passes hand to this one, and what the planner remembers of them. Pure.

use floodgate_planner::{HoldCause, Memory};
use jiff::Timestamp;

use crate::{observe::Observed, target::PolicyTarget, writers::ByHand};

/// What this process and its earlier passes hand to this one.
#[derive(Clone, Debug)]
pub struct Before {
    /// How this process came to lead.
    pub started_by: HoldCause,
    /// The planner's memory; none right after the start of the operator.
    pub memory: Option<Memory>,
    /// Policy in force.
    pub policy: Option<PolicyTarget>,
    /// The loss of the history that was held for last.
    pub history_lost_at: Option<Timestamp>,
    /// Replicas this process ordered last.
    pub ordered: Option<i32>,
    /// Replicas that a person wrote during a sale, while they hold.
    pub by_hand: Option<ByHand>,
}

impl Default for Before {
    fn default() -> Self {
        Self {
            started_by: HoldCause::Restart,
            memory: None,
            policy: None,
            history_lost_at: None,
            ordered: None,
            by_hand: None,
        }
    }
}

impl Before {
    /// What the planner remembers; held as it is where Prometheus lost its history since (F12).
    pub(super) fn memory(&self, observed: &Observed) -> Memory {
        let lost_at = observed.forecast.history_lost_at;
        match self.memory.clone() {
            None => first_memory(observed, self.started_by),
            Some(memory) if lost_at.is_some() && lost_at != self.history_lost_at => {
                memory.hold(HoldCause::HistoryLost)
            }
            Some(memory) => memory,
        }
    }
}

/// Memory of the first pass: a cluster whose Deployment exists is held as it is (S4).
fn first_memory(observed: &Observed, started_by: HoldCause) -> Memory {
    if observed.deployment.is_none() {
        return Memory::default();
    }
    let status = observed.cluster.status.as_ref();
    let floor = status
        .and_then(|status| status.level.as_ref())
        .map(|level| level.floor);
    Memory::held(started_by).with_level(floor.unwrap_or_default())
}
