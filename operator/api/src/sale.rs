//! `SaleEvent`: a sale with its seconds, its expected uplift and the clusters it hits.

#![allow(
    clippy::duplicated_attributes,
    reason = "each print column has a type and a path of its own"
)]

mod dated;
pub mod status;
mod zone;

use std::collections::BTreeMap;

use floodgate_words::Level;
use kube::CustomResource;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use status::SaleEventStatus;

pub use dated::{DatedPhase, DatedSale, FIRST_SALE_UPLIFT_PERCENT};

/// Which clusters to prepare, when to the second, and for how much more traffic.
#[derive(CustomResource, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "floodgate.dev",
    version = "v1alpha1",
    kind = "SaleEvent",
    plural = "saleevents",
    shortname = "sale",
    category = "floodgate",
    namespaced,
    status = "SaleEventStatus",
    derive = "PartialEq",
    doc = "A sale: which clusters it hits, when to the second, and how much more traffic it brings.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Start", type_ = "string", json_path = ".spec.start"),
    printcolumn(name = "End", type_ = "string", json_path = ".spec.end"),
    printcolumn(
        name = "Planned",
        type_ = "integer",
        json_path = ".status.plannedReplicas",
        description = "Replicas planned over all clusters."
    ),
    printcolumn(
        name = "Warm",
        type_ = "integer",
        json_path = ".status.warmReplicas",
        description = "Ready and warm pods over all clusters."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = sale_rules()))]
pub struct SaleEventSpec {
    /// Clusters of this namespace the sale hits.
    pub cluster_selector: ClusterSelector,
    /// Zone of the instants below that have no offset: a name of the IANA database, for example
    /// `Asia/Shanghai`. A local time that does not exist means the instant the clocks went forward;
    /// of one that occurs twice, a start is the first and an end the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 64))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self == 'UTC' || self.matches('^[A-Za-z_]+(/[A-Za-z0-9_+-]+)+$')")
            .message("must be a zone of the IANA database, for example `Asia/Shanghai`")
    ]))]
    pub time_zone: Option<String>,
    /// When the sale begins: RFC 3339 with offset, for example `2026-11-11T00:00:00+08:00`, or with
    /// `timeZone` a local time, for example `2026-11-11T00:00:00`. The operator adds pods for the sale
    /// no earlier than the lead time before its first phase.
    #[schemars(length(max = 35))]
    #[schemars(extend("x-kubernetes-validations" = [instant_rule()]))]
    pub start: String,
    /// When the sale ends, written like `start`; after `start` and at most 90 days later.
    #[schemars(length(max = 35))]
    #[schemars(extend("x-kubernetes-validations" = [instant_rule()]))]
    pub end: String,
    /// Phases, 1 to 32, each with its T0 to the second.
    #[schemars(length(min = 1, max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub phases: Vec<Phase>,
    /// Traffic expected in phases without an `upliftPercent` of their own, in percent of the forecast
    /// baseline: 1000 is ten times as much. 100 to 100000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 100_000))]
    pub uplift_percent: Option<i32>,
    /// How far off the uplift may be: its standard error in percent of it, 0 to 200, default 0. The
    /// plan adds what the quantile of a phase needs for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 200))]
    pub uplift_error_percent: Option<i32>,
    /// Earlier SaleEvents of this namespace whose learned uplift to use where none is declared; of
    /// several, the highest. At most 8. A declared uplift is the least to plan for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 253)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub learn_from: Vec<String>,
    /// Keys every new pod loads first, `kind:id`, for example `merchant:m-0042`. At most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000), inner(length(min = 3, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.all(k, k.matches('^[a-z]+:[A-Za-z0-9._-]+$'))")
            .message("must be keys of the form `kind:id`, for example `merchant:m-0042`")
    ]))]
    pub hot_keys: Vec<String>,
    /// Classes of traffic that planned degradation keeps on while a phase runs. Default
    /// `[CriticalPlus, Critical]`. The service's own fast loop still protects itself.
    #[serde(default = "default_protect")]
    #[schemars(length(max = 4))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub protect: Vec<TrafficClass>,
}

fn default_protect() -> Vec<TrafficClass> {
    vec![TrafficClass::CriticalPlus, TrafficClass::Critical]
}

/// Class of traffic, as the service sorts it by route.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
pub enum TrafficClass {
    /// Retries of a recorded payment, look-ups by key.
    CriticalPlus,
    /// New payments, reads of one payment.
    Critical,
    /// Refunds.
    SheddablePlus,
    /// Reads of accounts and merchants.
    Sheddable,
}

impl SaleEventSpec {
    /// The highest degradation level that still leaves every class in `protect` on; with nothing to
    /// protect the last.
    pub fn level_max(&self) -> Level {
        match self.protect.iter().max() {
            None | Some(TrafficClass::CriticalPlus) => Level::Survive,
            Some(TrafficClass::Critical) => Level::Protect,
            Some(TrafficClass::SheddablePlus) => Level::Reduce,
            Some(TrafficClass::Sheddable) => Level::Guard,
        }
    }
}

/// Which clusters a sale hits: those named, and those with all of the labels.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("(has(self.names) && self.names.size() > 0) || (has(self.matchLabels) && self.matchLabels.size() > 0)")
        .message("must name a cluster in `names` or a label in `matchLabels`; an empty selector would hit every cluster")
]))]
pub struct ClusterSelector {
    /// Names of PaymentClusters, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 50)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub names: Vec<String>,
    /// Labels a PaymentCluster must have, all of them; at most 16.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub match_labels: BTreeMap<String, LabelValue>,
}

/// Value of a label, at most 63 characters.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct LabelValue(#[schemars(length(max = 63))] pub String);

/// A part of a sale with a start of its own, to the second.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// Name of the phase, a lower-case DNS label of at most 63 characters; unique.
    #[schemars(length(min = 1, max = 63))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')")
            .message("must be a lower-case DNS label, for example `midnight`")
    ]))]
    pub name: String,
    /// T0: the second the phase starts, written like `start` of the sale, and within the sale. The
    /// planned pods are Ready and warm before it.
    #[schemars(length(max = 35))]
    #[schemars(extend("x-kubernetes-validations" = [instant_rule()]))]
    pub t0: String,
    /// When the phase ends, after `t0` and within the sale. Default: the next phase's T0, or the end
    /// of the sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    #[schemars(extend("x-kubernetes-validations" = [instant_rule()]))]
    pub end: Option<String>,
    /// Traffic expected in this phase in percent of the forecast baseline, 100 to 100000. Default:
    /// `spec.upliftPercent`, else the one learned from `learnFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 100_000))]
    pub uplift_percent: Option<i32>,
    /// Probability, in percent, with which the planned pods must hold the load of this phase, 50 to
    /// 99. Default: `forecast.quantilePercent` of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 50, max = 99))]
    pub quantile_percent: Option<i32>,
}

/// A local time, every day checked against its month; years 2020 to 2099, so that 9999 is a typing
/// error and not a plan.
const LOCAL: &str = concat!(
    "(20[2-9][0-9]-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)",
    "|20([2468][048]|[3579][26])-02-29)",
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\\\.[0-9]{1,9})?",
);
/// The offset of RFC 3339. What matches a local time and this is always read by `timestamp()`.
const OFFSET: &str = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";

fn instant_rule() -> Rule {
    Rule::new(format!("self.matches('^{LOCAL}{OFFSET}?$')")).message(
        "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`, or with `timeZone` a local time",
    )
}

/// Fields without an offset need the zone of the sale; what is no instant at all was refused above.
fn zone_rule(field: &str, all_offset: &str) -> Rule {
    Rule::new(format!("has(self.timeZone) || {all_offset}"))
        .message("must have a zone offset, for example `2026-11-11T00:00:00+08:00`, unless `timeZone` is set")
        .field_path(field)
}

/// `rule`, where every one of `instants` can be read; elsewhere the rule of that field says so, and
/// a person need not read the failures that follow from it.
fn readable(instants: &[&str], rule: &str) -> String {
    let unreadable = instants.iter().fold(String::new(), |rule, field| {
        rule + &format!("!{field}.matches('^{LOCAL}{OFFSET}$') || ")
    });
    format!("{unreadable}({rule})")
}

fn sale_rules() -> Vec<Rule> {
    let sale = ["self.start", "self.end"];
    let t0 = readable(
        &["p.t0"],
        "timestamp(p.t0) >= timestamp(self.start) && timestamp(p.t0) < timestamp(self.end)",
    );
    let end = readable(
        &["p.t0", "p.end"],
        "timestamp(p.end) > timestamp(p.t0) && timestamp(p.end) <= timestamp(self.end)",
    );
    let offset = |field: &str| format!("!{field}.matches('^{LOCAL}$')");
    let t0_offset = format!("self.phases.all(p, {})", offset("p.t0"));
    let end_offset = format!("self.phases.all(p, !has(p.end) || {})", offset("p.end"));
    vec![
        zone_rule(".start", &offset("self.start")),
        zone_rule(".end", &offset("self.end")),
        zone_rule(".phases", &t0_offset),
        zone_rule(".phases", &end_offset),
        Rule::new(readable(&sale, "timestamp(self.end) > timestamp(self.start)"))
            .message("must be after `start`")
            .field_path(".end"),
        Rule::new(readable(&sale, "timestamp(self.end) - timestamp(self.start) <= duration('2160h')"))
            .message("must be at most 90 days after `start`")
            .field_path(".end"),
        Rule::new(readable(&sale, &format!("self.phases.all(p, {t0})")))
            .message("must have every `t0` at or after `start` and before `end`")
            .field_path(".phases"),
        Rule::new(readable(&sale, &format!("self.phases.all(p, !has(p.end) || {end})")))
            .message("must have every phase `end` after its `t0` and not after the `end` of the sale")
            .field_path(".phases"),
        Rule::new("has(self.upliftPercent) || (has(self.learnFrom) && self.learnFrom.size() > 0) || self.phases.all(p, has(p.upliftPercent))")
            .message("must say how much traffic is expected: set `upliftPercent` here or in every phase, or name an earlier sale in `learnFrom`"),
    ]
}
