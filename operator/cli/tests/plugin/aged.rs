//! Saved objects that are older than the moment they are judged in.

use serde_json::Value;

use crate::run::{fixture, run_with};

/// What a file would hold that was saved years ago: nothing in it depends on when this test runs.
fn old(name: &str) -> String {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    text.replace("2026-", "2020-")
}

#[test]
fn an_old_saved_object_is_judged_as_of_now_and_that_is_said() {
    let saved = format!("{}\n---\n{}", old("till.yaml"), old("sale-running.yaml"));
    let with_at = ["--at", "2020-11-10T15:58:30Z"];
    for args in [
        &["status", "till"][..],
        &["status"],
        &["status", "-o", "wide"],
        &["explain", "till"],
        &["sale", "status"],
        &["sale", "plan"],
    ] {
        let args = [args, &["-f", "-"]].concat();
        let told = run_with(&args, &saved).stdout;
        let said = "Read from a file and judged as of now; the newest instant in its status is";
        assert_eq!(told.matches(said).count(), 1, "{args:?}: {told}");
        assert!(told.contains("10 Nov 2020 "), "{told}");
        assert!(told.contains("as of then: `--at 2020-11-10T15:5"), "{told}");
        let at = run_with(&[&args[..], &with_at].concat(), &saved).stdout;
        assert!(!at.contains("judged as of now"), "{args:?}: {at}");
    }
}

#[test]
fn the_age_of_a_saved_object_stands_in_json_too() {
    let args = ["-f", "-", "-o", "json"];
    let told = |command: &str| {
        let ran = run_with(&[&[command, "till"], &args[..]].concat(), &old("till.yaml"));
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        answer["clusters"][0].clone()
    };
    assert_eq!(told("status")["notes"][0]["reason"], "SavedEarlier");
    assert_eq!(told("explain")["age"]["reason"], "SavedEarlier");
}

#[test]
fn a_saved_object_without_status_has_no_age() {
    let fleet = old("fleet.yaml");
    let told = run_with(&["status", "booth", "-f", "-"], &fleet).stdout;
    assert!(!told.contains("judged as of now"), "{told}");
}
