//! The plan of a phase before and after its pre-scale has begun.

use floodgate_planner::{Baseline, sale_plan};
use serde_json::json;

use super::*;

fn wide() -> Scaling {
    Scaling {
        replicas_max: 100,
        capacity_rps: 50.0,
        ..Scaling::default()
    }
}

/// A phase at midnight, two hours long.
fn phase(uplift_percent: u32) -> SalePhase {
    let t0: Timestamp = "2026-11-11T00:00:00Z".parse().unwrap();
    SalePhase {
        name: "midnight".to_owned(),
        t0: t0.into(),
        until: UnixMillis::from(t0).plus_s(7_200),
        uplift_percent,
        confidence: floodgate_planner::Confidence::default(),
        planned_replicas: None,
        planned_later: Vec::new(),
    }
}

/// Ten times a baseline of 40 requests/s, frozen a minute before T0 and met at it.
fn frozen() -> SalePhaseStatus {
    serde_json::from_value(json!({
        "name": "midnight",
        "t0": "2026-11-11T00:00:00Z",
        "end": "2026-11-11T02:00:00Z",
        "upliftPercent": 1000,
        "plannedRps": 400,
        "plannedReplicas": 8,
        "prescaleStart": "2026-11-10T23:59:00Z",
        "readyAtT0": 8,
        "warmAtT0": 8,
    }))
    .unwrap()
}

fn plan_at(now: &str, uplift_percent: u32) -> SalePhaseStatus {
    // What a plan made from the sale's own load would say.
    let plan = sale_plan(
        &floodgate_planner::Sale {
            name: "sale".to_owned(),
            start: phase(uplift_percent).t0,
            end: phase(uplift_percent).until,
            level_max: floodgate_words::Level::Survive,
            phases: vec![phase(uplift_percent)],
        },
        Baseline {
            path: None,
            measured_rps: Some(400.0),
            observed_peak_rps: None,
        },
        &wide(),
        &floodgate_planner::LeadTime::default(),
    );
    let now = now.parse().unwrap();
    let phase = phase(uplift_percent);
    planned(
        Some(&frozen()),
        &phase,
        plan.phases.first(),
        Some(&wide()),
        now,
    )
    .unwrap()
}

#[test]
fn f55_an_uplift_edited_in_mid_sale_keeps_its_baseline_and_what_stood_at_t0() {
    assert_eq!(plan_at("2026-11-11T00:30:00Z", 1_000), frozen());
    let raised = plan_at("2026-11-11T00:30:00Z", 1_500);
    assert_eq!((raised.planned_rps, raised.planned_replicas), (600, 12));
    assert_eq!((raised.ready_at_t0, raised.warm_at_t0), (Some(8), Some(8)));
}

#[test]
fn before_the_pre_scale_the_newest_plan_counts() {
    let newest = plan_at("2026-11-10T12:00:00Z", 1_000);
    assert_eq!(newest.planned_rps, 4_000);
    assert_eq!(newest.ready_at_t0, None);
}

#[test]
fn an_edited_uplift_scales_the_later_steps_of_a_frozen_plan_too() {
    let frozen = SalePhaseStatus {
        later: vec![SalePlanStep {
            from_minute: 60,
            planned_rps: 200,
            planned_replicas: 4,
        }],
        ..frozen()
    };
    let edited = with_uplift(&frozen, &phase(1_500), Some(&wide()));
    assert_eq!((edited.planned_rps, edited.planned_replicas), (600, 12));
    let step = edited.later[0];
    assert_eq!(
        (step.from_minute, step.planned_rps, step.planned_replicas),
        (60, 300, 6)
    );
}
