//! Why there are as many pods as there are, from saved objects.

use crate::golden::holds;
use crate::run::{fixture, run};

/// Two minutes before T0 of the fixtures.
const AT: &str = "2026-11-10T15:58:00Z";

#[test]
fn explain_shows_every_bid_and_every_guard_with_its_numbers() {
    let till = fixture("till.yaml");
    holds(
        "explain-till.txt",
        0,
        &["explain", "till", "-f", &till, "--at", AT],
    );
}

#[test]
fn explain_of_several_guards_reads_as_a_chain_and_tells_which_bid_does_not_count() {
    let guarded = fixture("guarded.yaml");
    holds(
        "explain-guarded.txt",
        0,
        &["explain", "-f", &guarded, "--at", AT],
    );
}

#[test]
fn explain_tells_earlier_events_of_this_cluster_only() {
    let fleet = fixture("fleet.yaml");
    holds(
        "explain-kiosk.txt",
        0,
        &["explain", "kiosk", "-f", &fleet, "--at", AT],
    );
}

#[test]
fn explain_says_that_nothing_was_decided_yet() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&["explain", "booth", "-f", &fleet, "--at", AT]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("nothing was decided yet"),
        "{}",
        ran.stdout
    );
}

#[test]
fn explain_tells_as_many_events_as_were_asked_for_newest_first() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&[
        "explain", "kiosk", "-f", &fleet, "--at", AT, "--events", "1",
    ]);
    assert!(ran.stdout.contains("SignalsStale"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("ScaledDown"), "{}", ran.stdout);
}
