//! The cluster tier: real kubelet, real pods, real Prometheus, the operator under its own RBAC.
//!
//! The cluster has to be up and both images loaded; `make test` sees to it.
//! Tests run one after the other on one stage: `--test-threads=1`.

#![allow(clippy::panic, reason = "a test ends by panic")]

mod stage;

use std::time::Duration;

use floodgate_contract::{ControlStatus, Level, WarmState};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stage::{Stage, WAIT};

/// Seconds from the announcement of a sale to its T0: several times the lead time of the stage.
const T0_AHEAD_S: i64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn s1_planned_pods_are_ready_and_warm_before_t0_and_none_is_ready_cold() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let base = stage.replicas().await.expect("a Deployment");
    let t0 = Timestamp::now() + SignedDuration::from_secs(T0_AHEAD_S);
    let end = t0 + SignedDuration::from_secs(600);
    stage.apply_sale("prescale", t0, end, 1_000).await;

    stage
        .eventually("a plan in the sale's status", WAIT, || async {
            stage.sale_planned("prescale").await.is_some()
        })
        .await;
    let planned = stage.sale_planned("prescale").await.expect("a plan");
    assert!(
        planned >= 4 * base,
        "planned {planned} for a tenfold step over {base} pods"
    );

    stage
        .eventually("all planned pods Ready and warm", WAIT, || async {
            let pods = stage.pods().await;
            for pod in pods.iter().filter(|pod| pod.ready) {
                if let Some(status) = stage.status_of(pod).await {
                    assert_eq!(
                        status.warm,
                        WarmState::Warm,
                        "{} is Ready but not warm",
                        pod.name
                    );
                }
            }
            pods.iter().filter(|pod| pod.ready).count() >= planned
        })
        .await;
    let left = t0.duration_since(Timestamp::now());
    assert!(
        left.as_secs() >= 0,
        "the plan stood {} s after T0",
        -left.as_secs()
    );

    stage.delete_sale("prescale").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_an_override_wins_and_lapses_by_itself() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let before = stage.replicas().await.expect("a Deployment");
    let until = Timestamp::now() + SignedDuration::from_secs(20);
    stage
        .annotate(&[
            ("floor-replicas", Some("4")),
            (
                "override-until",
                Some(&until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ),
            ("override-reason", Some("cluster tier: a floor")),
        ])
        .await;
    stage
        .eventually("four replicas", Duration::from_secs(10), || async {
            stage.replicas().await == Some(4)
        })
        .await;
    assert_eq!(stage.condition("Overridden").await.as_deref(), Some("True"));
    assert!(Timestamp::now() < until, "the override won before its end");

    stage
        .eventually("the override's lapse", Duration::from_secs(25), || async {
            stage.condition("Overridden").await.as_deref() == Some("False")
        })
        .await;
    // When it was said, not when this poll saw it.
    let lapsed = stage.transition("Overridden").await.expect("a time");
    let late = lapsed.duration_since(until);
    assert!(
        late.as_secs() >= -1,
        "it lapsed {} s early",
        -late.as_secs()
    );
    assert!(late.as_secs() <= 3, "it lapsed {} s late", late.as_secs());
    stage
        .eventually("the replicas of before", WAIT, || async {
            stage.replicas().await == Some(before)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b25_b27_a_typo_and_an_override_without_reason_are_refused_in_the_open() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let before = stage.replicas().await;
    let until = Timestamp::now() + SignedDuration::from_secs(600);
    stage
        .annotate(&[
            ("florr-replicas", Some("9")),
            ("pin-replicas", Some("9")),
            ("override-until", Some(&until.to_string())),
        ])
        .await;
    for (reason, said) in [
        ("UnknownAnnotation", "floor-replicas"),
        ("InvalidOverride", "reason"),
    ] {
        stage
            .eventually(reason, Duration::from_secs(15), || async {
                stage
                    .events(reason)
                    .await
                    .iter()
                    .any(|note| note.contains(said))
            })
            .await;
    }
    assert_eq!(
        stage.replicas().await,
        before,
        "a refused override changes nothing"
    );
    stage.quiet().await;
}

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
