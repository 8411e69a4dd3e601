//! `status.decision`: the reason for the current number of replicas.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The last decision that differed from the one before: which bid won, and which guards changed it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionRecord {
    /// When it was made; unchanged until bids, guards or result change.
    pub time: Time,
    /// Replicas before.
    pub from: i32,
    /// Replicas decided.
    pub to: i32,
    /// Source of the winning bid: Reactive, Burst, Forecast, Sale, Override or Hold.
    #[schemars(length(max = 32))]
    pub winner: String,
    /// Deciding reason: that of the winner, or of the last guard that changed its number.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// One sentence a person can act on.
    #[schemars(length(max = 512))]
    pub explain: String,
    /// Every bid, highest first.
    #[serde(default)]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub bids: Vec<BidRecord>,
    /// Every guard that changed the number, in the order in which they ran.
    #[serde(default)]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub guards: Vec<GuardRecord>,
}

/// A proposal for replicas.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BidRecord {
    /// Who bids: Reactive, Burst, Forecast, Sale, Override or Hold.
    #[schemars(length(max = 32))]
    pub source: String,
    /// Replicas it asks for.
    pub replicas: i32,
    /// Why, with the numbers it was made from.
    #[schemars(length(max = 256))]
    pub reason: String,
}

/// A rule that changed the winning number.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardRecord {
    /// Which rule, for example `Freshness` or `StepLimit`.
    #[schemars(length(max = 32))]
    pub guard: String,
    /// Replicas before it.
    pub from: i32,
    /// Replicas after it.
    pub to: i32,
    /// Why.
    #[schemars(length(max = 256))]
    pub reason: String,
}
