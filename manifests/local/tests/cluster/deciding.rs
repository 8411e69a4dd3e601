//! Why there are so many pods: modes, other writers, overrides. What `kubectl floodgate explain`
//! says is held to in each case.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::explained::bid_of;
use crate::stage::{Stage, WAIT, ahead};

/// Names and values of annotations.
type Annotations<'a> = Vec<(&'a str, Option<&'a str>)>;

/// An autoscaler beside the operator has to be named within this.
const NAMED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn recommend_changes_nothing_and_shows_everything() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let base = stage.replicas().await.expect("a Deployment");
    stage
        .patch_cluster(&json!({ "spec": { "scaling": { "mode": "Recommend" } } }))
        .await;
    let uplift_percent = stage.uplift_to(400).await;
    stage
        .apply_sale("advised", ahead(30), ahead(600), uplift_percent)
        .await;

    stage
        .eventually("the sale's number as a recommendation", WAIT, || async {
            let explained = stage.explain().await;
            explained["decision"]["winner"] == "Sale"
                && explained["decision"]["to"].as_u64() >= Some(base as u64 + 4)
        })
        .await;
    let explained = stage.explain_page().await;
    assert!(
        explained.contains("only recommended")
            && explained.contains(&format!("Pods       {base} pods")),
        "a person must not take the number for pods:\n{explained}"
    );
    // Through T0 and half a minute of the sale: an operator that forgets its mode scales here.
    let watched_until = ahead(60);
    stage
        .eventually("the end of the watch", WAIT, || async {
            assert_eq!(
                stage.replicas().await,
                Some(base),
                "Recommend changed the replicas"
            );
            Timestamp::now() >= watched_until
        })
        .await;
    let plan_met = stage.condition_of("checkout", "PlanMet").await;
    assert!(
        plan_met
            .as_ref()
            .is_some_and(|(_, reason, _)| reason == "RecommendOnly"),
        "{plan_met:?}"
    );

    stage.delete_sale("advised").await;
    stage
        .patch_cluster(&json!({ "spec": { "scaling": { "mode": "Enforce" } } }))
        .await;
    stage.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f26_s6_an_autoscaler_is_named_within_10_s_and_not_fought() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let autoscaler = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "somebody-elses", "namespace": "pay" },
        "spec": {
            "minReplicas": 5,
            "maxReplicas": 9,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout" },
        },
    });
    stage
        .cluster
        .apply(&autoscaler.to_string())
        .await
        .expect("an autoscaler");
    let named = |explained: &Option<(String, String, String)>| {
        explained.as_ref().is_some_and(|(status, reason, message)| {
            status == "True" && reason == "AutoscalerTargets" && message.contains("somebody-elses")
        })
    };
    stage
        .eventually("the autoscaler's name", NAMED_WITHIN, || async {
            named(&stage.condition_of("checkout", "ScaleConflict").await)
        })
        .await;
    // The autoscaler's own floor is 5; the operator alone would want fewer.
    stage
        .eventually("the autoscaler's five replicas", WAIT, || async {
            stage.replicas().await == Some(5)
        })
        .await;
    let written = stage.deployment_generation().await;
    let watched_until = ahead(30);
    stage
        .eventually("the end of the watch", WAIT, || async {
            assert_eq!(
                stage.replicas().await,
                Some(5),
                "the operator wrote against it"
            );
            Timestamp::now() >= watched_until
        })
        .await;
    assert_eq!(stage.deployment_generation().await, written, "a fight");
    let explained = stage.explain_page().await;
    assert!(
        explained.contains("somebody-elses") && explained.contains("Pods       5 pods"),
        "explain must name who holds the number:\n{explained}"
    );

    stage
        .kubectl(&["delete", "hpa", "somebody-elses", "--namespace", "pay"])
        .await;
    stage
        .eventually("the end of the conflict", WAIT, || async {
            stage.condition("ScaleConflict").await.as_deref() == Some("False")
        })
        .await;
    stage.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b25_b27_f60_every_refused_override_is_told_and_changes_nothing() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let before = stage.replicas().await;
    let until = ahead(600).to_string();
    let too_long = ahead(25 * 3_600).to_string();
    let why = Some("cluster tier: refused");
    let cases: [(&str, Annotations, &str, &str); 4] = [
        (
            "a typo",
            vec![
                ("florr-replicas", Some("9")),
                ("override-until", Some(&until)),
                ("override-reason", why),
            ],
            "UnknownAnnotation",
            "floor-replicas",
        ),
        (
            "no reason",
            vec![
                ("pin-replicas", Some("9")),
                ("override-until", Some(&until)),
            ],
            "InvalidOverride",
            "override-reason",
        ),
        (
            "no end",
            vec![("pin-replicas", Some("9")), ("override-reason", why)],
            "InvalidOverride",
            "override-until",
        ),
        (
            "25 hours",
            vec![
                ("pin-replicas", Some("9")),
                ("override-until", Some(&too_long)),
                ("override-reason", why),
            ],
            "InvalidOverride",
            "24 h",
        ),
    ];
    for (case, annotations, reason, said) in cases {
        stage.annotate(&annotations).await;
        stage
            .eventually(case, Duration::from_secs(15), || async {
                let explained = stage.explain().await;
                let events = explained["events"].as_array().cloned().unwrap_or_default();
                events.iter().any(|event| {
                    let message = event["message"].as_str().unwrap_or_default();
                    event["reason"] == reason && message.contains(said)
                })
            })
            .await;
        assert_eq!(
            stage.replicas().await,
            before,
            "{case} changed the replicas"
        );
        let remove: Vec<_> = annotations.iter().map(|(name, _)| (*name, None)).collect();
        stage.annotate(&remove).await;
    }
    stage.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_an_override_wins_and_lapses_to_the_second() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let before = stage.replicas().await.expect("a Deployment");
    let until = ahead(20).round(jiff::Unit::Second).expect("a second");
    stage
        .annotate(&[
            ("floor-replicas", Some("4")),
            ("override-until", Some(&until.to_string())),
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
    let explained = stage.explain().await;
    assert_eq!(explained["decision"]["winner"], "Override", "{explained:#}");
    let bid = bid_of(&explained, "Override").expect("its bid");
    let reason = bid["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("cluster tier: a floor"), "{reason}");

    stage
        .eventually("the override's lapse", Duration::from_secs(25), || async {
            stage.condition("Overridden").await.as_deref() == Some("False")
        })
        .await;
    // When it was said, not when this poll saw it; conditions carry whole seconds.
    let lapsed = stage.transition("Overridden").await.expect("a time");
    let late_s = lapsed.duration_since(until).as_secs();
    assert!((0..=1).contains(&late_s), "it lapsed {late_s} s late");
    let explained = stage.explain().await;
    assert_ne!(explained["decision"]["winner"], "Override", "{explained:#}");
    stage
        .eventually("the replicas of before", WAIT, || async {
            stage.replicas().await == Some(before)
        })
        .await;
}
