//! `status` of a `PaymentCluster`: what the operator sees and has decided.
//!
//! Invariant: nothing here changes unless what it reports changed, or every pass would write.

use floodgate_words::Level;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decision::DecisionRecord;

/// What the operator sees and has decided. Written by the operator only; it overwrites an edit by
/// hand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PaymentClusterStatus {
    /// Generation of the spec this status was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is the sum of `Accepted`, `WorkloadAvailable`, `SignalsFresh`, `ForecastTrusted`,
    /// `CapacitySufficient` and `PlanMet`; `Degraded`, `Overridden`, `ScaleConflict`,
    /// `HistoryMasked` and `Paused` report states that are no failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Pods, counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicaCounts>,
    /// Label selector of the pods, for the scale subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
    /// Offered load in requests per second, rounded; absent while unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_rps: Option<i32>,
    /// The reason for the current number of replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRecord>,
    /// The load expected at the lead time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastSummary>,
    /// Degradation, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelStatus>,
    /// Measured lead time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<LeadTime>,
    /// Capacity of one warm pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// The sale whose phase runs or comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale: Option<SaleSummary>,
    /// Overrides in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub overrides: Vec<OverrideStatus>,
}

/// Pods, counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplicaCounts {
    /// Replicas decided; with `scaling.mode: Recommend`, replicas recommended.
    pub desired: i32,
    /// Pods that exist.
    pub current: i32,
    /// Pods that are Ready.
    pub ready: i32,
    /// Pods that are Ready and warm.
    pub warm: i32,
}

/// The load expected at the lead time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForecastSummary {
    /// Model in use: its kind and the first characters of the SHA-256 of `model.json` in the
    /// `ConfigMap` named `<cluster>-forecast`.
    #[schemars(length(max = 64))]
    pub model: String,
    /// Median of the load at the lead time, requests per second.
    pub p50_rps: i32,
    /// Upper quantile of the load at the lead time, requests per second.
    pub upper_rps: i32,
    /// Which quantile `upperRps` is, in percent.
    pub quantile_percent: i32,
    /// Seconds it looks ahead.
    pub horizon_seconds: i32,
    /// Live error (WAPE) at the lead time in percent; absent until a forecast came due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<i32>,
    /// The same for seasonal naive on the same points; a forecast that is clearly worse makes no bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naive_error_percent: Option<i32>,
    /// Share of loads at or below `upperRps`, in percent; absent until a forecast came due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage_percent: Option<i32>,
    /// When the model was last fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fitted_at: Option<Time>,
    /// Hours of history it was fitted on.
    pub history_hours: i32,
    /// Share of the steps of that history with a valid value, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_percent: Option<i32>,
    /// Values left out because they lie in a sale or in a window of `mask-history`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked_points: Option<i32>,
    /// Values refused as NaN, infinite, negative or absurd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_points: Option<i32>,
    /// When the load jumped for good; the model leaves out what lies before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Time>,
    /// What went wrong with the stored model, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub note: Option<String>,
}

/// Degradation, and why.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LevelStatus {
    /// Highest level in force on any pod, or imposed.
    pub current: Level,
    /// Least level the operator imposes on the fleet.
    pub floor: Level,
    /// Exact level an override pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Level>,
    /// Why: one of the reasons of the condition `Degraded`.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// When `floor` last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// Measured lead time.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LeadTime {
    /// Lead time used to plan, in seconds.
    pub seconds: i32,
    /// p99 of create-to-Ready, in seconds.
    pub ready_seconds: i32,
    /// p99 of warm-up, in seconds.
    pub warm_seconds: i32,
    /// Pods it was measured on; 0 while none were.
    pub samples: i32,
}

/// Capacity of one warm pod.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Capacity {
    /// Requests per second used to plan.
    pub rps: i32,
    /// Requests per second all warm pods hold together.
    pub warm_total_rps: i32,
    /// Where it comes from.
    pub source: CapacitySource,
    /// Measurements it was learned from; absent while the declared one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<i32>,
}

/// Where the capacity comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CapacitySource {
    /// From the spec.
    #[default]
    Declared,
    /// From what pods were measured to hold.
    Learned,
}

/// The sale whose phase runs or comes next.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SaleSummary {
    /// Name of the SaleEvent.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Name of the phase.
    #[schemars(length(max = 63))]
    pub phase: String,
    /// The second the phase starts.
    pub t0: Time,
    /// Replicas planned for it.
    pub planned_replicas: i32,
    /// When the operator raises the replicas for it.
    pub prescale_start: Time,
}

/// An override in force.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideStatus {
    /// Annotation without its prefix, for example `pin-replicas`.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Value in force, after clamping.
    #[schemars(length(max = 64))]
    pub value: String,
    /// When it expires.
    pub until: Time,
    /// Why it was set.
    #[schemars(length(max = 256))]
    pub reason: String,
    /// Who set it, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub by: Option<String>,
}
