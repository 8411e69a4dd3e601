//! What the status says, whatever it said before.

use floodgate_api::cluster::decision::DecisionRecord;
use serde_json::json;

use super::*;
use crate::{
    conditions,
    tests::fixtures::{observed, planned_first, valid},
};

fn status_after(before: PaymentClusterStatus) -> PaymentClusterStatus {
    let observed = observed(3, json!({}));
    let cluster = valid(&observed);
    let planned = planned_first(&observed);
    let verdicts = [conditions::accepted()];
    build_status(&observed, &cluster, &planned, &verdicts, before)
}

#[test]
fn b30_a_status_that_somebody_edited_is_written_over() {
    let clean = status_after(PaymentClusterStatus::default());
    let mut edited = clean.clone();
    edited.observed_generation = Some(99);
    edited.conditions.clear();
    edited.load_rps = Some(7);
    edited.selector = Some("app=other".to_owned());
    edited.replicas = Some(ReplicaCounts {
        desired: 1_000,
        current: 0,
        ready: -4,
        warm: 7,
    });
    edited.decision = edited.decision.map(|decision| DecisionRecord {
        to: 500,
        ..decision
    });
    edited.level = Some(LevelStatus {
        floor: Level::Survive,
        ..LevelStatus::default()
    });
    edited.capacity = None;
    edited.overrides = vec![floodgate_api::cluster::status::OverrideStatus {
        name: "pin-replicas".to_owned(),
        value: "1".to_owned(),
        until: Time("2030-01-01T00:00:00Z".parse().unwrap()),
        reason: "by hand".to_owned(),
        by: None,
    }];
    // Kept until this process has measured anything: it is a measurement of an earlier one.
    assert_eq!(edited.lead_time, clean.lead_time);
    // A level is held over a restart, so what the status says of it is not decided anew at once.
    let after = status_after(edited);
    let without_level = |status: PaymentClusterStatus| PaymentClusterStatus {
        level: None,
        ..status
    };
    assert_eq!(without_level(after), without_level(clean));
}
