//! What is told from saved objects, as of a fixed instant.

use serde_json::Value;

use crate::golden::holds;
use crate::run::{Ran, fixture, run, run_with};

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
fn a_sale_is_planned_with_no_cluster_at_all() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let at = "2026-11-10T06:00:00Z";
    let args = [
        "sale",
        "plan",
        "-f",
        &till,
        "-f",
        &sale,
        "--baseline-rps",
        "48",
        "--at",
        at,
    ];
    holds("sale-plan.txt", 1, &args);
}

#[test]
fn a_plan_that_fits_exits_0_and_costs_what_its_pods_cost() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let at = "2026-11-10T06:00:00Z";
    let ran = run(&[
        "sale",
        "plan",
        "autumn",
        "-f",
        &till,
        "-f",
        &sale,
        "--baseline-rps",
        "14",
        "--at",
        at,
        "-o",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let cluster = &plan["sales"][0]["clusters"][0];
    // 14 req/s tenfold are 3 pods, fortyfold 12; each from 122 s before its T0, for two hours.
    let hours = 2.0 + 122.0 / 3_600.0;
    let cost = cluster["podHours"].as_f64().unwrap();
    assert!((cost - hours * 15.0).abs() < 0.06, "{cost}");
    let extra = cluster["podHoursAboveMin"].as_f64().unwrap();
    assert!((extra - hours * 11.0).abs() < 0.06, "{extra}");
    assert_eq!(
        cluster["phases"][1]["prescaleStart"],
        "2026-11-10T15:57:58Z"
    );
}

#[test]
fn what_the_operator_published_is_the_plan() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale-running.yaml"));
    let ran = run(&["sale", "plan", "-f", &till, "-f", &sale, "--at", AT]);
    assert!(
        ran.stdout.contains("published by the operator"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("midnight needs 39 pods"),
        "{}",
        ran.stdout
    );
}

/// A flat trace of so many five-minute steps from 27 October, and `sale plan` from it as JSON.
fn plan_from_trace(value: u32, steps: i64, more: &[&str]) -> (Ran, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let start: jiff::Timestamp = "2026-10-27T00:00:00Z".parse().unwrap();
    let rows = (0..steps).map(|step| {
        let at = start + jiff::SignedDuration::from_mins(5 * step);
        format!("{at},{value}\n")
    });
    let text = format!("timestamp,value\n{}", rows.collect::<String>());
    std::fs::write(&path, text).unwrap();
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let history = path.to_str().unwrap();
    let files = ["sale", "plan", "-f", &till, "-f", &sale, "-o", "json"];
    let ran = run(&[&files[..], &["--history", history], more].concat());
    let plan = serde_json::from_str(&ran.stdout).unwrap_or_default();
    (ran, plan)
}

#[test]
fn a_plan_takes_its_baseline_from_a_recorded_trace_in_the_unit_given() {
    let at = ["--at", "2026-11-10T06:00:00Z"];
    for (value, unit) in [(20, &["--unit", "rps"][..]), (6_000, &[])] {
        let (ran, plan) = plan_from_trace(value, 14 * 288, &[&at[..], unit].concat());
        let cluster = &plan["sales"][0]["clusters"][0];
        let expected = cluster["phases"][0]["expectedRps"].as_f64().unwrap();
        assert!(
            (190.0..=230.0).contains(&expected),
            "ten times a flat 20 req/s is {expected}"
        );
        let baseline = cluster["baseline"].as_str().unwrap();
        assert!(baseline.contains("values taken as requests"), "{baseline}");
        assert!(plan["sales"][0]["doubts"].is_null(), "{ran:?}");
    }
}

#[test]
fn what_is_doubtful_about_a_history_is_said() {
    for (days, at, said) in [
        (
            14,
            "2026-11-20T06:00:00Z",
            "The history ended 10 d 6 h before",
        ),
        (14, "2026-11-09T06:00:00Z", "later rows were left out"),
        (3, "2026-10-30T00:00:00Z", "Weekdays are not told apart"),
    ] {
        let (ran, plan) = plan_from_trace(6_000, days * 288, &["--at", at]);
        let doubts = plan["sales"][0]["doubts"].to_string();
        assert!(doubts.contains(said), "{ran:?}");
    }
}

#[test]
fn a_history_nothing_can_be_forecast_from_is_refused() {
    for (steps, at, said) in [
        (
            2,
            "2026-10-27T01:00:00Z",
            "has 2 values over 5 min; must hold more than a day",
        ),
        (
            288,
            "2026-10-01T00:00:00Z",
            "begins at 2026-10-27T00:00:00Z, after 2026-10-01T00:00:00Z",
        ),
    ] {
        let (ran, _) = plan_from_trace(6_000, steps, &["--at", at]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn status_and_report_of_a_sale_agree_on_its_end() {
    let text = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    // The last phase ends an hour before `spec.end`; with it the sale is over.
    let text = text.replace(
        "{name: midnight, t0: \"2026-11-11T00:00:00+08:00\",",
        "{name: midnight, t0: \"2026-11-11T00:00:00+08:00\", end: \"2026-11-11T01:00:00+08:00\",",
    );
    assert!(text.contains("end: \"2026-11-11T01:00:00+08:00\""));
    let told = |command: &str| {
        let args = ["sale", command, "-f", "-", "--at", "2026-11-10T17:30:00Z"];
        run_with(&args, &text).stdout
    };
    let (status, report) = (told("status"), told("report"));
    assert!(status.contains("ended 30 min ago"), "{status}");
    assert!(
        report.contains("over since") && report.contains("30 min ago"),
        "{report}"
    );
}

#[test]
fn without_a_name_every_sale_is_told_and_only_those_ahead_are_planned() {
    let autumn = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    let winter = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let winter = winter
        .replace("name: autumn", "name: winter")
        .replace("2026-11-1", "2026-12-1");
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let text = format!("{autumn}\n---\n{winter}\n---\n{till}");
    let told = |args: &[&str]| {
        let args = [args, &["-f", "-", "--at", "2026-11-20T00:00:00Z"]].concat();
        run_with(&args, &text).stdout
    };
    for args in [&["sale", "status"][..], &["sale", "status", "-A"]] {
        let status = told(args);
        assert!(
            status.contains("autumn (shop): ") && status.contains("winter (shop): "),
            "{status}"
        );
        assert!(
            status.contains("was never seen by the operator"),
            "{status}"
        );
    }
    let plan = told(&["sale", "plan", "--baseline-rps", "10"]);
    assert!(
        plan.contains("winter (shop) on till") && !plan.contains("autumn"),
        "{plan}"
    );
    let report = told(&["sale", "report"]);
    assert!(
        report.contains("autumn (shop)") && !report.contains("winter"),
        "{report}"
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
fn the_samples_of_the_readme_are_planned_together() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/samples");
    for cluster in ["minimal.yaml", "full.yaml"] {
        let (cluster, sale) = (
            format!("{samples}/{cluster}"),
            format!("{samples}/sale.yaml"),
        );
        let args = [
            "sale",
            "plan",
            "-f",
            &cluster,
            "-f",
            &sale,
            "--baseline-rps",
            "1",
        ];
        let ran = run(&[&args[..], &["--at", "2026-11-09T00:00:00Z"]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.stdout.contains("double-eleven (default) on checkout"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn sale_status_shows_warm_pods_against_the_plan() {
    let sale = fixture("sale-running.yaml");
    holds(
        "sale-status.txt",
        1,
        &["sale", "status", "autumn", "-f", &sale, "--at", AT],
    );
}

#[test]
fn sale_report_tells_what_came_of_each_phase() {
    let sale = fixture("sale-running.yaml");
    holds(
        "sale-report.txt",
        1,
        &[
            "sale",
            "report",
            "-f",
            &sale,
            "--at",
            "2026-11-10T18:30:00Z",
        ],
    );
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
    assert!(!ran.stdout.contains("ScaledDown"), "{}", ran.stdout);
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

#[test]
fn what_stands_in_the_way_of_a_sale_is_told_with_what_to_do() {
    let sale = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    let prepared = "  conditions:\n    - {type: Prepared, status: \"False\", reason: NodesShort, message: the nodes have room for 7 of 12 pods, lastTransitionTime: \"2026-11-10T12:00:00Z\"}";
    let text = sale.replacen("  conditions:", prepared, 1);
    let ran = run_with(&["sale", "status", "-f", "-", "--at", AT], &text);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("the nodes have room for 7 of 12 pods"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("do: add nodes"), "{}", ran.stdout);
}
