//! `PUT /control/v1/policy`: what the operator asks of every pod.

use serde::{Deserialize, Serialize};

use crate::Level;

/// The fleet policy. A pod keeps the highest `version` it has seen and answers 409 to a lower one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Grows with every change; milliseconds since the epoch of the decision are enough.
    pub version: u64,
    /// Least level of the fleet; the pod's own loop may go higher.
    #[serde(default)]
    pub floor: Level,
    /// Exact level an SRE pinned; overrules floor and the pod's own loop.
    #[serde(default)]
    pub pin: Option<Level>,
    /// Admitted requests per second a pod allows per class; none means no quota.
    #[serde(default)]
    pub quotas_rps: [Option<u32>; 4],
    /// Seconds after which the pod forgets this policy unless it is renewed.
    pub lease_s: u32,
    /// Why, for logs and `GET /control/v1/status`.
    #[serde(default)]
    pub reason: String,
}

/// Answer to a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyAck {
    /// Version now in force.
    pub version: u64,
    /// Level now in force.
    pub level: Level,
}
