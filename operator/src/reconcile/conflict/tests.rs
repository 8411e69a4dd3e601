//! What a person's hand means in a sale.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::tests::fixtures::{event, now, observed, sale, written_by};

/// What one pass makes of a Deployment that somebody else wrote, where five pods were ordered.
fn noted(
    foreign: &mut ForeignWrites,
    second: i64,
    live: Deployment,
    sales: Vec<Value>,
) -> Option<ByHand> {
    let observed = Observed {
        now: now() + jiff::SignedDuration::from_secs(second),
        deployment: Some(Arc::new(live)),
        sales: sales.into_iter().map(event).collect(),
        ..observed(5, json!({}))
    };
    note_write(foreign, Some(&written_by("an-older-one", 5, 1)), &observed)
}

fn midnight() -> Value {
    let hours = ("2026-11-10T15:30:00Z", "2026-11-10T17:00:00Z");
    sale(hours, &[("rush", "2026-11-10T16:00:00Z")])
}

#[test]
fn f28_what_a_person_scales_to_in_a_sale_is_a_floor_until_it_ends() {
    let mut foreign = ForeignWrites::default();
    let mut noted = |second, live| noted(&mut foreign, second, live, vec![midnight()]);
    let hand = noted(1_800, written_by("kubectl", 9, 2)).unwrap();
    assert_eq!(
        (hand.replicas, hand.until),
        (9, "2026-11-10T17:00:00Z".parse().unwrap())
    );
    // It stays while the sale runs, whatever is put back, and ends with it.
    let ours = || written_by("kubectl", 9, 3);
    assert_eq!(noted(3_600, ours()), Some(hand));
    assert_eq!(noted(7_200, ours()), None);
}

#[test]
fn outside_a_sale_or_by_a_tool_a_count_is_no_floor() {
    let noted = |manager, sales| {
        let written = written_by(manager, 9, 2);
        noted(&mut ForeignWrites::default(), 1_800, written, sales)
    };
    assert_eq!(noted("kubectl", vec![]), None);
    assert_eq!(noted("argocd-controller", vec![midnight()]), None);
}
