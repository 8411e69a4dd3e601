//! What stands whatever others write: quotas, foreign objects, a fight over replicas, an edited
//! status, and a pause over a restart.

use floodgate_api::PaymentCluster;
use floodgate_operator::metrics::KindLabel;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ResourceQuota};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    cluster_objects::{NO_PROMETHEUS, replicas, says, versions},
    pods::{Answer, FakePrometheus, Past},
    stage::{Running, Stage, until},
};

fn deployment_writes(operator: &Running) -> u64 {
    let label = KindLabel {
        kind: "Deployment".into(),
    };
    operator.metrics.writes.get_or_create(&label).get()
}

#[tokio::test]
async fn f27_a_repository_that_writes_without_end_is_answered_ever_less_often() {
    let stage = Stage::with_secrets("fight").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    operator.settle().await;
    let before = deployment_writes(&operator);
    let api: Api<Deployment> = stage.api();
    let repository = PatchParams::apply("argocd-controller").force();
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "till" }, "spec": { "replicas": 1 }
    });
    let rounds = 24;
    for _ in 0..rounds {
        let passes = operator.metrics.reconciles.get();
        let wanted = Patch::Apply(&wanted);
        api.patch("till", &repository, &wanted).await.unwrap();
        until("a pass saw it", async || {
            operator.metrics.reconciles.get() > passes
        })
        .await;
    }
    let answers = deployment_writes(&operator) - before;
    assert!(answers > 0, "it is put back");
    assert!(
        answers * 3 <= rounds,
        "{answers} answers in {rounds} rounds"
    );
    until("who it is is told", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "ScaleConflict", "True", "GitOpsWriter")
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn f29_a_deployment_that_somebody_else_made_is_neither_written_nor_scaled() {
    let stage = Stage::with_secrets("foreign").await;
    let foreign: Deployment = serde_json::from_value(json!({
        "metadata": { "name": "till" },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app": "other" } },
            "template": {
                "metadata": { "labels": { "app": "other" } },
                "spec": { "containers": [{ "name": "other", "image": "example.test/other:1" }] }
            }
        }
    }))
    .unwrap();
    let api: Api<Deployment> = stage.api();
    let made = api.create(&PostParams::default(), &foreign).await.unwrap();
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("the taken name is said", async || {
        says(&stage.cluster("till").await, "Ready", "False", "NameTaken")
    })
    .await;
    operator.settle().await;
    let after = api.get("till").await.unwrap();
    assert_eq!(after.resource_version(), made.resource_version());
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_a_quota_bounds_the_raise_and_is_named_by_both_conditions() {
    let stage = Stage::with_secrets("quota").await;
    let quota: ResourceQuota = serde_json::from_value(json!({
        "metadata": { "name": "team" }, "spec": { "hard": { "pods": "4" } }
    }))
    .unwrap();
    let quotas: Api<ResourceQuota> = stage.api();
    let params = PostParams::default();
    quotas.create(&params, &quota).await.unwrap();
    // What the controller of quotas would write.
    let counted = json!({ "status": { "hard": { "pods": "4" }, "used": { "pods": "0" } } });
    let merge = PatchParams::default();
    let counted = Patch::Merge(counted);
    quotas.patch_status("team", &merge, &counted).await.unwrap();
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(390.0)).await;
    let spec = json!({ "scaling": { "min": 2, "max": 12, "capacityRps": 50 } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    until("as many as the quota admits, and said", async || {
        let cluster = stage.cluster("till").await;
        replicas(&stage, "till").await == Some(4)
            && says(&cluster, "CapacitySufficient", "False", "QuotaExceeded")
    })
    .await;
    let failed = json!({ "status": { "conditions": [{
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "exceeded quota: team"
    }] } });
    let api: Api<Deployment> = stage.api();
    let failed = Patch::Merge(failed);
    api.patch_status("till", &merge, &failed).await.unwrap();
    until("the failure is told", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "WorkloadAvailable", "False", "QuotaExceeded")
    })
    .await;
    operator.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(4));
    operator.stop().await;
}

#[tokio::test]
async fn b30_a_status_that_somebody_edits_is_written_over() {
    let stage = Stage::with_secrets("edited").await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("everything exists", async || {
        versions(&stage, "till").await.is_some()
    })
    .await;
    operator.settle().await;
    let api: Api<PaymentCluster> = stage.api();
    let edit = json!({ "status": {
        "replicas": { "desired": 99, "current": 99, "ready": 99, "warm": 99 },
        "conditions": []
    } });
    let by = PatchParams {
        field_manager: Some("kubectl-edit".to_owned()),
        ..PatchParams::default()
    };
    let edited = api.patch_status("till", &by, &Patch::Merge(&edit)).await;
    let edited = edited.unwrap().status.unwrap();
    assert_eq!(edited.replicas.unwrap().desired, 99);
    until("it says what is true again", async || {
        let cluster = stage.cluster("till").await;
        let counts = cluster.status.as_ref().and_then(|status| status.replicas);
        counts.is_some_and(|counts| counts.desired == 2 && counts.ready == 0)
            && says(&cluster, "Accepted", "True", "Accepted")
    })
    .await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f59_a_pause_stands_over_a_restart_and_lapses_at_its_end() {
    let stage = Stage::with_secrets("paused").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(90.0)).await;
    let spec = json!({ "scaling": { "min": 2, "max": 12, "capacityRps": 50 } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    until("two pods for 90/s", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    let end = Timestamp::now() + SignedDuration::from_secs(25);
    let pause = json!({ "metadata": { "annotations": {
        "floodgate.dev/pause": "scaling",
        "floodgate.dev/override-until": end.to_string(),
        "floodgate.dev/override-reason": "a node is replaced"
    } } });
    stage.patch::<PaymentCluster>("till", pause).await;
    until("it is paused", async || {
        says(&stage.cluster("till").await, "Paused", "True", "Paused")
    })
    .await;
    operator.stop().await;
    prometheus.say(Answer::Rps(390.0));
    let next = stage.operator();
    until("eight pods for 390/s", async || {
        replicas(&stage, "till").await == Some(8)
    })
    .await;
    assert!(Timestamp::now() >= end, "not before the pause has lapsed");
    until("it says so", async || {
        says(&stage.cluster("till").await, "Paused", "False", "NotPaused")
    })
    .await;
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_history_lost_under_the_running_operator_is_held_for() {
    let stage = Stage::with_secrets("emptied").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(190.0)).await;
    prometheus.remember(Past::Wave);
    let spec = json!({
        "scaling": { "min": 2, "max": 12, "capacityRps": 50 },
        "traffic": { "historyStepSeconds": 300 },
        "forecast": { "refreshSeconds": 10 }
    });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    let bids = async |reason: &str| {
        let status = stage.cluster("till").await.status;
        let decision = status.and_then(|status| status.decision);
        let mut bids = decision.into_iter().flat_map(|decision| decision.bids);
        bids.any(|bid| bid.reason.starts_with(reason))
    };
    until("the forecast bids and nothing is held", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "ForecastTrusted", "True", "WithinGate")
            && replicas(&stage, "till").await == Some(4)
            && !bids("HeldAfterRestart").await
    })
    .await;
    // Down is not emptied.
    prometheus.remember(Past::Status(503));
    prometheus.say(Answer::Status(503));
    until("it cannot be asked", async || {
        let cluster = stage.cluster("till").await;
        says(&cluster, "SignalsFresh", "False", "PrometheusUnreachable")
    })
    .await;
    assert!(!bids("HeldAfterHistoryLoss").await);
    prometheus.remember(Past::Empty);
    prometheus.say(Answer::Vector(json!([])));
    until("the loss is held for", async || {
        bids("HeldAfterHistoryLoss").await
    })
    .await;
    assert_eq!(replicas(&stage, "till").await, Some(4));
    operator.stop().await;
}
