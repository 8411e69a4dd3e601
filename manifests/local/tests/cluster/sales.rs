//! The life of a sale: pods before T0, and what an edit or its withdrawal does while it runs.

use floodgate_contract::WarmState;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::explained::{bid_of, guard_of};
use crate::stage::{Stage, WAIT, ahead};

/// Seconds from the announcement of a sale to its T0: several times the lead time of the stage.
const T0_AHEAD_S: i64 = 60;

/// What a sale is to bring, requests/s: more than the pods of a quiet stage hold by far.
const SALE_RPS: u32 = 400;

#[tokio::test(flavor = "multi_thread")]
async fn s1_planned_pods_are_ready_and_warm_before_t0_and_none_is_ready_cold() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let base = stage.replicas().await.expect("a Deployment");
    let t0 = Timestamp::now() + SignedDuration::from_secs(T0_AHEAD_S);
    let end = t0 + SignedDuration::from_secs(600);
    let uplift_percent = stage.uplift_to(SALE_RPS).await;
    stage.apply_sale("prescale", t0, end, uplift_percent).await;

    stage
        .eventually("a plan in the sale's status", WAIT, || async {
            stage.sale_planned("prescale").await.is_some()
        })
        .await;
    let planned = stage.sale_planned("prescale").await.expect("a plan");
    assert!(planned >= base + 4, "planned {planned} over {base} pods");

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
            // The plan is made anew as the forecast moves, until its pre-scale begins.
            let planned = stage.sale_planned("prescale").await;
            planned.is_some_and(|planned| pods.iter().filter(|pod| pod.ready).count() >= planned)
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

/// Announces the sale `edited` and waits until it runs with its pods; the replicas it planned.
async fn running(stage: &Stage, t0: Timestamp, uplift_percent: u32) -> usize {
    stage
        .apply_sale("edited", t0, ahead(900), uplift_percent)
        .await;
    stage
        .eventually("the planned pods in the running sale", WAIT, || async {
            let planned = stage.sale_planned("edited").await;
            Timestamp::now() > t0 && planned.is_some() && stage.replicas().await >= planned
        })
        .await;
    // Numbers and words of a decision that stays are renewed every ten seconds.
    stage
        .eventually("the running sale as the reason", WAIT, || async {
            let explained = stage.explain().await;
            let runs = reason_of_sale(&explained).starts_with("SaleRunning");
            explained["decision"]["winner"] == "Sale" && runs
        })
        .await;
    stage.sale_planned("edited").await.expect("a plan")
}

/// Reason of the sale's bid in what `explain` says.
fn reason_of_sale(explained: &Value) -> String {
    let bid = bid_of(explained, "Sale").cloned().unwrap_or_default();
    bid["reason"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn f55_s10_a_running_sale_survives_a_bad_edit_follows_a_good_one_and_its_end_is_no_cliff() {
    let stage = Stage::set().await;
    stage.quiet().await;
    let base = stage.replicas().await.expect("a Deployment");
    let t0 = ahead(25);
    let uplift_percent = stage.uplift_to(SALE_RPS).await;
    let planned = running(&stage, t0, uplift_percent).await;
    assert!(planned >= base + 4, "planned {planned} over {base} pods");

    // A zone nobody has: the schema cannot know, the operator refuses it and holds the plan.
    let edit = json!({ "spec": { "timeZone": "Mars/Base" } });
    stage.patch_sale("edited", &edit).await;
    stage
        .eventually("the refusal of the edit", WAIT, || async {
            let sale = stage.sale("edited").await;
            sale["status"].to_string().contains("Mars/Base")
        })
        .await;
    // Longer than the stabilisation window of the cluster (20 s), which would hide a fall for a while.
    let watched_until = ahead(35);
    stage
        .eventually("the end of the watch", WAIT, || async {
            let replicas = stage.replicas().await;
            assert!(replicas >= Some(planned), "{replicas:?} after a bad edit");
            Timestamp::now() >= watched_until
        })
        .await;
    assert!(reason_of_sale(&stage.explain().await).starts_with("SaleRunning"));

    let mended = json!({ "spec": {
        "upliftPercent": uplift_percent / 2,
        "timeZone": null,
    } });
    stage.patch_sale("edited", &mended).await;
    stage
        .eventually("a smaller plan, and pods that follow it", WAIT, || async {
            let smaller = stage.sale_planned("edited").await;
            smaller < Some(planned) && smaller.is_some() && stage.replicas().await == smaller
        })
        .await;
    let smaller = stage.replicas().await.expect("a Deployment");
    assert!(smaller > base, "{smaller} of the sale, {base} without");
    assert!(reason_of_sale(&stage.explain().await).starts_with("SaleRunning"));

    let withdrawn = Timestamp::now();
    stage.delete_sale("edited").await;
    stage
        .eventually("the pods of before", WAIT, || async {
            stage.replicas().await <= Some(base)
        })
        .await;
    let shrunk_after_s = Timestamp::now().duration_since(withdrawn).as_secs();
    assert!(
        shrunk_after_s >= 15,
        "a withdrawn sale is no cliff: {shrunk_after_s} s"
    );
    let explained = stage.explain().await;
    assert_ne!(explained["decision"]["winner"], "Sale", "{explained:#}");
    assert_eq!(guard_of(&explained, "SaleWindow"), None, "{explained:#}");
    stage.quiet().await;
}
