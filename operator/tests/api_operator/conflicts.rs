//! Others write what is ours: other managers, autoscalers, and people with annotations.

use floodgate_api::PaymentCluster;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Secret,
    events::v1::Event,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    cluster_objects::{NO_PROMETHEUS, replicas, says, versions},
    stage::{Running, Stage, until},
};

pub async fn settled(namespace: &str, spec: Value) -> (Stage, Running) {
    let stage = Stage::with_secrets(namespace).await;
    stage.create_cluster("till", NO_PROMETHEUS, spec).await;
    let operator = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    operator.settle().await;
    (stage, operator)
}

fn replicas_of_another(count: i32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "till" }, "spec": { "replicas": count }
    })
}

pub async fn annotate(stage: &Stage, annotations: Value) {
    let patch = json!({ "metadata": { "annotations": annotations } });
    stage.patch::<PaymentCluster>("till", patch).await;
}

pub fn ahead(seconds: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string()
}

/// Notes of all Events with a reason.
pub async fn notes(stage: &Stage, reason: &str) -> Vec<String> {
    let events: Api<Event> = stage.api();
    let events = events.list(&ListParams::default()).await.unwrap();
    let with_reason = events
        .items
        .into_iter()
        .filter(|one| one.reason.as_deref() == Some(reason));
    with_reason.filter_map(|one| one.note).collect()
}

#[tokio::test]
async fn f27_replicas_that_another_manager_writes_are_put_back_and_told_of() {
    let (stage, operator) = settled("managers", json!({})).await;
    let api: Api<Deployment> = stage.api();
    let polite = PatchParams::apply("another");
    let refused = api
        .patch("till", &polite, &Patch::Apply(replicas_of_another(7)))
        .await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("floodgate.dev/operator"),
        "the conflict names the owner: {message}"
    );
    let rude = PatchParams::apply("another").force();
    api.patch("till", &rude, &Patch::Apply(replicas_of_another(7)))
        .await
        .unwrap();
    until("the replicas are put back", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    until("the other manager is named", async || {
        let cluster = stage.cluster("till").await;
        let conditions = cluster.status.as_ref().unwrap().conditions.iter();
        let mut conflict = conditions.filter(|one| one.type_ == "ScaleConflict");
        conflict.any(|one| one.status == "True" && one.message.contains("another"))
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn f26_an_autoscaler_on_the_same_deployment_is_not_fought() {
    let (stage, operator) = settled("autoscaler", json!({})).await;
    let autoscaler: HorizontalPodAutoscaler = serde_json::from_value(json!({
        "metadata": { "name": "other" },
        "spec": {
            "maxReplicas": 9,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "till" }
        }
    }))
    .unwrap();
    stage
        .api()
        .create(&PostParams::default(), &autoscaler)
        .await
        .unwrap();
    until("the conflict is told of", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "ScaleConflict", "True", "AutoscalerTargets")
            && says(&cluster, "PlanMet", "False", "AutoscalerTargets")
    })
    .await;
    stage
        .patch::<Deployment>("till", json!({ "spec": { "replicas": 6 } }))
        .await;
    operator.settle().await;
    assert_eq!(
        replicas(&stage, "till").await,
        Some(6),
        "two writers in turn help nobody"
    );
    operator.stop().await;
}

#[tokio::test]
async fn s9_an_override_wins_and_lapses_by_itself() {
    let (stage, operator) = settled("lapse", json!({})).await;
    let until_when = ahead(25);
    annotate(
        &stage,
        json!({
            "floodgate.dev/degrade-floor": "Reduce",
            "floodgate.dev/override-until": until_when,
            "floodgate.dev/override-reason": "bank is slow"
        }),
    )
    .await;
    until("the override is in force", async || {
        let cluster = stage.cluster("till").await;
        let floor = cluster
            .status
            .as_ref()
            .and_then(|status| status.level.as_ref());
        says(&cluster, "Overridden", "True", "OverrideActive")
            && floor.is_some_and(|level| level.floor.as_str() == "Reduce")
    })
    .await;
    until("it has lapsed", async || {
        let cluster = stage.cluster("till").await;
        let floor = cluster
            .status
            .as_ref()
            .and_then(|status| status.level.as_ref());
        says(&cluster, "Overridden", "False", "OverrideLapsed")
            && floor.is_some_and(|level| level.floor.as_str() != "Reduce")
    })
    .await;
    let late = Timestamp::now().duration_since(until_when.parse().unwrap());
    assert!(late >= SignedDuration::ZERO, "not before its end");
    until("an Event tells of it", async || {
        !notes(&stage, "OverrideLapsed").await.is_empty()
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn an_override_wins_though_the_spec_has_stopped_validating() {
    let (stage, operator) = settled("retained", json!({})).await;
    let secrets: Api<Secret> = stage.api();
    let gone = DeleteParams::default();
    secrets.delete("backends", &gone).await.unwrap();
    let refused = async || {
        says(
            &stage.cluster("till").await,
            "Accepted",
            "False",
            "SecretNotFound",
        )
    };
    until("the missing Secret is named", refused).await;
    annotate(
        &stage,
        json!({
            "floodgate.dev/floor-replicas": "5",
            "floodgate.dev/override-until": ahead(600),
            "floodgate.dev/override-reason": "bank is slow"
        }),
    )
    .await;
    until("the override is in force", async || {
        replicas(&stage, "till").await == Some(5)
    })
    .await;
    assert!(refused().await, "the spec is still refused in the open");
    operator.stop().await;
}

#[tokio::test]
async fn b25_b27_what_is_no_override_is_refused_in_the_open() {
    let (stage, operator) = settled("refused", json!({})).await;
    let annotations =
        json!({ "floodgate.dev/pin-replicas": "9", "floodgate.dev/pasue": "scaling" });
    annotate(&stage, annotations).await;
    until("the refusal is told of", async || {
        let unknown = notes(&stage, "UnknownAnnotation").await;
        let refused = notes(&stage, "InvalidOverride").await;
        unknown
            .iter()
            .any(|note| note.contains("floodgate.dev/pause"))
            && refused.iter().any(|note| note.contains("override-until"))
    })
    .await;
    operator.settle().await;
    assert_eq!(
        replicas(&stage, "till").await,
        Some(2),
        "a refused override changes nothing"
    );
    operator.stop().await;
}

#[tokio::test]
async fn s4_a_restart_without_any_load_keeps_what_runs() {
    let (stage, operator) = settled("restart", json!({})).await;
    annotate(
        &stage,
        json!({
            "floodgate.dev/pin-replicas": "6",
            "floodgate.dev/override-until": ahead(3600),
            "floodgate.dev/override-reason": "rehearsal"
        }),
    )
    .await;
    until("the pin is applied", async || {
        replicas(&stage, "till").await == Some(6)
    })
    .await;
    operator.stop().await;
    let gone = json!({
        "floodgate.dev/pin-replicas": null,
        "floodgate.dev/override-until": null,
        "floodgate.dev/override-reason": null
    });
    annotate(&stage, gone).await;
    let next = stage.operator();
    until("the next process has decided", async || {
        says(
            &stage.cluster("till").await,
            "Overridden",
            "False",
            "NoOverride",
        )
    })
    .await;
    next.settle().await;
    assert_eq!(
        replicas(&stage, "till").await,
        Some(6),
        "nothing is known, so nothing shrinks"
    );
    next.stop().await;
}
