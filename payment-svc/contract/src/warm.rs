//! `PUT /control/v1/warm`: the hot set a new pod loads before it is Ready.

use serde::{Deserialize, Serialize};

/// A key to load and how much it matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmKey {
    /// Cache key, `kind:id`, for example `merchant:m-0042` or `account:u-000017`.
    pub key: String,
    /// Share of accesses it accounts for, any unit; at least 1.
    pub weight: u64,
}

/// The hot set. An empty one is legal: pools and self-test still have to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmRequest {
    /// Version of the set; the same version again is a no-op.
    pub version: u64,
    /// Keys, heaviest first, at most 10,000.
    pub keys: Vec<WarmKey>,
    /// Score to reach before the pod is warm, permille.
    pub min_score_permille: u32,
    /// Milliseconds from the pod's start after which it serves as `partial`.
    pub deadline_ms: u64,
}

/// Answer to a warm request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmAck {
    /// Version taken up.
    pub version: u64,
    /// Keys accepted.
    pub keys: usize,
}
