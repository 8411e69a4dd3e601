//! What is said when the nodes are all there is.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    conditions::Truth,
    tests::fixtures::{observed, planned, read, room, valid},
};

fn said(nodes: &str, seen: Arc<RoomSeen>) -> Verdict {
    let busy = Observed {
        prometheus: Some(read(390.0, 1, Ok(()))),
        room: seen,
        ..observed(2, json!({ "nodes": nodes }))
    };
    let cluster = valid(&busy);
    capacity_sufficient(&busy, &cluster, &planned(&busy))
}

#[test]
fn f31_full_nodes_are_told_of_under_the_reason_of_the_guard() {
    let full = said("Fixed", room(2, 3, 10));
    assert_eq!(
        (full.status, full.reason),
        (Truth::False, Reason::NodesFull)
    );
    assert_eq!(full.reason.as_str(), Reason::NodesFull.as_str());
    assert!(
        full.message.contains("`scaling.nodes` is Fixed"),
        "{full:?}"
    );
    for (nodes, seen) in [("Fixed", room(2, 6, 10)), ("Elastic", room(2, 3, 10))] {
        let fits = said(nodes, seen);
        let expected = (Truth::True, Reason::CapacitySufficient);
        assert_eq!((fits.status, fits.reason), expected, "{nodes}");
        assert!(!fits.message.contains("not known"), "{fits:?}");
    }
}

#[test]
fn room_that_cannot_be_read_is_said_to_bound_nothing() {
    for seen in [Arc::new(RoomSeen::Unreadable), room(2, 3, 181)] {
        let unknown = said("Fixed", seen);
        assert_eq!(unknown.status, Truth::True);
        assert!(unknown.message.contains("not known"), "{unknown:?}");
        assert!(!unknown.awaits_first_answer);
    }
    // Right after a start what was said before stands until the first reading.
    assert!(said("Fixed", Arc::default()).awaits_first_answer);
    assert!(!said("Elastic", Arc::default()).awaits_first_answer);
}
