//! Overrides of saved objects, as of a fixed instant.

use crate::golden::holds;
use crate::run::{fixture, run, run_with};

/// Two minutes before T0 of the fixtures.
const AT: &str = "2026-11-10T15:58:00Z";

#[test]
fn override_list_shows_the_time_left_and_what_is_refused() {
    let till = fixture("till.yaml");
    holds(
        "override-list.txt",
        1,
        &["override", "list", "-f", &till, "--at", AT],
    );
}

#[test]
fn an_override_is_gone_in_the_second_it_lapses() {
    let till = fixture("till.yaml");
    let list = |at: &str| run(&["override", "list", "-f", &till, "--at", at]).stdout;
    assert!(list("2026-11-10T16:29:59Z").contains("floor-replicas=9   1 s"));
    let of_name = run(&["override", "list", "tlil", "-f", &till]);
    assert!(
        of_name.stderr.contains("did you mean `till`?"),
        "{of_name:?}"
    );
    let lapsed = list("2026-11-10T16:30:00Z");
    assert!(
        lapsed.contains("- till (shop): `floodgate.dev/floor-replicas` is not in force")
            && lapsed.contains("No override is in force"),
        "{lapsed}"
    );
}

#[test]
fn an_override_that_lapsed_is_told_and_is_nothing_wrong() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let till = till.replace("    floodgate.dev/pasue: all\n", "");
    let args = [
        "override",
        "list",
        "-f",
        "-",
        "--at",
        "2026-11-10T17:00:00Z",
    ];
    let ran = run_with(&args, &till);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("has passed"), "{}", ran.stdout);
}

/// F59.
#[test]
fn f59_an_end_too_far_ahead_stays_refused_however_long_one_waits() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let set_at = |time: &str| {
        let fields = format!(
            "  managedFields: [{{manager: kubectl-annotate, operation: Update, time: \"{time}\", fieldsType: FieldsV1, fieldsV1: {{\"f:metadata\": {{\"f:annotations\": {{\"f:floodgate.dev/override-until\": {{}}}}}}}}}}]\n  generation: 4"
        );
        let text = till.replacen("  generation: 4", &fields, 1);
        assert_ne!(text, till);
        run_with(&["override", "list", "-f", "-", "--at", AT], &text).stdout
    };
    let refused = set_at("2026-11-09T15:00:00Z");
    assert!(
        refused.contains("No override is in force") && refused.contains("24 h"),
        "{refused}"
    );
    let holds = set_at("2026-11-10T15:45:00Z");
    assert!(holds.contains("floor-replicas=9"), "{holds}");
}

#[test]
fn what_a_person_scaled_by_hand_is_listed_although_it_is_no_annotation() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let by_hand = "  overrides:\n    - {name: scaled-by-hand, value: \"11\", until: \"2026-11-10T18:00:00Z\", reason: scaled by hand during a sale, by: kubectl-scale}";
    let text = till.replacen("  overrides:", by_hand, 1);
    let args = ["override", "list", "-f", "-", "--at"];
    let listed = run_with(&[&args[..], &[AT]].concat(), &text).stdout;
    assert!(listed.contains("scaled-by-hand=11   2 h 2 min"), "{listed}");
    let later = run_with(&[&args[..], &["2026-11-10T18:00:00Z"]].concat(), &text).stdout;
    assert!(!later.contains("scaled-by-hand"), "{later}");
}
