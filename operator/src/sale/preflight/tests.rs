//! What stands in the way of a plan, a day before it is needed.

use std::sync::Arc;

use floodgate_planner::{LeadTime, Scaling};
use floodgate_settings::validate_sale;
use floodgate_words::Reason;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    snapshot::{Measured, PlanLimits, PodFacts, PodSeen, PodsSeen},
    tests::fixtures::{event, sale},
};

const T0: &str = "2026-11-11T00:00:00Z";

fn before_t0(seconds: i64) -> Timestamp {
    T0.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(seconds)
}

fn valid() -> ValidSale {
    let hours = ("2026-11-10T23:00:00Z", "2026-11-11T02:00:00Z");
    validate_sale(&event(sale(hours, &[("rush", T0)])), None).unwrap()
}

fn facts() -> PlanningFacts {
    PlanningFacts {
        scaling: Scaling {
            replicas_max: 12,
            ..Scaling::default()
        },
        lead_time: LeadTime::default(),
        quantile_percent: 95,
        path: None,
        measured_rps: Some(40.0),
        baseline_rps: Some(40.0),
        observed_peak_rps: None,
        replicas: 2,
        level: floodgate_words::Level::Normal,
        pods: 2,
        raise_taken_back: None,
        limits: PlanLimits {
            cpu_request: 0.5,
            memory: 1.0,
            ..PlanLimits::default()
        },
    }
}

/// The plan is eight pods for 400 requests/s.
fn check(facts: PlanningFacts, warm: i32, seconds: i64, expected: (Truth, Reason)) {
    let message = check_on(None, facts, None, warm, seconds, expected);
    assert!(!message.is_empty());
}

/// The same with what is seen of the pods.
fn check_seen(
    facts: PlanningFacts,
    pods: Option<PodsSeen>,
    warm: i32,
    seconds: i64,
    expected: (Truth, Reason),
) {
    let message = check_on(None, facts, pods, warm, seconds, expected);
    assert!(!message.is_empty());
}

/// The same where the nodes can be read.
fn check_on(
    room: Option<&NodeRoom>,
    facts: PlanningFacts,
    pods: Option<PodsSeen>,
    warm: i32,
    seconds: i64,
    expected: (Truth, Reason),
) -> String {
    let status: SaleEventStatus = serde_json::from_value(json!({
        "clusters": [{ "name": "till", "ready": warm, "warm": warm, "phases": [{
            "name": "rush", "t0": T0, "end": "2026-11-11T02:00:00Z",
            "upliftPercent": 1000, "plannedRps": 400, "plannedReplicas": 8,
            "prescaleStart": "2026-11-10T23:58:30Z"
        }] }]
    }))
    .unwrap();
    let seen = ClusterSeen {
        name: "till".to_owned(),
        planning: Some(Arc::new(facts)),
        pods: pods.map(Arc::new),
    };
    let verdict = prepared(&status, &valid(), &[seen], room, before_t0(seconds));
    assert_eq!((verdict.status, verdict.reason), expected, "{verdict:?}");
    verdict.message
}

#[test]
fn a_plan_is_checked_from_a_day_before() {
    check(facts(), 2, 86_401, (Truth::Unknown, Reason::PreflightAhead));
    check(facts(), 2, 86_400, (Truth::True, Reason::Prepared));
    check(facts(), 8, 30, (Truth::True, Reason::Prepared));
    check(facts(), 8, -10_000, (Truth::True, Reason::Completed));
}

#[test]
fn whatever_keeps_the_plan_from_coming_true_is_named() {
    let limited = |limits: PlanLimits| PlanningFacts {
        limits: PlanLimits {
            cpu_request: 0.5,
            memory: 1.0,
            ..limits
        },
        ..facts()
    };
    let none = PlanLimits::default;
    let quota = PlanLimits {
        quota_replicas_max: Some(7),
        ..none()
    };
    check(
        limited(quota),
        2,
        3_600,
        (Truth::False, Reason::QuotaExceeded),
    );
    let enough = PlanLimits {
        quota_replicas_max: Some(8),
        ..none()
    };
    check(limited(enough), 2, 3_600, (Truth::True, Reason::Prepared));
    let recommend = PlanLimits {
        recommend: true,
        ..none()
    };
    check(
        limited(recommend),
        2,
        3_600,
        (Truth::False, Reason::RecommendOnly),
    );
    let paused = PlanLimits {
        paused: true,
        ..none()
    };
    check(limited(paused), 2, 3_600, (Truth::False, Reason::Paused));
    let pinned = PlanLimits {
        overridden_to: Some(4),
        ..none()
    };
    check(
        limited(pinned),
        2,
        3_600,
        (Truth::False, Reason::OverrideBelowPlan),
    );
    let mut small = facts();
    small.scaling.replicas_max = 7;
    check(small, 2, 3_600, (Truth::False, Reason::AtMaximum));
}

#[test]
fn f31_nodes_without_room_are_told_of_and_what_comes_of_it() {
    let of = |nodes| {
        let mut facts = facts();
        facts.limits.nodes = nodes;
        facts
    };
    let full = NodeRoom::default();
    let told = |nodes, reason| {
        let expected = (Truth::False, reason);
        check_on(Some(&full), of(nodes), None, 2, 3_600, expected)
    };
    assert_eq!(
        told(NodeSupply::Elastic, Reason::NodesShort),
        "till: phase rush: the nodes have room for 0 of the 6 pods that are missing; \
         the others need nodes that are added in time"
    );
    assert_eq!(
        told(NodeSupply::Fixed, Reason::NodesFull),
        "till: phase rush: the nodes have room for 0 of the 6 pods that are missing, \
         and `scaling.nodes` is Fixed: the others will not stand"
    );
    let fixed = of(NodeSupply::Fixed);
    let expected = (Truth::True, Reason::Prepared);
    let message = check_on(None, fixed, None, 2, 3_600, expected);
    assert!(message.contains("the nodes cannot be read"), "{message}");
}

#[test]
fn pods_that_are_late_are_told_of_within_ten_minutes_of_t0() {
    // The pre-scale begins 90 s before T0, and pods take 60 s: what is ordered 50 s before is late.
    check(facts(), 5, 70, (Truth::True, Reason::Prepared));
    check(facts(), 5, 50, (Truth::False, Reason::PlanLate));
    // T0 passes, and the plan still does not stand.
    check(facts(), 5, 0, (Truth::False, Reason::PlanLate));
    check(facts(), 7, -1_800, (Truth::False, Reason::PlanLate));
    check(facts(), 8, -1_800, (Truth::True, Reason::Prepared));
}

#[test]
fn a_raise_that_was_taken_back_foretells_a_late_plan_from_ten_minutes_before() {
    let back = |reason| PlanningFacts {
        raise_taken_back: Some(reason),
        ..facts()
    };
    let unready = || back(Reason::NewPodsNotReady);
    check(unready(), 5, 601, (Truth::True, Reason::Prepared));
    check(unready(), 5, 600, (Truth::False, Reason::NewPodsNotReady));
    check(unready(), 8, 600, (Truth::True, Reason::Prepared));
    let errors = back(Reason::ErrorsRose);
    check(errors, 5, 600, (Truth::False, Reason::ErrorsRose));
}

/// Eight pods: five warm ones, and three that were created so many seconds before T0.
fn pods(created_s: i64, unschedulable: bool) -> PodsSeen {
    let pod = |index: u32| {
        let starting = index >= 5;
        let created_at = before_t0(if starting { created_s } else { 9_000 });
        let status = json!({ "warm": "warm" });
        PodSeen {
            facts: PodFacts {
                name: format!("till-{index}"),
                uid: format!("uid-{index}"),
                ip: None,
                created_at: Some(created_at),
                ready_since: (!starting).then_some(created_at),
                ending: false,
                unschedulable: starting && unschedulable,
                restarts: 0,
            },
            status: (!starting).then(|| serde_json::from_value(status).unwrap()),
            recalled: None,
        }
    };
    PodsSeen {
        pods: (0..8).map(pod).collect(),
        measured: Measured::default(),
    }
}

#[test]
fn f31_pods_without_a_node_or_overdue_foretell_a_late_plan() {
    let with = |pods: PodsSeen, seconds: i64, expected| {
        let facts = PlanningFacts {
            pods: pods.current(),
            ..facts()
        };
        let warm = i32::try_from(pods.warm()).unwrap();
        assert_eq!(warm, 5);
        check_seen(facts, Some(pods), warm, seconds, expected);
    };
    let (prepared, late) = (
        (Truth::True, Reason::Prepared),
        (Truth::False, Reason::PlanLate),
    );
    let unplaced = (Truth::False, Reason::PodsUnschedulable);
    with(pods(400, true), 390, unplaced);
    with(pods(400, false), 390, prepared);
    // Lead time of 60 s and margin of 30 s: 91 s after their start they are overdue.
    with(pods(400, false), 310, prepared);
    with(pods(400, false), 309, late);
    // Ten of the 60 seconds are for the decision, which pods that exist have behind them.
    with(pods(50, false), 30, prepared);
    with(pods(49, false), 48, late);
}

#[test]
fn a_phase_that_runs_does_not_hide_that_the_next_one_is_late() {
    let hours = ("2026-11-10T20:00:00Z", "2026-11-11T02:00:00Z");
    let phases = [("evening", "2026-11-10T20:00:00Z"), ("rush", T0)];
    let valid = validate_sale(&event(sale(hours, &phases)), None).unwrap();
    let planned = |name: &str, t0: &str, end: &str, prescale: &str, replicas: i32| {
        json!({
            "name": name, "t0": t0, "end": end, "upliftPercent": 1000, "plannedRps": 200,
            "plannedReplicas": replicas, "prescaleStart": prescale
        })
    };
    let status: SaleEventStatus = serde_json::from_value(json!({
        "clusters": [{ "name": "till", "ready": 5, "warm": 5, "phases": [
            planned("evening", "2026-11-10T20:00:00Z", T0, "2026-11-10T19:58:30Z", 4),
            planned("rush", T0, "2026-11-11T02:00:00Z", "2026-11-10T23:58:30Z", 8)
        ] }]
    }))
    .unwrap();
    let seen = [ClusterSeen {
        name: "till".to_owned(),
        planning: Some(Arc::new(facts())),
        pods: None,
    }];
    let judged = |seconds| prepared(&status, &valid, &seen, None, before_t0(seconds));
    assert_eq!(judged(70).reason, Reason::Prepared);
    let late = judged(50);
    assert_eq!((late.status, late.reason), (Truth::False, Reason::PlanLate));
    assert!(late.message.contains("phase rush"), "{}", late.message);
}
