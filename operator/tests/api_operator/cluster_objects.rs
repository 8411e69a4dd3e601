//! From nothing to everything a cluster owns, and then rest.

use floodgate_api::PaymentCluster;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Secret, Service},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{Api, ResourceExt, api::PostParams};
use serde_json::json;

use crate::stage::{Stage, until};

/// Nobody listens there.
pub const NO_PROMETHEUS: &str = "http://127.0.0.1:9";

/// Status and reason of a condition.
pub fn condition(cluster: &PaymentCluster, kind: &str) -> Option<(String, String)> {
    let conditions = &cluster.status.as_ref()?.conditions;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == kind)?;
    Some((condition.status.clone(), condition.reason.clone()))
}

pub fn says(cluster: &PaymentCluster, kind: &str, status: &str, reason: &str) -> bool {
    condition(cluster, kind) == Some((status.to_owned(), reason.to_owned()))
}

/// Replicas the Deployment asks for; none while it does not exist.
pub async fn replicas(stage: &Stage, name: &str) -> Option<i32> {
    let api: Api<Deployment> = stage.api();
    api.get_opt(name).await.unwrap()?.spec.replicas
}

/// Kind and resourceVersion of everything a cluster is and owns; none while something is missing.
pub async fn versions(stage: &Stage, name: &str) -> Option<Vec<(&'static str, String)>> {
    let control = format!("{name}-control");
    let cluster = stage.api::<PaymentCluster>().get_opt(name).await.unwrap()?;
    let deployment = stage.api::<Deployment>().get_opt(name).await.unwrap()?;
    let service = stage.api::<Service>().get_opt(name).await.unwrap()?;
    let secret = stage.api::<Secret>().get_opt(&control).await.unwrap()?;
    let budget = stage
        .api::<PodDisruptionBudget>()
        .get_opt(name)
        .await
        .unwrap()?;
    let policy = stage.api::<NetworkPolicy>().get_opt(name).await.unwrap()?;
    Some(vec![
        ("PaymentCluster", cluster.resource_version()?),
        ("Deployment", deployment.resource_version()?),
        ("Service", service.resource_version()?),
        ("Secret", secret.resource_version()?),
        ("PodDisruptionBudget", budget.resource_version()?),
        ("NetworkPolicy", policy.resource_version()?),
    ])
}

#[tokio::test]
async fn s5_converges_from_nothing_and_then_writes_nothing() {
    let stage = Stage::with_secrets("converge").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    operator.settle().await;
    let (before, writes) = (versions(&stage, "till").await, operator.writes.count());
    let passes = operator.metrics.reconciles.get();
    until("ten more passes", async || {
        operator.metrics.reconciles.get() >= passes + 10
    })
    .await;
    assert_eq!(versions(&stage, "till").await, before);
    assert_eq!(
        operator.writes.count(),
        writes,
        "a pass over a settled cluster sends no write"
    );
    assert_eq!(
        replicas(&stage, "till").await,
        Some(2),
        "the least count to begin with"
    );
    let cluster = stage.cluster("till").await;
    assert!(says(&cluster, "Accepted", "True", "Accepted"));
    assert!(says(
        &cluster,
        "SignalsFresh",
        "False",
        "PrometheusUnreachable"
    ));
    let status = cluster.status.unwrap();
    assert_eq!(status.observed_generation, cluster.metadata.generation);
    assert_eq!(status.decision.unwrap().to, 2);
    operator.stop().await;
}

#[tokio::test]
async fn a_second_process_finds_everything_as_it_should_be() {
    let stage = Stage::with_secrets("takeover").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let first = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    first.settle().await;
    let before = versions(&stage, "till").await.unwrap();
    first.stop().await;
    let second = stage.operator();
    second.settle().await;
    let after = versions(&stage, "till").await.unwrap();
    let workload = |all: &[(&'static str, String)]| all[1..].to_vec();
    assert_eq!(
        workload(&after),
        workload(&before),
        "no pod is rolled by a new operator"
    );
    second.stop().await;
}

#[tokio::test]
async fn b20_a_missing_secret_is_said_and_its_appearance_is_enough() {
    let stage = Stage::empty("secret").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    let refused = async || {
        says(
            &stage.cluster("till").await,
            "Ready",
            "False",
            "SecretNotFound",
        )
    };
    until("the missing Secret is named", refused).await;
    assert_eq!(
        replicas(&stage, "till").await,
        None,
        "nothing is made for it yet"
    );
    stage.create_backends_secret().await;
    until("it converges", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    until("it says so", async || {
        says(&stage.cluster("till").await, "Accepted", "True", "Accepted")
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn f29_a_deployment_of_somebody_else_is_left_alone() {
    let stage = Stage::with_secrets("taken").await;
    let service: Service = serde_json::from_value(json!({
        "metadata": { "name": "till" },
        "spec": { "ports": [{ "port": 1 }] }
    }))
    .unwrap();
    let foreign = stage
        .api::<Service>()
        .create(&PostParams::default(), &service)
        .await
        .unwrap();
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("the taken name is said", async || {
        says(&stage.cluster("till").await, "Ready", "False", "NameTaken")
    })
    .await;
    let after = stage.api::<Service>().get("till").await.unwrap();
    assert_eq!(after.resource_version(), foreign.resource_version());
    assert_eq!(replicas(&stage, "till").await, None);
    operator.stop().await;
}
