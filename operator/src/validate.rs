//! Turns a raw `PaymentCluster` and what its references resolved to into a [`ValidatedCluster`].
//!
//! Pure, and never panics: objects may be older than a schema rule, or written past it, so every
//! bound that later steps rely on is checked here again.
//! Invariant: nothing after this step reads the raw spec.

mod address;
mod service;

use std::collections::BTreeMap;

use floodgate_api::cluster::backends::{Backends, SecretKeyRef};
use floodgate_api::cluster::scaling::{NodeSupply, ScalingMode};
use floodgate_api::cluster::service::PullPolicy;
use floodgate_api::{FieldError, PaymentCluster, PaymentClusterSpec};
use floodgate_planner::{DegradationPolicy, LoadLimits, Scaling};
use floodgate_settings::{ForecastSettings, PrewarmSettings};
use floodgate_words::Reason;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;

pub use address::Address;

/// What a referenced Secret key was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    Present(Address),
    /// The Secret does not exist.
    SecretMissing,
    /// The Secret lacks the key.
    KeyMissing,
}

/// Every Secret key a cluster refers to, and what it was found to be.
pub type Secrets = BTreeMap<SecretKeyRef, SecretValue>;

/// A cluster every later step may rely on.
#[derive(Clone, Debug)]
pub struct ValidatedCluster {
    /// Name of the `PaymentCluster`.
    pub name: String,
    pub namespace: String,
    /// Makes it the controller of everything built from it.
    pub owner: OwnerReference,
    /// Generation of the spec.
    pub generation: Option<i64>,
    /// Whether decisions are applied.
    pub mode: ScalingMode,
    /// Whether nodes are added for pods that find none.
    pub nodes: NodeSupply,
    /// What runs.
    pub service: ServiceSettings,
    /// References and resolved addresses of the backends.
    pub backends: BackendSettings,
    /// For the planner.
    pub scaling: Scaling,
    /// Least and greatest capacity of a pod that may be learned, requests/s.
    pub capacity_rps_learned: std::ops::RangeInclusive<f64>,
    /// For the planner.
    pub load_limits: LoadLimits,
    /// For the planner; `None` when only override annotations impose levels.
    pub degradation: Option<DegradationPolicy>,
    /// Where the load is read from.
    pub traffic: TrafficSettings,
    /// What is expected from history.
    pub forecast: ForecastSettings,
    /// What a new pod loads.
    pub prewarm: PrewarmSettings,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    pub image: String,
    /// When it is pulled.
    pub pull_policy: PullPolicy,
    /// CPU limit, a Kubernetes quantity.
    pub cpu: String,
    /// CPU request, a Kubernetes quantity, not more than the limit.
    pub cpu_request: String,
    /// Memory request and limit, a Kubernetes quantity.
    pub memory: String,
    /// `RUST_LOG` of the pods.
    pub log_filter: String,
}

/// References of the backends, and the addresses behind them in the same order: per shard its
/// primary and replica, then cache and events.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendSettings {
    /// As in the spec, checked.
    pub refs: Backends,
    /// Content behind the references; only ever hashed, never shown.
    pub addresses: Vec<Address>,
}

/// Where the load is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficSettings {
    /// Base address of the store.
    pub url: String,
    /// Bearer token for it.
    pub token: Option<Address>,
    /// Query, when it is not the default one.
    pub query: Option<String>,
    /// Days of history.
    pub history_days: u32,
    /// Distance of its points, seconds.
    pub history_step_s: u32,
}

/// Why an object cannot be acted on; each names the field and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// The object has no name, namespace or uid; the apiserver always gives them.
    #[error("`metadata.{field}` must be set")]
    Unnamed {
        /// Which of them.
        field: &'static str,
    },
    /// A field holds what is not allowed there.
    #[error("`{field}` {must}")]
    Invalid {
        /// Path of the field.
        field: String,
        /// `must be ...`.
        must: String,
    },
    /// A field holds what is not allowed there, as operator and plugin both say it.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A referenced Secret does not exist.
    #[error("Secret `{secret}`, named in `{field}`, must exist in the namespace of the cluster")]
    SecretNotFound {
        /// Path of the reference.
        field: String,
        /// Name of the Secret.
        secret: String,
    },
    /// A referenced Secret lacks the key.
    #[error("Secret `{secret}`, named in `{field}`, must have the key `{key}`")]
    SecretKeyNotFound {
        /// Path of the reference.
        field: String,
        /// Name of the Secret.
        secret: String,
        /// Key it lacks.
        key: String,
    },
    /// A Secret key holds no usable address. What it holds is never shown.
    #[error("key `{key}` of Secret `{secret}`, named in `{field}`, must be {must}")]
    SecretInvalid {
        /// Path of the reference.
        field: String,
        /// Name of the Secret.
        secret: String,
        /// Key within it.
        key: String,
        /// What it must be, with an example.
        must: &'static str,
    },
}

impl ValidateError {
    /// Reason of the condition `Accepted`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Field(error) => error.reason(),
            Self::Unnamed { .. } => Reason::Malformed,
            Self::Invalid { .. } => Reason::InvalidSpec,
            Self::SecretNotFound { .. } => Reason::SecretNotFound,
            Self::SecretKeyNotFound { .. } => Reason::SecretKeyNotFound,
            Self::SecretInvalid { .. } => Reason::InvalidSecretValue,
        }
    }
}

/// Every Secret key the spec refers to, each once.
pub fn secret_refs(spec: &PaymentClusterSpec) -> Vec<SecretKeyRef> {
    let mut refs: Vec<SecretKeyRef> = address::backend_refs(&spec.backends)
        .map(|(_, reference, _)| reference.clone())
        .chain(spec.traffic.prometheus.token_secret_ref.clone())
        .collect();
    refs.sort();
    refs.dedup();
    refs
}

/// Validates a cluster against what its references resolved to.
pub fn validate(
    cluster: &PaymentCluster,
    secrets: &Secrets,
) -> Result<ValidatedCluster, ValidateError> {
    let unnamed = |field| ValidateError::Unnamed { field };
    let meta = &cluster.metadata;
    let spec = &cluster.spec;
    let scaling = floodgate_settings::scaling(&spec.scaling)?;
    let learn = f64::from(floodgate_settings::learn_percent(&spec.scaling)?) / 100.0;
    let declared = scaling.capacity_rps;
    Ok(ValidatedCluster {
        name: meta.name.clone().ok_or_else(|| unnamed("name"))?,
        namespace: meta.namespace.clone().ok_or_else(|| unnamed("namespace"))?,
        owner: cluster
            .controller_owner_ref(&())
            .ok_or_else(|| unnamed("uid"))?,
        generation: meta.generation,
        mode: spec.scaling.mode,
        nodes: spec.scaling.nodes,
        service: service::service(&spec.service)?,
        backends: address::backends(&spec.backends, secrets)?,
        scaling,
        capacity_rps_learned: declared * (1.0 - learn)..=declared * (1.0 + learn),
        load_limits: floodgate_settings::load_limits(&spec.traffic)?,
        degradation: floodgate_settings::degradation(&spec.degradation)?,
        traffic: address::traffic(&spec.traffic, secrets)?,
        forecast: floodgate_settings::forecast(&spec.forecast)?,
        prewarm: floodgate_settings::prewarm(&spec.prewarm)?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
