//! Load, pods and sales: what is sampled is acted upon, and what is missing shrinks nothing.

use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_contract::WarmState;
use floodgate_words::Level;
use jiff::{SignedDuration, Timestamp};
use kube::api::PostParams;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    cluster_objects::{replicas, says},
    conflicts::notes,
    pods::{Answer, FakePod, FakePrometheus},
    stage::{Stage, until},
};

/// Scales down without waiting, so that a wrong decrease would show at once.
fn eager() -> serde_json::Value {
    json!({ "scaling": {
        "min": 2, "max": 12, "capacityRps": 50,
        "scaleDown": { "stabilizationSeconds": 0, "percentPerMinute": 100 }
    } })
}

#[tokio::test]
async fn s1_load_is_followed_up_and_down() {
    let stage = Stage::with_secrets("follow").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(390.0)).await;
    stage.create_cluster("till", &prometheus.url, eager()).await;
    let operator = stage.operator();
    until("eight pods for 390/s", async || {
        replicas(&stage, "till").await == Some(8)
    })
    .await;
    until("the signal is fresh", async || {
        says(
            &stage.cluster("till").await,
            "SignalsFresh",
            "True",
            "SignalsFresh",
        )
    })
    .await;
    prometheus.say(Answer::Rps(900.0));
    until("the most there may be", async || {
        replicas(&stage, "till").await == Some(12)
    })
    .await;
    until("it is not enough, and said", async || {
        says(
            &stage.cluster("till").await,
            "CapacitySufficient",
            "False",
            "AtMaximum",
        )
    })
    .await;
    until("the Event has the reason of the guard", async || {
        let notes = notes(&stage, "AtMaximum").await;
        notes.iter().any(|note| note.starts_with("8 -> 12"))
    })
    .await;
    prometheus.say(Answer::Rps(90.0));
    // The largest load of the last minute counts, so this takes that minute.
    until("two pods for 90/s", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_f11_s2_no_kind_of_missing_load_shrinks_anything() {
    let stage = Stage::with_secrets("missing").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(390.0)).await;
    stage.create_cluster("till", &prometheus.url, eager()).await;
    let operator = stage.operator();
    let labels = json!({ "namespace": "missing", "cluster": "till", "fact": "rps" });
    let value = |value: &str| json!([{ "metric": labels, "value": [1.0, value] }]);
    for (answer, reason) in [
        (Answer::Status(503), "PrometheusUnreachable"),
        (Answer::Vector(json!([])), "SeriesMissing"),
        (Answer::Vector(value("NaN")), "ValueImplausible"),
        (Answer::Vector(value("-Inf")), "ValueImplausible"),
        (Answer::Vector(value("0")), "SignalsStale"),
        (Answer::Text("<html>proxy</html>"), "PrometheusUnreachable"),
        (Answer::Text("{\"status\":\"succ"), "PrometheusUnreachable"),
        (Answer::Hangs, "PrometheusUnreachable"),
    ] {
        prometheus.say(Answer::Rps(390.0));
        until("eight pods", async || {
            replicas(&stage, "till").await == Some(8)
                && says(
                    &stage.cluster("till").await,
                    "SignalsFresh",
                    "True",
                    "SignalsFresh",
                )
        })
        .await;
        prometheus.say(answer.clone());
        until(&format!("{answer:?} is {reason}"), async || {
            says(
                &stage.cluster("till").await,
                "SignalsFresh",
                "False",
                reason,
            )
        })
        .await;
        assert_eq!(replicas(&stage, "till").await, Some(8), "{answer:?}");
    }
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_prometheus_whose_clock_is_off_is_named_and_shrinks_nothing() {
    let stage = Stage::with_secrets("skew").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(390.0)).await;
    stage.create_cluster("till", &prometheus.url, eager()).await;
    let operator = stage.operator();
    let signals = async |status: &str, reason: &str| {
        says(&stage.cluster("till").await, "SignalsFresh", status, reason)
    };
    for ahead_s in [600, -600] {
        prometheus.say(Answer::Rps(390.0));
        until("eight pods by a true clock", async || {
            replicas(&stage, "till").await == Some(8) && signals("True", "SignalsFresh").await
        })
        .await;
        prometheus.say(Answer::RpsByClock(90.0, ahead_s));
        until("the skew is told", async || {
            signals("False", "ClockSkew").await
        })
        .await;
        assert_eq!(replicas(&stage, "till").await, Some(8), "{ahead_s} s ahead");
    }
    // Which clock is wrong nobody knows; a load that asks for more is believed.
    prometheus.say(Answer::RpsByClock(590.0, 600));
    until("twelve pods for 590/s", async || {
        replicas(&stage, "till").await == Some(12)
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn a_new_pod_gets_the_hot_set_and_the_policy_at_once() {
    let stage = Stage::with_secrets("push").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(20.0)).await;
    stage.create_cluster("till", &prometheus.url, eager()).await;
    let operator = stage.operator();
    until("the cluster runs", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    let pod = FakePod::start(&stage, "till", 11, 1).await;
    let started = Instant::now();
    until("the hot set arrives", async || {
        pod.told.lock().unwrap().warm.is_some()
    })
    .await;
    let waited_s = started.elapsed().as_secs_f64();
    assert!(waited_s < 10.0, "the pod waited {waited_s:.1} s");
    until("the policy arrives", async || {
        pod.told.lock().unwrap().policy.is_some()
    })
    .await;
    assert_eq!(
        pod.told.lock().unwrap().tokens.len(),
        1,
        "one token, the one of its Secret"
    );
    pod.ready(&stage, "till-1").await;
    until("it counts as warm", async || {
        let cluster = stage.cluster("till").await;
        let counts = cluster.status.and_then(|status| status.replicas);
        counts.is_some_and(|counts| counts.warm == 1 && counts.ready == 1)
    })
    .await;
    pod.told.lock().unwrap().status.warm = WarmState::Partial;
    until("a partial pod is Ready and not warm", async || {
        let cluster = stage.cluster("till").await;
        let counts = cluster.status.and_then(|status| status.replicas);
        counts.is_some_and(|counts| counts.warm == 0 && counts.ready == 1)
    })
    .await;
    let annotations = json!({ "metadata": { "annotations": {
        "floodgate.dev/degrade-pin": "Protect",
        "floodgate.dev/override-until": (Timestamp::now() + SignedDuration::from_mins(5)).to_string(),
        "floodgate.dev/override-reason": "bank is slow"
    } } });
    stage.patch::<PaymentCluster>("till", annotations).await;
    until("the pin arrives", async || {
        let told = pod.told.lock().unwrap();
        told.policy
            .as_ref()
            .is_some_and(|policy| policy.pin == Some(Level::Protect))
    })
    .await;
    operator.stop().await;
}

#[tokio::test]
async fn a_sale_stands_before_t0_and_tells_what_stood() {
    let stage = Stage::with_secrets("sale").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(40.0)).await;
    let mut spec = eager();
    spec["prewarm"] = json!({ "leadSecondsMin": 1, "leadSecondsMax": 2 });
    spec["forecast"] = json!({ "marginSeconds": 4 });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    until("the load is known", async || {
        says(
            &stage.cluster("till").await,
            "SignalsFresh",
            "True",
            "SignalsFresh",
        )
    })
    .await;
    let t0 = Timestamp::from_second(Timestamp::now().as_second() + 20).unwrap();
    let later = |seconds| (t0 + SignedDuration::from_secs(seconds)).to_string();
    let sale: SaleEvent = serde_json::from_value(json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": "midnight" },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": t0.to_string(), "end": later(8),
            "phases": [{ "name": "rush", "t0": t0.to_string() }],
            "upliftPercent": 1000
        }
    }))
    .unwrap();
    stage
        .api()
        .create(&PostParams::default(), &sale)
        .await
        .unwrap();
    let phase = async || {
        let status = stage.sale("midnight").await.status?;
        status.clusters.first()?.phases.first().cloned()
    };
    until("the plan is published", async || phase().await.is_some()).await;
    assert_eq!(phase().await.unwrap().planned_replicas, 8);
    until("the planned pods are ordered", async || {
        replicas(&stage, "till").await == Some(8)
    })
    .await;
    assert!(Timestamp::now() < t0, "before T0");
    until("what stood at T0 is noted", async || {
        phase()
            .await
            .is_some_and(|phase| phase.ready_at_t0.is_some())
    })
    .await;
    until("the report stands", async || {
        phase().await.is_some_and(|phase| phase.report.is_some())
    })
    .await;
    let report = phase().await.unwrap().report.unwrap();
    assert_eq!((report.peak_rps, report.replicas_max), (40, 8));
    let lifts: Vec<i32> = report.profile.iter().map(|lift| lift.p50_percent).collect();
    assert_eq!(lifts, [100], "the load was that of the baseline");
    operator.stop().await;
}
