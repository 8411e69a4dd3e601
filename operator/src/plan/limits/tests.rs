//! What the nodes allow, where none are added.

use std::sync::Arc;

use floodgate_words::Reason;
use serde_json::json;

use crate::{
    nodes::RoomSeen,
    observe::Observed,
    tests::fixtures::{observed, planned, read, room},
};

/// Eight pods are wanted where `running` stand; how many are ordered, and which guards said so.
fn check(nodes: &str, running: i32, seen: Arc<RoomSeen>, expected: u32, guards: &[Reason]) {
    let busy = Observed {
        prometheus: Some(read(390.0, 1, Ok(()))),
        room: seen,
        ..observed(running, json!({ "nodes": nodes }))
    };
    let decision = planned(&busy).decision;
    let reasons: Vec<Reason> = decision.guards.iter().map(|one| one.reason).collect();
    assert_eq!((decision.replicas, &*reasons), (expected, guards));
    assert_eq!(decision.replicas_wanted, 8);
}

#[test]
fn f31_fixed_nodes_cap_the_plan_at_what_stands_and_still_fits() {
    check("Fixed", 2, room(2, 3, 10), 5, &[Reason::NodesFull]);
    check("Fixed", 2, room(2, 6, 10), 8, &[]);
    // Pods that were ordered since the reading are counted in it as room.
    check("Fixed", 5, room(2, 3, 10), 5, &[Reason::NodesFull]);
    check("Elastic", 2, room(2, 3, 10), 8, &[]);
}

#[test]
fn s2_room_that_is_not_known_or_gone_lowers_nothing() {
    check("Fixed", 2, room(2, 3, 181), 8, &[]);
    check("Fixed", 2, Arc::new(RoomSeen::Unread), 8, &[]);
    check("Fixed", 2, Arc::new(RoomSeen::Unreadable), 8, &[]);
    check("Fixed", 7, room(0, 0, 10), 7, &[Reason::NodesFull]);
}
