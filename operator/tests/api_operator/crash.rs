//! The operator dies after each of its writes in a first rollout, and the next one finishes it.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::{
    cluster_objects::{NO_PROMETHEUS, replicas, says, versions},
    stage::{Stage, until},
    writes::Writes,
};

/// Token of the control port.
async fn token(stage: &Stage) -> Option<Vec<u8>> {
    let secret = stage
        .api::<Secret>()
        .get_opt("till-control")
        .await
        .unwrap()?;
    Some(secret.data?.remove("token")?.0)
}

/// Lets one process die as `writes` says, and another one finish.
async fn survives(namespace: &str, writes: Writes) -> bool {
    let stage = Stage::with_secrets(namespace).await;
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let first = stage.operator_with(writes.clone());
    let complete = async || {
        let accepted = says(&stage.cluster("till").await, "Accepted", "True", "Accepted");
        accepted && versions(&stage, "till").await.is_some()
    };
    until("the first process dies or is done", async || {
        writes.is_dead() || complete().await
    })
    .await;
    drop(first);
    let token_before = token(&stage).await;
    let second = stage.operator();
    until("the second process finishes", complete).await;
    second.settle().await;
    assert_eq!(replicas(&stage, "till").await, Some(2));
    if token_before.is_some() {
        assert_eq!(
            token(&stage).await,
            token_before,
            "pods keep the token they were given"
        );
    }
    second.stop().await;
    writes.is_dead()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f48_a_crash_after_any_write_of_the_first_rollout_converges() {
    let mut crashes = 0;
    while survives(
        &format!("crash-{crashes}"),
        Writes::dying_after(crashes + 1),
    )
    .await
    {
        crashes += 1;
        if crashes == 12 {
            break;
        }
    }
    assert!(
        crashes >= 6,
        "five objects and the status are written, {crashes} crashes were tried"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f39_a_write_whose_answer_is_lost_is_done_once() {
    let mut crashes = 0;
    while survives(
        &format!("lost-{crashes}"),
        Writes::dying_unanswered_at(crashes + 1),
    )
    .await
    {
        crashes += 1;
        if crashes == 12 {
            break;
        }
    }
    assert!(
        crashes >= 6,
        "five objects and the status are written, {crashes} crashes were tried"
    );
}
