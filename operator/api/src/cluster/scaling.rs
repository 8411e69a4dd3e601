//! `spec.scaling`: how many pods to run, within which bounds.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many pods to run, within which bounds, and how fast to remove them.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("self.max >= self.min").message("must be greater than or equal to `min`").field_path(".max")
]))]
pub struct Scaling {
    /// `Enforce` (default) applies decisions; `Recommend` publishes them in the status, leaves the
    /// replicas alone and pushes no degradation level. Overrides work in both.
    pub mode: ScalingMode,
    /// Least number of pods, 1 to 10000, default 2. A payment service never goes to zero. This is
    /// what `kubectl scale` sets.
    #[schemars(range(min = 1, max = 10_000))]
    pub min: i32,
    /// Greatest number of pods, 1 to 10000, default 10, at least `min`. Load beyond what they hold
    /// triggers planned degradation.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: i32,
    /// Requests per second one warm pod holds at the target utilisation, 1 to 100000, default 50.
    /// Declare what a load test showed; the operator learns it further within
    /// `capacityLearnPercent`.
    #[schemars(range(min = 1, max = 100_000))]
    pub capacity_rps: i32,
    /// How far the learned capacity may differ from `capacityRps`, in percent of it, 0 to 90,
    /// default 30. 0 always uses the declared capacity.
    #[schemars(range(min = 0, max = 90))]
    pub capacity_learn_percent: i32,
    /// Share of a pod's CPU limit at which it counts as fully used, 10 to 95 percent, default 70.
    /// The rest is the reserve for bursts the forecast did not see.
    #[schemars(range(min = 10, max = 95))]
    pub target_utilization_percent: i32,
    /// `Elastic` (default): nodes are added for pods that find no room. `Fixed`: no nodes will be
    /// added, so the operator asks for no more pods than exist and still fit by their requests,
    /// degrades for the rest, and reports a sale whose plan does not fit a day ahead. While the room
    /// on the nodes is unknown it bounds nothing.
    pub nodes: NodeSupply,
    /// Limits on scaling down. Scaling up is limited by `max` and, with `nodes: Fixed`, by the room on
    /// the nodes.
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
    /// Nodes are added for pods that find no room.
    #[default]
    Elastic,
    /// No nodes will be added.
    Fixed,
}

/// Limits on scaling down.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScaleDown {
    /// Scale down only to the highest number wanted in the last so many seconds, 0 to 3600, default
    /// 300.
    #[schemars(range(min = 0, max = 3_600))]
    pub stabilization_seconds: i32,
    /// Remove at most this share of the present pods within a minute, 1 to 100 percent, default 20;
    /// always at least one pod.
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
