//! What stands in the way of a plan, a day before it is needed.

use std::sync::Arc;

use floodgate_planner::{LeadTime, Scaling};
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{plan::PlanLimits, validate::validate_sale};

const T0: &str = "2026-11-11T00:00:00Z";

fn before_t0(seconds: i64) -> Timestamp {
    T0.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(seconds)
}

fn valid() -> ValidSale {
    let event = json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": "midnight", "namespace": "shop" },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": "2026-11-10T23:00:00Z", "end": "2026-11-11T02:00:00Z",
            "phases": [{ "name": "rush", "t0": T0 }],
            "upliftPercent": 1000
        }
    });
    validate_sale(&serde_json::from_value(event).unwrap(), None).unwrap()
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
        level: floodgate_contract::Level::Normal,
        pods: 2,
        limits: PlanLimits {
            cpu_request: 0.5,
            memory: 1.0,
            ..PlanLimits::default()
        },
    }
}

/// The plan is eight pods for 400 requests/s.
fn check(facts: PlanningFacts, warm: i32, seconds: i64, expected: (Truth, Reason)) {
    let message = check_on(None, facts, warm, seconds, expected);
    assert!(!message.is_empty());
}

/// The same where the nodes can be read.
fn check_on(
    room: Option<&NodeRoom>,
    facts: PlanningFacts,
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
        pods: None,
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
    check(small, 2, 3_600, (Truth::False, Reason::AboveMax));
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
        check_on(Some(&full), of(nodes), 2, 3_600, expected)
    };
    assert_eq!(
        told(NodeSupply::Elastic, Reason::NodesShort),
        "till: the nodes have room for 0 of the 6 pods that are missing; \
         the others need nodes that are added in time"
    );
    assert_eq!(
        told(NodeSupply::Fixed, Reason::NodesFull),
        "till: the nodes have room for 0 of the 6 pods that are missing, \
         and `scaling.nodes` is Fixed: the others will not stand"
    );
    let fixed = of(NodeSupply::Fixed);
    let expected = (Truth::True, Reason::Prepared);
    let message = check_on(None, fixed, 2, 3_600, expected);
    assert!(message.contains("the nodes cannot be read"), "{message}");
}

#[test]
fn pods_that_are_late_are_told_of_within_ten_minutes_of_t0() {
    // The pre-scale begins 90 s before T0, and pods take 60 s.
    check(facts(), 5, 40, (Truth::True, Reason::Prepared));
    check(facts(), 5, 20, (Truth::False, Reason::PlanLate));
}
