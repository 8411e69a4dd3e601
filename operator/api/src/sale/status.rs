//! `status` of a `SaleEvent`: the plan per cluster, and afterwards its outcome.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The plan per cluster, and afterwards its outcome. Written by the operator only.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaleEventStatus {
    /// Generation of the spec this status was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: True when every cluster's plan is met or lies ahead; its reason says whether the sale
    /// is Scheduled, Prescaling, Running or Completed. `Accepted`: the selector matches and the
    /// uplift is known. `PlanMet`: Ready and warm pods against plan. `Prepared`: from 24 hours
    /// before T0, whether bounds, quota, nodes, overrides and mode allow the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Replicas planned over all clusters in the running or next phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_replicas: Option<i32>,
    /// Cost of the plan of all phases over all clusters, in pod-hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_pod_hours: Option<i32>,
    /// Ready and warm pods over all clusters now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_replicas: Option<i32>,
    /// One entry per cluster the selector matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub clusters: Vec<SaleClusterStatus>,
    /// Measured uplift of this sale in percent of the baseline; what `learnFrom` reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned_uplift_percent: Option<i32>,
}

/// Plan and outcome for one cluster.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaleClusterStatus {
    /// Name of the PaymentCluster.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Pods that are Ready now.
    pub ready: i32,
    /// Pods that are Ready and warm now.
    pub warm: i32,
    /// One entry per phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub phases: Vec<SalePhaseStatus>,
}

/// Plan and outcome of one phase on one cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalePhaseStatus {
    /// Name of the phase.
    #[schemars(length(max = 63))]
    pub name: String,
    /// The second it starts.
    pub t0: Time,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// Uplift used to plan, in percent of the baseline.
    pub uplift_percent: i32,
    /// Load planned for from T0 on, requests per second.
    pub planned_rps: i32,
    /// Replicas planned from T0 on.
    pub planned_replicas: i32,
    /// How the plan changes later in the phase as the usual load does; absent when the plan of T0
    /// holds to the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub later: Vec<SalePlanStep>,
    /// When the operator raises the replicas for it.
    pub prescale_start: Time,
    /// Cost of the plan: planned replicas from the pre-scale to the end, in pod-hours, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_hours: Option<i32>,
    /// Ready pods at T0; set once, at T0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_t0: Option<i32>,
    /// Ready and warm pods at T0; set once, at T0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_at_t0: Option<i32>,
    /// The outcome; set once the phase is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<SaleReport>,
}

impl SalePhaseStatus {
    /// Replicas planned at an instant; before T0 those of T0.
    pub fn planned_replicas_at(&self, now: Timestamp) -> i32 {
        let minutes = now.duration_since(self.t0.0).as_mins();
        let begun = |step: &&SalePlanStep| i64::from(step.from_minute) <= minutes;
        let step = self.later.iter().rev().find(begun);
        step.map_or(self.planned_replicas, |step| step.planned_replicas)
    }

    /// Most replicas planned from an instant on, and the highest load planned for, requests per
    /// second.
    pub fn planned_most_from(&self, now: Timestamp) -> (i32, i32) {
        let minutes = now.duration_since(self.t0.0).as_mins();
        let begun = |step: &SalePlanStep| i64::from(step.from_minute) <= minutes;
        let begun = self.later.iter().filter(|step| begun(step)).count();
        let first = (self.planned_replicas, self.planned_rps);
        let of = |step: &SalePlanStep| (step.planned_replicas, step.planned_rps);
        let present = begun
            .checked_sub(1)
            .map_or(first, |index| of(&self.later[index]));
        let ahead = self.later.iter().skip(begun).map(of);
        ahead.fold(present, |(pods, rps), (more, higher)| {
            (pods.max(more), rps.max(higher))
        })
    }
}

/// The plan from a minute of a phase on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SalePlanStep {
    /// When it begins, minutes from T0.
    pub from_minute: i32,
    /// Load planned for, requests per second.
    pub planned_rps: i32,
    /// Replicas planned.
    pub planned_replicas: i32,
}

/// Outcome of a phase.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaleReport {
    /// Highest load, requests per second.
    pub peak_rps: i32,
    /// Forecast baseline at that moment, requests per second.
    pub baseline_rps: i32,
    /// Peak in percent of the baseline.
    pub learned_uplift_percent: i32,
    /// Most replicas that ran.
    pub replicas_max: i32,
    /// Seconds with a level above Normal in force.
    pub degraded_seconds: i32,
    /// Load over the minutes of the phase, as a share of the baseline; absent when the operator did
    /// not see its beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub profile: Vec<SaleLift>,
}

/// Load of one step of a phase, in percent of the baseline.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaleLift {
    /// Beginning of the step, minutes from the start of the phase.
    pub from_minute: i32,
    /// Median.
    pub p50_percent: i32,
    /// 90 % quantile.
    pub p90_percent: i32,
    /// 95 % quantile.
    pub p95_percent: i32,
}
