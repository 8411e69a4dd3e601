//! One lease, several candidates.

use std::time::Duration;

use floodgate_operator::{
    clock::Clock,
    leader::{CampaignEnd, Leadership, LeaseSettings, campaign},
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::DeleteParams;
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::stage::{PATIENCE, Stage};

struct Candidate {
    state: watch::Receiver<Leadership>,
    stop: CancellationToken,
    task: JoinHandle<CampaignEnd>,
}

fn settings(identity: &str) -> LeaseSettings {
    LeaseSettings {
        duration: Duration::from_secs(4),
        renew_deadline: Duration::from_secs(2),
        retry: Duration::from_millis(300),
        ..LeaseSettings::new("leader", identity)
    }
}

fn candidate(stage: &Stage, identity: &str) -> Candidate {
    let (sender, state) = watch::channel(Leadership::default());
    let stop = CancellationToken::new();
    let campaign = campaign(
        stage.api(),
        settings(identity),
        Clock::system(),
        sender,
        stop.clone(),
    );
    Candidate {
        state,
        stop,
        task: tokio::spawn(campaign),
    }
}

impl Candidate {
    fn leads(&self) -> bool {
        self.state.borrow().may_write(Instant::now())
    }

    async fn led(&mut self) {
        let led = self.state.wait_for(|state| state.until.is_some());
        timeout(PATIENCE, led)
            .await
            .expect("it leads in time")
            .unwrap();
    }
}

#[tokio::test]
async fn s6_a_killed_leader_is_followed_only_after_its_lease() {
    let stage = Stage::empty("lease-kill").await;
    let mut first = candidate(&stage, "first");
    first.led().await;
    let mut second = candidate(&stage, "second");
    first.task.abort();
    let killed_at = Instant::now();
    second.led().await;
    assert!(
        !first.leads(),
        "the first one had counted itself out before"
    );
    assert!(second.state.borrow().taken_over && !first.state.borrow().taken_over);
    let waited = killed_at.elapsed();
    assert!(
        waited >= Duration::from_secs(2),
        "the lease was respected: {waited:?}"
    );
    assert!(
        waited < Duration::from_secs(30),
        "the takeover came: {waited:?}"
    );
    second.stop.cancel();
    assert_eq!(second.task.await.unwrap(), CampaignEnd::Stopped);
}

#[tokio::test]
async fn a_leader_that_stops_hands_the_lease_over_at_once() {
    let stage = Stage::empty("lease-stop").await;
    let mut first = candidate(&stage, "first");
    first.led().await;
    first.stop.cancel();
    assert_eq!(first.task.await.unwrap(), CampaignEnd::Stopped);
    let lease = stage.api::<Lease>().get("leader").await.unwrap();
    assert_eq!(lease.spec.unwrap().holder_identity.as_deref(), Some(""));
    let mut second = candidate(&stage, "second");
    second.led().await;
    second.stop.cancel();
    second.task.await.unwrap();
}

#[tokio::test]
async fn s6_a_leader_whose_lease_was_taken_is_out_at_once() {
    let stage = Stage::empty("lease-taken").await;
    let mut first = candidate(&stage, "first");
    first.led().await;
    let taken = json!({ "spec": { "holderIdentity": "thief", "leaseDurationSeconds": 60 } });
    stage.patch::<Lease>("leader", taken).await;
    let end = timeout(PATIENCE, first.task)
        .await
        .expect("the campaign ends")
        .unwrap();
    assert_eq!(end, CampaignEnd::Lost);
    assert_eq!(*first.state.borrow(), Leadership::default());
}

#[tokio::test]
async fn f52_a_deleted_lease_is_made_again_by_its_holder() {
    let stage = Stage::empty("lease-deleted").await;
    let mut first = candidate(&stage, "first");
    first.led().await;
    stage
        .api::<Lease>()
        .delete("leader", &DeleteParams::default())
        .await
        .unwrap();
    crate::stage::until("the lease exists again", async || {
        let lease = stage.api::<Lease>().get_opt("leader").await.unwrap();
        let holder = lease.and_then(|lease| lease.spec?.holder_identity);
        holder.as_deref() == Some("first")
    })
    .await;
    assert!(first.leads());
    first.stop.cancel();
    first.task.await.unwrap();
}
