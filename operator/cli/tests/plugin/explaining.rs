//! Why there are as many pods as there are, from saved objects.

use crate::golden::holds;
use crate::run::{fixture, run, run_with};

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

#[test]
fn explain_tells_why_load_and_forecast_make_no_bid() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let silent =
        |line: &&str| !line.contains("{source: Forecast,") && !line.contains("{source: Reactive,");
    let text: Vec<&str> = till.lines().filter(silent).collect();
    let told = |text: &str| run_with(&["explain", "-f", "-", "--at", AT], text).stdout;
    let said = told(&text.join("\n"));
    for line in [
        "Reactive   -          no bid: PrometheusUnreachable: failed to send request to server",
        "Forecast   -          no bid: less than a day of history: the usual shape of a day stands in",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!told(&till).contains("no bid:"), "both are in the record");
}
