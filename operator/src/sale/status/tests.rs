//! What a sale publishes: plan, cost, stages, report.

use std::sync::Arc;

use floodgate_planner::{ForecastPath, LeadTime, Scaling};
use floodgate_settings::validate_sale;
use floodgate_words::{ConditionType, Reason};
use serde_json::json;

use super::*;
use crate::{
    conditions::{Truth, Verdict},
    sale::{
        conditions::{accepted, plan_met, verdicts},
        stage::{Stage, is_over, stage},
    },
    snapshot::{PlanLimits, PlanningFacts},
    tests::fixtures::{event, sale},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn valid() -> ValidSale {
    let hours = ("2026-11-11T00:00:00Z", "2026-11-11T02:00:00Z");
    let event = event(sale(hours, &[("rush", "2026-11-11T00:00:00Z")]));
    validate_sale(&event, None).unwrap()
}

/// A cluster under 40 requests/s whose pods hold 50 each.
fn seen() -> ClusterSeen {
    ClusterSeen {
        name: "till".to_owned(),
        planning: Some(Arc::new(PlanningFacts {
            scaling: Scaling::default(),
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
            limits: PlanLimits::default(),
        })),
        pods: None,
    }
}

fn status_at(before: &SaleEventStatus, record: Option<&PhaseRecord>, now: &str) -> SaleEventStatus {
    status(
        before,
        Some(1),
        &valid(),
        &[seen()],
        |_, _| record.cloned(),
        at(now),
    )
}

#[test]
fn a_plan_is_published_ahead_with_its_start_and_its_cost() {
    let status = status_at(&SaleEventStatus::default(), None, "2026-11-10T12:00:00Z");
    let phase = &status.clusters[0].phases[0];
    assert_eq!((phase.planned_replicas, phase.planned_rps), (8, 400));
    // Lead time of 60 s and margin of 30 s.
    assert_eq!(phase.prescale_start.0, at("2026-11-10T23:58:30Z"));
    assert_eq!(phase.end.as_ref().unwrap().0, at("2026-11-11T02:00:00Z"));
    // Eight pods for two hours and a minute and a half, rounded up.
    assert_eq!(
        (phase.pod_hours, status.planned_pod_hours),
        (Some(17), Some(17))
    );
}

#[test]
fn f16_a_plan_from_an_exploded_forecast_is_held_against_the_largest_load_ever_observed() {
    let planned = |observed_peak_rps| {
        let t0 = at("2026-11-11T00:00:00Z").into();
        let path = ForecastPath::flat(t0, 300, 30, 40_000.0, 50_000.0).unwrap();
        let mut seen = seen();
        let facts = seen.planning.as_deref().cloned().unwrap();
        seen.planning = Some(Arc::new(PlanningFacts {
            path: Some(Arc::new(path)),
            observed_peak_rps,
            ..facts
        }));
        let before = SaleEventStatus::default();
        let now = at("2026-11-10T12:00:00Z");
        let status = status(&before, Some(1), &valid(), &[seen], |_, _| None, now);
        status.clusters[0].phases[0].planned_rps
    };
    // Three times 50, tenfold.
    assert_eq!((planned(Some(50.0)), planned(None)), (1_500, 500_000));
}

#[test]
fn s4_a_plan_is_frozen_once_its_pre_scale_has_begun() {
    let mut before = status_at(&SaleEventStatus::default(), None, "2026-11-10T12:00:00Z");
    before.clusters[0].phases[0].planned_replicas = 9;
    let later = status_at(&before, None, "2026-11-10T13:00:00Z");
    assert_eq!(later.clusters[0].phases[0].planned_replicas, 8);
    let begun = status_at(&before, None, "2026-11-10T23:58:30Z");
    assert_eq!(begun.clusters[0].phases[0].planned_replicas, 9);
}

#[test]
fn a_phase_that_is_over_is_reported_and_teaches_its_uplift() {
    let before = status_at(&SaleEventStatus::default(), None, "2026-11-10T12:00:00Z");
    let mut record = PhaseRecord::default();
    let level = floodgate_words::Level::Normal;
    record.note(Some(520.0), 11, level, at("2026-11-11T00:00:01Z"));
    let after = status_at(&before, Some(&record), "2026-11-11T02:00:00Z");
    let report = after.clusters[0].phases[0].report.as_ref().unwrap();
    assert_eq!((report.peak_rps, report.baseline_rps), (520, 40));
    assert_eq!(after.learned_uplift_percent, Some(1_300));
    assert_eq!(
        stage(&after, &valid(), at("2026-11-11T02:00:00Z")),
        Stage::Completed
    );
}

#[test]
fn f20_a_sale_is_over_when_its_last_phase_is() {
    assert!(!is_over(&valid(), at("2026-11-11T01:59:59Z")));
    assert!(is_over(&valid(), at("2026-11-11T02:00:00Z")));
}

#[test]
fn b15_a_local_time_that_does_not_exist_is_said_in_the_condition() {
    let hours = ("2026-03-29T02:30:00", "2026-03-29T06:00:00");
    let mut night = sale(hours, &[("rush", "2026-03-29T02:30:00")]);
    night["spec"]["timeZone"] = json!("Europe/Berlin");
    let valid = validate_sale(&event(night), None).unwrap();
    let said = accepted(&valid);
    assert_eq!((said.status, said.reason), (Truth::True, Reason::Accepted));
    for word in ["02:30", "Europe/Berlin", "03:00:00+02:00"] {
        assert!(said.message.contains(word), "{word}: {}", said.message);
    }
}

#[test]
fn the_pre_scale_of_the_next_phase_is_no_plan_missed_by_the_one_that_runs() {
    let hours = ("2026-11-10T20:00:00Z", "2026-11-11T02:00:00Z");
    let phases = [
        ("evening", "2026-11-10T20:00:00Z"),
        ("rush", "2026-11-11T00:00:00Z"),
    ];
    let valid = validate_sale(&event(sale(hours, &phases)), None).unwrap();
    let said = |warm: i32| {
        let planned = |name: &str, t0: &str, prescale: &str, replicas: i32| {
            json!({ "name": name, "t0": t0, "upliftPercent": 1000, "plannedRps": 200,
                "plannedReplicas": replicas, "prescaleStart": prescale })
        };
        let status: SaleEventStatus = serde_json::from_value(json!({
            "clusters": [{ "name": "till", "ready": warm, "warm": warm, "phases": [
                planned("evening", "2026-11-10T20:00:00Z", "2026-11-10T19:58:30Z", 4),
                planned("rush", "2026-11-11T00:00:00Z", "2026-11-10T23:58:30Z", 8)
            ] }]
        }))
        .unwrap();
        let now = at("2026-11-10T23:59:00Z");
        let met = plan_met(&status, &valid, stage(&status, &valid, now), now);
        (met.status, met.reason)
    };
    assert_eq!(said(3), (Truth::False, Reason::PlanLate));
    assert_eq!(said(4), (Truth::True, Reason::WarmingUp));
    assert_eq!(said(8), (Truth::True, Reason::PlanMet));
}

#[test]
fn a_sale_that_is_not_prepared_is_not_ready() {
    let status = status_at(&SaleEventStatus::default(), None, "2026-11-10T12:00:00Z");
    let ready_with = |prepared: bool| {
        let kind = ConditionType::Prepared;
        let prepared = Verdict::new(kind, prepared, Reason::QuotaExceeded, "said the test");
        let now = at("2026-11-10T12:00:00Z");
        let valid = valid();
        let all = verdicts(&status, &valid, (accepted(&valid), prepared), now);
        (all[0].status, all[0].reason)
    };
    assert_eq!(ready_with(true), (Truth::True, Reason::Scheduled));
    assert_eq!(ready_with(false), (Truth::False, Reason::QuotaExceeded));
}

/// A path of the night before: 40 requests/s until half past midnight, 20 after.
fn falling() -> Arc<ForecastPath> {
    let p50: Vec<f64> = (0..240)
        .map(|m| if m <= 90 { 40.0 } else { 20.0 })
        .collect();
    let start = at("2026-11-10T23:00:00Z").into();
    let path = ForecastPath::new(start, 60, 95, "test".to_owned(), p50.clone(), p50);
    Arc::new(path.unwrap())
}

#[test]
fn a_plan_follows_the_usual_load_through_a_phase_and_holds_while_it_runs() {
    let seen_with = |path: Option<Arc<ForecastPath>>| {
        let mut seen = seen();
        let facts = seen.planning.as_deref().unwrap().clone();
        seen.planning = Some(Arc::new(PlanningFacts { path, ..facts }));
        seen
    };
    let told = |before: &SaleEventStatus, path, now: &str| {
        let seen = [seen_with(path)];
        status(before, Some(1), &valid(), &seen, |_, _| None, at(now))
    };
    let ahead = told(
        &SaleEventStatus::default(),
        Some(falling()),
        "2026-11-10T23:30:00Z",
    );
    let phase = &ahead.clusters[0].phases[0];
    assert_eq!((phase.planned_replicas, phase.planned_rps), (8, 400));
    let later: Vec<(i32, i32, i32)> = phase
        .later
        .iter()
        .map(|step| (step.from_minute, step.planned_rps, step.planned_replicas))
        .collect();
    // The step that begins at half past still touches the higher load.
    assert_eq!(later, [(45, 200, 4)]);
    // Eight pods from 23:58:30 to 00:45, four from then on: 6.2 and 5 pod-hours.
    assert_eq!(phase.pod_hours, Some(12));
    let planned = |now: &str| phase.planned_replicas_at(at(now));
    assert_eq!(planned("2026-11-10T23:59:00Z"), 8);
    assert_eq!(planned("2026-11-11T00:44:59Z"), 8);
    assert_eq!(planned("2026-11-11T00:45:00Z"), 4);
    assert_eq!(
        phase.planned_most_from(at("2026-11-11T00:44:59Z")),
        (8, 400)
    );
    assert_eq!(
        phase.planned_most_from(at("2026-11-11T00:45:00Z")),
        (4, 200)
    );
    // In mid-sale neither a lost forecast nor the sale's own load changes it.
    let running = told(&ahead, None, "2026-11-11T00:50:00Z");
    assert_eq!(running.clusters[0].phases[0].later, phase.later);
    assert_eq!(running.planned_replicas, Some(4));
    let met = |warm: i32| {
        let mut status = running.clone();
        status.clusters[0].warm = warm;
        let now = at("2026-11-11T00:50:00Z");
        plan_met(&status, &valid(), stage(&status, &valid(), now), now).status
    };
    assert_eq!((met(4), met(3)), (Truth::True, Truth::False));
}
