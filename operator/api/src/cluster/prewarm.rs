//! `spec.prewarm`: what a new pod loads before it takes traffic.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a new pod loads before it takes traffic, and how long that may take.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("self.leadSecondsMin <= self.leadSecondsMax")
        .message("must be greater than or equal to `leadSecondsMin`")
        .field_path(".leadSecondsMax")
]))]
pub struct Prewarm {
    /// How many of the fleet's hottest keys a new pod loads, 0 to 10000, default 1000.
    #[schemars(range(min = 0, max = 10_000))]
    pub hot_keys_max: i32,
    /// Share of the hot set, by weight, that a pod must hold to be warm, 0 to 100 percent, default 90.
    #[schemars(range(min = 0, max = 100))]
    pub min_score_percent: i32,
    /// Seconds after which a pod that is not warm yet serves anyway, 1 to 600, default 20. It is then
    /// Ready, reports `partial` and does not count as warm. Changing this rolls the pods.
    #[schemars(range(min = 1, max = 600))]
    pub deadline_seconds: i32,
    /// Least lead time to plan with, in seconds, 1 to 3600, default 15. The operator measures the
    /// lead time (p99 of create-to-Ready plus p99 of warm-up plus one decision interval) and keeps
    /// it within `leadSecondsMin` and `leadSecondsMax`.
    #[schemars(range(min = 1, max = 3_600))]
    pub lead_seconds_min: i32,
    /// Greatest lead time to plan with, in seconds, 1 to 7200, default 600, at least
    /// `leadSecondsMin`. Until pods are measured the plan assumes 60 seconds, within these bounds.
    #[schemars(range(min = 1, max = 7_200))]
    pub lead_seconds_max: i32,
}

impl Default for Prewarm {
    fn default() -> Self {
        Self {
            hot_keys_max: 1_000,
            min_score_percent: 90,
            deadline_seconds: 20,
            lead_seconds_min: 15,
            lead_seconds_max: 600,
        }
    }
}
