//! `spec.scaling`: how many pods, within which bounds.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many pods, within which bounds, and how fast they may become fewer.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("self.max >= self.min").message("must be greater than or equal to `min`").field_path(".max")
]))]
pub struct Scaling {
    /// `Enforce` (default) applies decisions; `Recommend` only publishes them in the status, keeps
    /// the replicas as they are and pushes no degradation level. Overrides work in both.
    pub mode: ScalingMode,
    /// Least number of pods, 1 to 10000, default 2. A payment service never goes to zero. This is
    /// what `kubectl scale` sets.
    #[schemars(range(min = 1, max = 10_000))]
    pub min: i32,
    /// Greatest number of pods, 1 to 10000, default 10, at least `min`. Load beyond it is answered
    /// by planned degradation.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: i32,
    /// Requests per second one warm pod holds at the target utilisation, 1 to 100000, default 50.
    /// Declare what a load test showed; it is then learned within `capacityLearnPercent`.
    #[schemars(range(min = 1, max = 100_000))]
    pub capacity_rps: i32,
    /// How far the learned capacity may move away from `capacityRps`, in percent of it, 0 to 90,
    /// default 30. With 0 the declared capacity always holds.
    #[schemars(range(min = 0, max = 90))]
    pub capacity_learn_percent: i32,
    /// Share of a pod's CPU limit at which it is called fully used, 10 to 95 percent, default 70.
    /// What is above it is the reserve for bursts the forecast did not see.
    #[schemars(range(min = 10, max = 95))]
    pub target_utilization_percent: i32,
    /// `Elastic` (default) where nodes are added for pods that find no room. With `Fixed` the nodes
    /// there are are all there is: no more pods are asked for than stand and still fit by their
    /// requests, degradation answers the rest, and a sale whose plan does not fit says so a day
    /// ahead. While the room on the nodes is not known it bounds nothing.
    pub nodes: NodeSupply,
    /// Limits on becoming fewer. Becoming more is limited by `max` and, with `nodes: Fixed`, by the
    /// room on the nodes.
    pub scale_down: ScaleDown,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            mode: ScalingMode::Enforce,
            min: 2,
            max: 10,
            capacity_rps: 50,
            capacity_learn_percent: 30,
            target_utilization_percent: 70,
            nodes: NodeSupply::Elastic,
            scale_down: ScaleDown::default(),
        }
    }
}

/// Whether decisions are applied or only published.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ScalingMode {
    /// Decisions are applied.
    #[default]
    Enforce,
    /// Decisions are only published.
    Recommend,
}

/// Whether more nodes come when pods find no room.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum NodeSupply {
    /// Nodes are added for pods that find none.
    #[default]
    Elastic,
    /// The nodes there are are all there is.
    Fixed,
}

/// Limits on becoming fewer.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScaleDown {
    /// The highest wish of this many seconds holds, 0 to 3600, default 300.
    #[schemars(range(min = 0, max = 3_600))]
    pub stabilization_seconds: i32,
    /// At most this share of the present pods is given back within a minute, 1 to 100 percent,
    /// default 20; always at least one pod.
    #[schemars(range(min = 1, max = 100))]
    pub percent_per_minute: i32,
}

impl Default for ScaleDown {
    fn default() -> Self {
        Self {
            stabilization_seconds: 300,
            percent_per_minute: 20,
        }
    }
}
