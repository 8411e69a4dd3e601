//! Mode Recommend: everything is shown, nothing is changed but by an SRE's word, and that lapses.

use floodgate_api::PaymentCluster;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use serde_json::json;

use crate::{
    cluster_objects::{replicas, says},
    conflicts::{ahead, annotate, settled},
    pods::{Answer, FakePrometheus},
    stage::{Stage, until},
};

const BEFORE_OVERRIDE: &str = "floodgate.dev/replicas-before-override";

#[tokio::test]
async fn recommend_publishes_and_leaves_the_replicas_alone() {
    let spec = json!({ "scaling": { "mode": "Recommend" } });
    let (stage, operator) = settled("recommend", spec).await;
    operator.stop().await;
    stage
        .patch::<Deployment>("till", json!({ "spec": { "replicas": 5 } }))
        .await;
    stage
        .patch::<PaymentCluster>("till", json!({ "spec": { "scaling": { "min": 8 } } }))
        .await;
    let next = stage.operator();
    until("eight are recommended", async || {
        let cluster = stage.cluster("till").await;
        cluster
            .status
            .and_then(|status| status.replicas)
            .is_some_and(|one| one.desired == 8)
    })
    .await;
    next.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(5));
    // The same while it runs: a recommendation puts nobody's hand back.
    stage
        .patch::<Deployment>("till", json!({ "spec": { "replicas": 6 } }))
        .await;
    next.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(6));
    next.stop().await;
}

/// What the Deployment says that stood before.
async fn noted(stage: &Stage) -> Option<String> {
    let deployment: Deployment = stage.api().get("till").await.unwrap();
    deployment.annotations().get(BEFORE_OVERRIDE).cloned()
}

#[tokio::test]
async fn s9_in_recommend_a_word_lapses_and_what_stood_before_it_stands_again() {
    let stage = Stage::with_secrets("recommend-lapse").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(20.0)).await;
    let spec = json!({ "scaling": {
        "mode": "Recommend",
        "scaleDown": { "stabilizationSeconds": 0, "percentPerMinute": 100 }
    } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let first = stage.operator();
    until("the cluster runs", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    stage
        .patch::<Deployment>("till", json!({ "spec": { "replicas": 3 } }))
        .await;
    first.settle().await;
    assert_eq!(
        (replicas(&stage, "till").await, noted(&stage).await),
        (Some(3), None)
    );
    annotate(
        &stage,
        json!({
            "floodgate.dev/floor-replicas": "6",
            "floodgate.dev/override-until": ahead(30),
            "floodgate.dev/override-reason": "bank is slow"
        }),
    )
    .await;
    until("the word holds", async || {
        replicas(&stage, "till").await == Some(6)
    })
    .await;
    assert_eq!(noted(&stage).await.as_deref(), Some("3"));
    // The process that carried it out need not be the one that takes it back.
    first.stop().await;
    let next = stage.operator();
    until("it has lapsed", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "Overridden", "False", "OverrideLapsed")
    })
    .await;
    until("what stood before stands again", async || {
        replicas(&stage, "till").await == Some(3)
    })
    .await;
    next.settle().await;
    assert_eq!(
        (replicas(&stage, "till").await, noted(&stage).await),
        (Some(3), None)
    );
    next.stop().await;
}
