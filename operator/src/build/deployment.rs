//! The Deployment of a cluster.
//!
//! What rolls the pods is `spec.service`, `spec.prewarm.deadlineSeconds`, the backend references and
//! the addresses behind them, and nothing else: a new operator must not restart a fleet in a sale.

mod pod;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use floodgate_api::annotation::{CONFIG_HASH, REPLICAS_BEFORE_OVERRIDE};
use floodgate_contract::CONTROL_PORT;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sha2::{Digest, Sha256};

use super::names::{labels, pod_selector};
use super::{BuildInput, metadata};
use crate::validate::{Address, ValidatedCluster};

/// Old `ReplicaSet`s kept for `kubectl rollout undo`.
const REVISIONS: i32 = 3;
/// Seconds without progress after which a rollout is called stuck: image pull, start and warm-up
/// of one pod with room to spare.
const PROGRESS_DEADLINE_S: i32 = 300;
/// Bytes of the address hash that are shown; enough to distinguish two rollouts.
const HASH_BYTES: usize = 16;

pub(super) fn deployment(cluster: &ValidatedCluster, input: &BuildInput<'_>) -> Deployment {
    Deployment {
        metadata: ObjectMeta {
            annotations: input.before_override.map(remembered),
            ..metadata(cluster, cluster.name.clone())
        },
        spec: DeploymentSpec {
            replicas: Some(input.replicas),
            revision_history_limit: Some(REVISIONS),
            progress_deadline_seconds: Some(PROGRESS_DEADLINE_S),
            selector: pod_selector(&cluster.name),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::String("25%".to_owned())),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels(&cluster.name)),
                    annotations: Some(annotations(cluster, input.control_token)),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod::spec(cluster)),
            },
            ..DeploymentSpec::default()
        },
        ..Deployment::default()
    }
}

fn remembered(before_override: u32) -> BTreeMap<String, String> {
    BTreeMap::from([(
        REPLICAS_BEFORE_OVERRIDE.to_owned(),
        before_override.to_string(),
    )])
}

fn annotations(cluster: &ValidatedCluster, control_token: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (CONFIG_HASH.to_owned(), config_hash(cluster, control_token)),
        ("prometheus.io/port".to_owned(), CONTROL_PORT.to_string()),
        ("prometheus.io/scrape".to_owned(), "true".to_owned()),
    ])
}

/// Hash of the addresses behind the references: environment from a Secret is read once, so a new
/// address has to roll the pods. The control token salts it, or a short password could be guessed
/// from an annotation that every viewer may read.
fn config_hash(cluster: &ValidatedCluster, control_token: &str) -> String {
    let mut hasher = Sha256::new();
    let texts = cluster.backends.addresses.iter().map(Address::expose);
    for text in std::iter::once(control_token).chain(texts) {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher
        .finalize()
        .iter()
        .take(HASH_BYTES)
        .fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
