//! Sales that cannot be acted on, and what a person scales to while one is near.

use floodgate_api::{PaymentCluster, SaleEvent};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    cluster_objects::{NO_PROMETHEUS, replicas, says, versions},
    conflicts::notes,
    stage::{Stage, until},
};

/// A sale over two hours whose only phase starts in so many minutes.
async fn create_sale(stage: &Stage, name: &str, in_minutes: i64) {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let at = |minutes| (now + SignedDuration::from_mins(minutes)).to_string();
    let sale: SaleEvent = serde_json::from_value(json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": name },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": at(in_minutes), "end": at(in_minutes + 120),
            "phases": [{ "name": "rush", "t0": at(in_minutes) }],
            "upliftPercent": 1000
        }
    }))
    .unwrap();
    let params = PostParams::default();
    stage.api().create(&params, &sale).await.unwrap();
}

/// Whether `Accepted` of a sale has this status and reason.
async fn accepted(stage: &Stage, name: &str, status: &str, reason: &str) -> bool {
    let conditions = stage.sale(name).await.status.map(|one| one.conditions);
    let mut accepted = conditions.iter().flatten();
    accepted.any(|one| one.type_ == "Accepted" && one.status == status && one.reason == reason)
}

#[tokio::test]
async fn f20_a_sale_that_was_over_when_it_was_declared_is_refused_in_the_open() {
    let stage = Stage::with_secrets("past-sale").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    create_sale(&stage, "yesterday", -1_440).await;
    let operator = stage.operator();
    until("it is refused", async || {
        accepted(&stage, "yesterday", "False", "SalePast").await
    })
    .await;
    until("an Event tells of it", async || {
        !notes(&stage, "SalePast").await.is_empty()
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn b31_a_sale_that_hits_nothing_says_so_until_its_cluster_comes() {
    let stage = Stage::with_secrets("lonely-sale").await;
    create_sale(&stage, "autumn", 600).await;
    let operator = stage.operator();
    until("nothing is hit", async || {
        accepted(&stage, "autumn", "False", "NoClusterMatches").await
    })
    .await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    until("the cluster is hit", async || {
        accepted(&stage, "autumn", "True", "Accepted").await
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn f28_what_a_person_scales_to_while_a_sale_is_near_stands_over_a_restart() {
    let stage = Stage::with_secrets("by-hand").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    create_sale(&stage, "autumn", 30).await;
    let operator = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    operator.settle().await;
    let api: Api<Deployment> = stage.api();
    let typed = PatchParams {
        field_manager: Some("kubectl".to_owned()),
        ..PatchParams::default()
    };
    let scale = json!({ "spec": { "replicas": 7 } });
    let scaled = api.patch_scale("till", &typed, &Patch::Merge(&scale)).await;
    assert_eq!(scaled.unwrap().spec.unwrap().replicas, Some(7));
    let floor = async |stage: &Stage| {
        let cluster: PaymentCluster = stage.cluster("till").await;
        let shown = cluster.status.iter().flat_map(|status| &status.overrides);
        let mut shown = shown.filter(|one| one.name == "scaled-by-hand");
        shown.any(|one| one.value == "7") && says(&cluster, "ScaleConflict", "True", "ScaledByHand")
    };
    until("the hand is shown as a floor", async || floor(&stage).await).await;
    operator.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(7));
    operator.stop().await;
    let next = stage.operator();
    next.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(7));
    next.stop().await;
}
