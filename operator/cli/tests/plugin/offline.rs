//! What is told from saved objects, as of a fixed instant.

use serde_json::Value;

use crate::golden::holds;
use crate::run::{fixture, run, run_with};

/// Two minutes before T0 of the fixtures.
const AT: &str = "2026-11-10T15:58:00Z";

#[test]
fn status_of_one_cluster_puts_what_is_wrong_first() {
    let till = fixture("till.yaml");
    holds(
        "status-till.txt",
        1,
        &["status", "till", "-f", &till, "--at", AT],
    );
}

#[test]
fn status_of_many_puts_the_wrong_ones_first() {
    let (till, fleet) = (fixture("till.yaml"), fixture("fleet.yaml"));
    let files = ["-f", &till, "-f", &fleet, "--at", AT];
    holds(
        "status-many.txt",
        1,
        &[&["status", "-A"][..], &files[..]].concat(),
    );
    holds(
        "status-wide.txt",
        1,
        &[&["status", "-o", "wide"][..], &files[..]].concat(),
    );
}

#[test]
fn a_fine_cluster_says_so_and_exits_0() {
    let fleet = fixture("fleet.yaml");
    holds(
        "status-fine.txt",
        0,
        &["status", "kiosk", "-f", &fleet, "--at", AT],
    );
}

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
fn json_and_yaml_tell_the_same_and_hold_the_problems() {
    let till = fixture("till.yaml");
    let told = |format: &str| {
        let args = ["status", "till", "-f", &till, "--at", AT, "-o", format];
        run(&args).stdout
    };
    let json: Value = serde_json::from_str(&told("json")).unwrap();
    let yaml: Value = serde_saphyr::from_str(&told("yaml")).unwrap();
    assert_eq!(json, yaml);
    let cluster = &json["clusters"][0];
    assert_eq!(cluster["verdict"], "Wrong");
    let reasons: Vec<&str> = cluster["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"PrometheusUnreachable") && reasons.contains(&"UnknownAnnotation"));
    assert_eq!(cluster["status"]["replicas"]["warm"], 10);
}

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
fn what_files_hold_is_named_where_nothing_in_them_was_meant() {
    let (till, fleet) = (fixture("till.yaml"), fixture("fleet.yaml"));
    for (args, said) in [
        (
            &["status", "kisok", "-f", &fleet][..],
            "they hold kiosk (namespace shop), booth (namespace shop); did you mean `kiosk`?",
        ),
        (
            &["explain", "-n", "attic", "-f", &till],
            "there is no PaymentCluster in namespace attic of the files given with -f; they hold till (namespace shop)",
        ),
        (
            &["sale", "status", "-f", &till],
            "there is no SaleEvent in the files given with -f; they hold no SaleEvent at all",
        ),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let everywhere = run(&["explain", "-A", "-n", "attic", "-f", &till, "--at", AT]);
    assert!(
        everywhere.stdout.starts_with("till (shop): "),
        "{everywhere:?}"
    );
}

#[test]
fn an_object_without_status_shows_no_figures_it_cannot_know() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&["status", "booth", "-f", &fleet, "--at", AT]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for line in [
        "was never seen by the operator: the saved object has no status",
        "Pods       not known yet (min 2, max 10)",
        "Next sale  not known yet",
    ] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
}

#[test]
fn a_saved_fleet_larger_than_any_configuration_is_read() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let many = (0..800).map(|index| {
        let name = format!("  name: till-{index}\n");
        till.replacen("  name: till\n", &name, 1) + "---\n"
    });
    let args = ["override", "list", "-f", "-", "--at", AT, "-o", "json"];
    let ran = run_with(&args, &many.collect::<String>());
    let listed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listed["clusters"].as_array().unwrap().len(), 800);
}

#[test]
fn what_to_do_can_be_copied_as_it_stands() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let text = till.replace(
        "{type: WorkloadAvailable, status: \"True\", reason: PodsReady",
        "{type: WorkloadAvailable, status: \"False\", reason: PodsNotReady",
    );
    assert_ne!(text, till);
    let ran = run_with(&["status", "-f", "-", "--at", AT], &text);
    let does = "`kubectl get pods -n shop -l floodgate.dev/cluster=till`";
    assert!(ran.stdout.contains(does), "{}", ran.stdout);
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

#[test]
fn saved_objects_are_read_from_standard_input_too() {
    let text = std::fs::read_to_string(fixture("fleet.yaml")).unwrap();
    let ran = run_with(&["status", "kiosk", "-f", "-", "--at", AT], &text);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("kiosk (shop): fine"));
}

#[test]
fn completion_knows_every_command_and_kubectl_is_offered_them() {
    let scripts = ["bash", "zsh", "fish"].map(|shell| run(&["completion", shell]));
    for script in scripts {
        assert_eq!(script.code, 0);
        assert!(script.stdout.contains("override") && script.stdout.contains("explain"));
    }
    let helper = run(&["completion", "kubectl"]).stdout;
    assert!(helper.starts_with("#!/bin/sh\n") && helper.contains("__complete"));
    let offered = run(&["__complete", "sale", ""]).stdout;
    assert!(
        offered.contains("plan\t") && offered.contains("report\t"),
        "{offered}"
    );
    assert!(
        offered.ends_with(":4\n"),
        "no file names beside them: {offered}"
    );
    let values = run(&["__complete", "status", "-o", ""]).stdout;
    assert!(
        values.starts_with("table\t") && values.contains("yaml\t"),
        "{values}"
    );
    let left = run(&["__complete", "override", "clear", "till", "f"]).stdout;
    assert_eq!(left, "floor\tAt least so many replicas\n:4\n");
    assert_eq!(run(&["__complete", "status", "till", ""]).stdout, ":4\n");
    let levels = run(&[
        "__complete",
        "override",
        "set",
        "till",
        "--degrade-floor",
        "P",
    ])
    .stdout;
    assert_eq!(levels, "Protect\t\n:4\n");
    let files = run(&["__complete", "sale", "plan", "-f", ""]).stdout;
    assert_eq!(files, ":0\n", "the shell completes files");
    let flags = run(&["__complete", "override", "set", "--pi"]).stdout;
    assert_eq!(flags.lines().count(), 2, "{flags}");
    assert!(flags.starts_with("--pin\t"));
}

#[test]
fn exit_codes_are_told_in_help() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for code in [
        "0  fine",
        "1  something is wrong",
        "2  bad usage",
        "3  the cluster",
    ] {
        assert!(help.stdout.contains(code), "{}", help.stdout);
    }
}

#[test]
fn the_readme_shows_what_the_plugin_prints() {
    let readme = include_str!("../../../../README.md");
    let till = fixture("till.yaml");
    let printed = run(&["status", "till", "-f", &till, "--at", AT]).stdout;
    assert!(
        readme.contains(printed.trim_end()),
        "README.md must show:\n{printed}"
    );
}

#[test]
fn explain_tells_as_many_events_as_were_asked_for_newest_first() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&[
        "explain", "kiosk", "-f", &fleet, "--at", AT, "--events", "1",
    ]);
    assert!(ran.stdout.contains("SignalsStale"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("3 -> 2"), "{}", ran.stdout);
}

#[test]
fn saved_objects_of_another_namespace_are_left_out() {
    let till = fixture("till.yaml");
    let ran = run(&["status", "till", "-f", &till, "-n", "attic"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("`till` was not found"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_others_wrote_cannot_forge_a_line_or_hide_one() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let hostile = r#""x\nlevel: fine\e[2J""#;
    let text = till.replace(
        "override-reason: INC-7 bank is slow",
        &format!("override-reason: {hostile}"),
    );
    assert_ne!(text, till);
    for args in [
        &["status", "till"][..],
        &["status", "-o", "wide"],
        &["override", "list"],
    ] {
        let ran = run_with(&[args, &["-f", "-", "--at", AT]].concat(), &text);
        assert!(
            !ran.stdout.contains('\x1b') && !ran.stdout.contains("\nlevel"),
            "{}",
            ran.stdout
        );
    }
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
