//! Builds the child objects of a cluster from its validated form. Pure.
//!
//! Server-side apply sends exactly what is built here, every time: a field left out on one pass would
//! be given up and fall back to its default. That is why `replicas` is no option.
//! Invariant: same input, same objects, byte for byte; nothing here reads a clock or random numbers.

mod deployment;
mod names;
mod network;

use std::collections::BTreeMap;
use std::marker::PhantomData;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(crate) use self::names::labels;
pub use self::names::{CONTROL_TOKEN_KEY, control_secret_name, selector};
use crate::validate::ValidatedCluster;

/// Stage of [`Resources`]: built, not yet sent.
#[derive(Clone, Copy, Debug)]
pub struct Prepared;

/// Stage of [`Resources`]: as the apiserver returned them.
#[derive(Clone, Copy, Debug)]
pub struct Applied;

/// Everything a cluster owns. Destructure it without `..`, so that a new field cannot be forgotten.
#[derive(Clone, Debug)]
pub struct Resources<Stage> {
    /// Bearer token of the control port; applied first, the pods mount it.
    pub control_secret: Secret,
    /// Address of the payment service.
    pub service: Service,
    /// Who may reach the pods.
    pub network_policy: NetworkPolicy,
    /// How many pods a drain may take at once.
    pub pod_disruption_budget: PodDisruptionBudget,
    /// The pods; applied last, when all they need is there.
    pub deployment: Deployment,
    /// What has happened to them.
    pub stage: PhantomData<Stage>,
}

/// What the plan and the cluster add to the spec.
#[derive(Clone)]
pub struct BuildInput<'a> {
    /// Replicas to run.
    pub replicas: i32,
    /// Replicas before an override moved them, to be remembered.
    pub before_override: Option<u32>,
    /// Bearer token of the control port: the one that exists, or a fresh one when there is none.
    pub control_token: &'a str,
}

/// Builds everything a cluster owns.
pub fn build(cluster: &ValidatedCluster, input: &BuildInput<'_>) -> Resources<Prepared> {
    Resources {
        control_secret: control_secret(cluster, input.control_token),
        service: network::service(cluster),
        network_policy: network::policy(cluster),
        pod_disruption_budget: network::disruption_budget(cluster),
        deployment: deployment::deployment(cluster, input),
        stage: PhantomData,
    }
}

fn control_secret(cluster: &ValidatedCluster, token: &str) -> Secret {
    Secret {
        metadata: metadata(cluster, control_secret_name(&cluster.name)),
        type_: Some("Opaque".to_owned()),
        data: Some(BTreeMap::from([(
            CONTROL_TOKEN_KEY.to_owned(),
            ByteString(token.as_bytes().to_vec()),
        )])),
        ..Secret::default()
    }
}

fn metadata(cluster: &ValidatedCluster, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(cluster.namespace.clone()),
        labels: Some(labels(&cluster.name)),
        owner_references: Some(vec![cluster.owner.clone()]),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests;
