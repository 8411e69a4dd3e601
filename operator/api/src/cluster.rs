//! `PaymentCluster`: one payment service, its backends, and how it is scaled and degraded.

#![allow(
    clippy::duplicated_attributes,
    reason = "each print column has a type and a path of its own"
)]

pub mod backends;
pub mod decision;
pub mod degradation;
pub mod forecast;
pub mod prewarm;
pub mod scaling;
pub mod service;
pub mod status;
pub mod traffic;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use backends::Backends;
use degradation::Degradation;
use forecast::Forecast;
use prewarm::Prewarm;
use scaling::Scaling;
use service::Service;
use status::PaymentClusterStatus;
use traffic::Traffic;

/// What to run, where its money is kept, and how to scale and degrade it.
///
/// `service`, `backends` and `traffic.prometheus.url` are required; everything else has a default.
/// `kubectl scale` sets `scaling.min`: a floor below which the operator never goes, not a fixed
/// count. For a fixed count on a bad night use the annotation `floodgate.dev/pin-replicas`, which
/// needs a reason and expires by itself.
#[derive(CustomResource, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "floodgate.dev",
    version = "v1alpha1",
    kind = "PaymentCluster",
    plural = "paymentclusters",
    shortname = "pay",
    category = "floodgate",
    namespaced,
    status = "PaymentClusterStatus",
    derive = "PartialEq",
    doc = "A payment service with warm capacity ready before a sale begins, and planned degradation when capacity cannot be added in time.",
    scale(
        spec_replicas_path = ".spec.scaling.min",
        status_replicas_path = ".status.replicas.current",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Desired",
        type_ = "integer",
        json_path = ".status.replicas.desired"
    ),
    printcolumn(
        name = "Ready Pods",
        type_ = "integer",
        json_path = ".status.replicas.ready"
    ),
    printcolumn(
        name = "Warm",
        type_ = "integer",
        json_path = ".status.replicas.warm"
    ),
    printcolumn(
        name = "Level",
        type_ = "string",
        json_path = ".status.level.current"
    ),
    printcolumn(
        name = "Load",
        type_ = "integer",
        json_path = ".status.loadRps",
        description = "Offered load in requests per second."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
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
    ),
    validation = Rule::new("self.metadata.name.size() <= 50").message(
        "`metadata.name` must be at most 50 characters long, so that the objects made from it fit"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct PaymentClusterSpec {
    /// What runs: image, resources, log filter.
    pub service: Service,
    /// Where the ledger, the cache and the events live; every address by Secret reference.
    pub backends: Backends,
    /// How many pods to run, within which bounds, and how fast to remove them.
    #[serde(default)]
    pub scaling: Scaling,
    /// Where to read the load.
    pub traffic: Traffic,
    /// What to expect from history. The forecast only adds pods and never removes any.
    #[serde(default)]
    pub forecast: Forecast,
    /// What a new pod loads before it takes traffic, and how long that may take.
    #[serde(default)]
    pub prewarm: Prewarm,
    /// When planned degradation begins and ends.
    #[serde(default)]
    pub degradation: Degradation,
}
