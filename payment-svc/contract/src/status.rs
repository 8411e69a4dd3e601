//! `GET /control/v1/status`: what a pod sees and does.

use serde::{Deserialize, Serialize};

use crate::Level;

/// Cumulative counts of one class since the pod started; each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Requests clients sent, retries of one idempotency key counted once.
    pub offered: u64,
    /// Requests let through the gate.
    pub admitted: u64,
    /// Requests refused with 429 or 503.
    pub shed: u64,
    /// Admitted requests that ended in an answer of 5xx.
    pub failed: u64,
}

/// How far the warm-up of a pod has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmState {
    /// Started, no hot set seen yet.
    #[default]
    Cold,
    /// Loading the hot set, opening pools.
    Warming,
    /// Score reached, pools open, self-test passed.
    Warm,
    /// The warm deadline passed first; the pod serves, but is not counted as warm.
    Partial,
}

/// A key and how often it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotKey {
    /// Cache key, `kind:id`, for example `merchant:m-0042`.
    pub key: String,
    /// Accesses in the current decay window.
    pub count: u64,
}

/// A pod's control status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlStatus {
    /// Milliseconds since the pod started; a smaller value than before means it restarted.
    pub uptime_ms: u64,
    /// Level in force.
    pub level: Level,
    /// What raised it: `floor`, `pin`, `queue_delay`, `cpu`, `cursor`, ... or empty.
    pub level_trigger: String,
    /// Version of the policy in force, 0 if none or lapsed.
    pub policy_version: u64,
    /// Mean queueing delay of the last control tick, microseconds.
    pub queue_delay_us: u64,
    /// Counts per class, most important first.
    pub classes: [ClassCounts; 4],
    /// Requests being worked on.
    pub in_flight: u32,
    /// CPU used as a share of the pod's limit, permille.
    pub cpu_permille: u32,
    /// Whether the pod is warm.
    pub warm: WarmState,
    /// Weight of the hot set present over all of it, permille.
    pub warm_permille: u32,
    /// Time from start to warm, milliseconds, once it is.
    pub warm_ms: Option<u64>,
    /// Whether `/readyz` answers 200.
    pub ready: bool,
    /// Whether the pod is draining.
    pub draining: bool,
    /// Hottest keys, most asked first, at most 100.
    pub hot_keys: Vec<HotKey>,
}
