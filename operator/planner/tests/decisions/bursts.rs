//! F25: a step of ten times the load within a second.

use floodgate_planner::{Decision, Load, LoadReading};
use floodgate_words::{Level, Reason};

use crate::fleet::{Fleet, input};

/// A second in which the last 6 s had `burst_rps`, and the last minute still what was before.
fn second(fleet: &mut Fleet, minute_rps: f64, burst_rps: f64) -> Decision {
    let now = fleet.input.now.plus_s(1);
    let reading = LoadReading {
        rate_rps_max: minute_rps,
        burst_rps: Some(burst_rps),
        observed_at: now,
    };
    fleet.decide(now, Load::Reading(reading))
}

#[test]
fn f25_a_tenfold_step_is_answered_in_the_first_decision_and_stands_after_one_lead_time() {
    let mut fleet = Fleet::new(input(2, 90.0));
    second(&mut fleet, 90.0, 90.0);
    let step_at = fleet.input.now.plus_s(1);
    let first = second(&mut fleet, 90.0, 900.0);
    assert_eq!((first.replicas, first.reason()), (18, Reason::BurstLoad));
    assert!(first.level.floor > Level::Normal, "{}", first.explain);
    let lead_s = fleet.input.lead_time.total_s();
    let mut stood_at = None;
    for _ in 0..3 * lead_s {
        let decision = second(&mut fleet, 900.0, 900.0);
        assert_eq!(decision.replicas, 18, "{}", decision.explain);
        assert!(
            decision.level.floor < Level::Survive,
            "{}",
            decision.explain
        );
        if fleet.input.replicas.warm == 18 {
            stood_at.get_or_insert(decision.at);
        }
    }
    // All were ordered at once: nothing but the start of a pod is waited for.
    assert_eq!(stood_at, Some(step_at.plus_s(lead_s)));
    let after = second(&mut fleet, 900.0, 900.0);
    assert_eq!(after.level.floor, Level::Normal, "{}", after.explain);
}

#[test]
fn f25_nothing_is_given_back_in_the_panic() {
    let mut fleet = Fleet::new(input(2, 90.0));
    second(&mut fleet, 90.0, 90.0);
    second(&mut fleet, 90.0, 900.0);
    let window_s = i64::from(fleet.input.scaling.scale_down_stabilisation_s);
    // The rate of 6 s jumps about, and the last minute forgets the step after 60 s.
    for tick in 1..window_s {
        let burst_rps = [880.0, 0.0, 300.0, 45.0][usize::try_from(tick % 4).unwrap()];
        let minute_rps = if tick < 60 { 900.0 } else { 90.0 };
        let decision = second(&mut fleet, minute_rps, burst_rps);
        assert!(decision.replicas >= 18, "{tick} s: {}", decision.explain);
    }
}
