//! What is told of sales from saved objects, as of a fixed instant.

use serde_json::Value;

use crate::golden::holds;
use crate::run::{Ran, fixture, run, run_with};

/// Two minutes before T0 of the fixtures.
const AT: &str = "2026-11-10T15:58:00Z";

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
        let of_phase = cluster["phases"][0]["baselineRps"].as_f64().unwrap();
        assert!((of_phase * 10.0 - expected).abs() < 1e-6, "{of_phase}");
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
        (3, "2026-10-30T00:00:00Z", "Weekdays are taken to be alike"),
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
        let ran = run(&[&args[..], &["--at", "2027-11-09T00:00:00Z"]].concat());
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
