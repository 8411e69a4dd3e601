//! What a plan says of its phases: pods that come late, the baseline of each, other chances.

use serde_json::Value;

use crate::golden::holds;
use crate::run::{fixture, run, run_with};

/// A minute before T0, while a pod takes 62 s.
const LATE: &str = "2026-11-10T15:59:00Z";

/// The plan of the fixtures at 14 req/s, as JSON, with its exit code.
fn plan_at(at: &str, cluster: &str) -> (i32, Value) {
    let sale = fixture("sale.yaml");
    let args = ["sale", "plan", "-f", &sale, "-f", "-", "-o", "json"];
    let ran = run_with(
        &[&args[..], &["--baseline-rps", "14", "--at", at]].concat(),
        cluster,
    );
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    (ran.code, plan["sales"][0]["clusters"][0].clone())
}

fn till() -> String {
    std::fs::read_to_string(fixture("till.yaml")).unwrap()
}

#[test]
fn pods_that_come_after_t0_are_told_with_how_many_and_how_late() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let args = ["sale", "plan", "-f", &till, "-f", &sale, "-o", "wide"];
    holds(
        "sale-plan-late.txt",
        1,
        &[&args[..], &["--baseline-rps", "14", "--at", LATE]].concat(),
    );
}

#[test]
fn only_pods_that_are_missing_are_late_and_only_for_phases_that_are_not_over() {
    // Ten pods of the fixture are warm: enough for the evening, two too few for midnight.
    for (at, evening, midnight) in [
        ("2026-11-10T11:57:00Z", None, None),
        ("2026-11-10T11:59:30Z", None, None),
        ("2026-11-10T15:58:58Z", None, None),
        ("2026-11-10T15:58:59Z", None, Some((2, 1))),
        ("2026-11-10T16:10:00Z", None, Some((2, 662))),
        ("2026-11-10T18:00:00Z", None, None),
    ] {
        let (code, plan) = plan_at(at, &till());
        for (phase, late) in plan["phases"]
            .as_array()
            .unwrap()
            .iter()
            .zip([evening, midnight])
        {
            let told = phase.get("late").map(|late| {
                let number = |key: &str| late[key].as_i64().unwrap();
                (number("replicas"), number("seconds"))
            });
            assert_eq!(told, late, "{at}: {phase}");
        }
        let over = at == "2026-11-10T18:00:00Z";
        assert_eq!(code, i32::from(midnight.is_some() || over), "{at}");
    }
}

#[test]
fn pods_of_a_cluster_that_nobody_has_looked_at_are_all_late() {
    let text = till();
    let (spec, _) = text.split_once("status:\n").unwrap();
    let (_, plan) = plan_at("2026-11-10T11:59:30Z", spec);
    // Without a measured lead time 60 s are planned with.
    let late = &plan["phases"][0]["late"];
    assert_eq!(
        (&late["replicas"], &late["seconds"]),
        (&3.into(), &30.into())
    );
}

#[test]
fn a_pre_scale_that_began_is_told_while_there_is_time() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let args = ["sale", "plan", "-f", &till, "-f", &sale, "--baseline-rps"];
    let ran = run(&[&args[..], &["14", "--at", "2026-11-10T15:58:30Z"]].concat());
    let said = "The pre-scale of midnight began at 23:57:58 CST (15:57:58 UTC); pods created within 28 s are still warm at T0";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert_eq!(ran.code, 0);
}

#[test]
fn a_surer_chance_asks_for_no_fewer_pods() {
    let sale = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let sale = sale.replace(
        "upliftPercent: 1000",
        "upliftPercent: 1000\n  upliftErrorPercent: 25",
    );
    let args = [
        "sale",
        "plan",
        "-f",
        "-",
        "--baseline-rps",
        "14",
        "-o",
        "json",
    ];
    let text = format!("{sale}\n---\n{}", till());
    let ran = run_with(
        &[&args[..], &["--at", "2026-11-10T06:00:00Z"]].concat(),
        &text,
    );
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let phase = &plan["sales"][0]["clusters"][0]["phases"][1];
    let needed = |index: usize| phase["chances"][index]["replicasNeeded"].as_u64().unwrap();
    assert!(needed(0) < needed(1) && needed(1) < needed(2), "{phase}");
    assert_eq!(phase["quantilePercent"], 95);
    assert_eq!(phase["replicasNeeded"], needed(1));
}
