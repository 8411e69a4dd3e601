//! The few facts of a pod that decisions and pushes need. Pure.

use std::net::IpAddr;

use floodgate_api::CLUSTER_LABEL;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::ResourceExt;

use super::cluster_key::ClusterKey;

/// Facts of one pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    pub name: String,
    /// Unique over all time.
    pub uid: String,
    /// Address, once it has one.
    pub ip: Option<IpAddr>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it became Ready, while it is.
    pub ready_since: Option<Timestamp>,
    /// Whether it is being taken down, or has ended.
    pub ending: bool,
    /// Whether the scheduler could not place it.
    pub unschedulable: bool,
    /// How often its containers were restarted.
    pub restarts: i32,
}

impl PodFacts {
    /// Facts of `pod`.
    pub fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let condition = |kind: &str| -> Option<&PodCondition> {
            status?
                .conditions
                .as_ref()?
                .iter()
                .find(|condition| condition.type_ == kind)
        };
        let ready = condition("Ready").filter(|ready| ready.status == "True");
        let placed = condition("PodScheduled");
        let phase = status.and_then(|status| status.phase.as_deref());
        let containers = status.and_then(|status| status.container_statuses.as_ref());
        Self {
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
            ip: status.and_then(|status| status.pod_ip.as_deref()?.parse().ok()),
            created_at: pod.creation_timestamp().map(|time| time.0),
            ready_since: ready.and_then(|ready| Some(ready.last_transition_time.as_ref()?.0)),
            ending: pod.metadata.deletion_timestamp.is_some()
                || matches!(phase, Some("Failed" | "Succeeded")),
            unschedulable: placed.is_some_and(|placed| {
                placed.status == "False" && placed.reason.as_deref() == Some("Unschedulable")
            }),
            restarts: containers
                .into_iter()
                .flatten()
                .map(|one| one.restart_count)
                .sum(),
        }
    }

    /// Whether it takes traffic.
    pub fn is_ready(&self) -> bool {
        self.ready_since.is_some() && !self.ending
    }

    /// Seconds from creation to Ready of a pod that never restarted; by the apiserver's clock alone.
    pub fn start_s(&self) -> Option<f64> {
        let start_s = self
            .ready_since?
            .duration_since(self.created_at?)
            .as_secs_f64();
        // A pod that was Ready, was not and is again shows when it came back, not how it started.
        (self.restarts == 0 && (0.0..=START_S_MAX).contains(&start_s)).then_some(start_s)
    }
}

/// A start longer than this was an outage, not a start, seconds.
const START_S_MAX: f64 = 900.0;

/// The cluster a pod belongs to, by its label.
pub fn cluster_of(pod: &Pod) -> Option<ClusterKey> {
    let name = pod.labels().get(CLUSTER_LABEL)?.clone();
    Some(ClusterKey {
        namespace: pod.namespace()?,
        name,
    })
}
