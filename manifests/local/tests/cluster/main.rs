//! The cluster tier: real kubelet, real pods, real Prometheus, the operator under its own RBAC.
//!
//! The cluster has to be up and both images loaded; `make test` sees to it.
//! Tests run one after the other on one stage: `--test-threads=1`.

#![allow(clippy::panic, reason = "a test ends by panic")]

mod deciding;
mod explained;
mod sales;
mod stage;

use std::time::Duration;

use floodgate_contract::{ControlStatus, WarmState};
use floodgate_words::Level;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stage::{Stage, WAIT};

#[tokio::test(flavor = "multi_thread")]
async fn f01_s2_losing_prometheus_shrinks_nothing_and_says_so() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let until = Timestamp::now() + SignedDuration::from_secs(25);
    stage
        .annotate(&[
            ("floor-replicas", Some("4")),
            ("override-until", Some(&until.to_string())),
            (
                "override-reason",
                Some("cluster tier: something to shrink from"),
            ),
        ])
        .await;
    stage
        .eventually("four replicas", WAIT, || async {
            stage.replicas().await == Some(4)
        })
        .await;
    stage
        .cluster
        .prometheus_stop()
        .await
        .expect("Prometheus stops");
    stage
        .eventually("SignalsFresh=False", Duration::from_secs(30), || async {
            stage.condition("SignalsFresh").await.as_deref() == Some("False")
        })
        .await;
    // The floor lapses while nothing is known: an autoscaler that reads missing as zero shrinks here.
    // Longer than the stabilisation window of the cluster (20 s), which would hide it for a while.
    let watched_until = until + SignedDuration::from_secs(45);
    stage
        .eventually("the end of the watch", Duration::from_secs(120), || async {
            let replicas = stage.replicas().await;
            assert_eq!(replicas, Some(4), "shrunk without a fresh load");
            Timestamp::now() >= watched_until
        })
        .await;
    stage
        .cluster
        .prometheus_start()
        .await
        .expect("Prometheus starts");
    stage
        .eventually("SignalsFresh=True", WAIT, || async {
            stage.condition("SignalsFresh").await.as_deref() == Some("True")
        })
        .await;
    stage
        .eventually("fewer replicas once the load is known", WAIT, || async {
            stage.replicas().await.is_some_and(|replicas| replicas < 4)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_a_level_reaches_every_pod_lapses_without_the_operator_and_comes_back_with_it() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let until = Timestamp::now() + SignedDuration::from_secs(900);
    stage
        .annotate(&[
            ("degrade-floor", Some("Reduce")),
            ("override-until", Some(&until.to_string())),
            ("override-reason", Some("cluster tier: a level")),
        ])
        .await;
    let all_at = |level: Level| {
        let stage = &stage;
        async move {
            let statuses = stage.statuses().await;
            !statuses.is_empty() && statuses.iter().all(|status| status.level == level)
        }
    };
    stage
        .eventually("Reduce on every pod", Duration::from_secs(10), || {
            all_at(Level::Reduce)
        })
        .await;

    stage.scale_operator(0).await;
    stage
        .eventually("the floor's lapse", Duration::from_secs(75), || {
            all_at(Level::Normal)
        })
        .await;
    let still_serving = |status: &ControlStatus| status.ready;
    assert!(
        stage.statuses().await.iter().all(still_serving),
        "the data plane needs no operator"
    );

    stage.scale_operator(1).await;
    stage
        .eventually("Reduce again", WAIT, || all_at(Level::Reduce))
        .await;
    stage.quiet().await;
    stage
        .eventually("Normal again", WAIT, || all_at(Level::Normal))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f33_a_pod_nobody_warms_serves_as_partial_after_its_deadline() {
    let stage = Stage::set().await;
    stage.quiet().await;
    stage.scale_operator(0).await;
    let victim = stage.pods().await.pop().expect("a pod");
    stage
        .kubectl(&[
            "delete",
            "pod",
            &victim.name,
            "--namespace",
            "pay",
            "--wait=true",
        ])
        .await;
    let is_new = |name: &str| name != victim.name;
    stage
        .eventually(
            "a new pod serving as partial",
            Duration::from_secs(60),
            || async {
                for pod in stage.pods().await.iter().filter(|pod| is_new(&pod.name)) {
                    let status = stage.status_of(pod).await;
                    let cold = status.as_ref().is_some_and(|status| {
                        matches!(status.warm, WarmState::Cold | WarmState::Warming)
                    });
                    assert!(!(cold && pod.ready), "{} is Ready while cold", pod.name);
                    if pod.ready && status.is_some_and(|status| status.warm == WarmState::Partial) {
                        return true;
                    }
                }
                false
            },
        )
        .await;
    stage.scale_operator(1).await;
    stage
        .eventually("the operator warming it after all", WAIT, || async {
            let statuses = stage.statuses().await;
            !statuses.is_empty() && statuses.iter().all(|status| status.warm == WarmState::Warm)
        })
        .await;
    stage.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b20_s12_a_cluster_without_its_secret_says_so_and_delays_no_other() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let mut bad = stage.object().await;
    bad["metadata"] = json!({ "name": "broken", "namespace": "pay" });
    bad["spec"]["backends"]["cacheSecretRef"] = json!({ "name": "no-such-secret", "key": "url" });
    bad.as_object_mut().expect("an object").remove("status");
    stage
        .cluster
        .apply(&bad.to_string())
        .await
        .expect("the schema accepts it");
    stage
        .eventually(
            "Accepted=False with the name of the Secret",
            WAIT,
            || async {
                stage.condition_of("broken", "Accepted").await.is_some_and(
                    |(status, _, message)| status == "False" && message.contains("no-such-secret"),
                )
            },
        )
        .await;
    assert_eq!(
        stage.condition("Ready").await.as_deref(),
        Some("True"),
        "the good one goes on"
    );
    stage
        .kubectl(&["delete", "paymentcluster", "broken", "--namespace", "pay"])
        .await;
}
