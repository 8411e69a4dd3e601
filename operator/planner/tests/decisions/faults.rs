//! The rows of the fault and bad-input tables that reach the planner, by name.

use floodgate_planner::{
    BidSource, Caps, Direction, ForecastInput, ForecastTrust, HoldCause, Load, LoadFault,
    LoadReading, Memory, ReplicaState, plan,
};
use floodgate_words::Reason;

use crate::fleet::{Fleet, NOW, flat_forecast, input, reading};

fn reasons(decision: &floodgate_planner::Decision) -> Vec<Reason> {
    decision.guards.iter().map(|guard| guard.reason).collect()
}

/// Ten pods, no valid load for an hour: ten pods.
fn check_holds(load: Load, expected: LoadFault) {
    let mut fleet = Fleet::new(input(10, 480.0));
    for _ in 0..360 {
        let now = fleet.input.now.plus_s(10);
        let load = match load {
            Load::Reading(reading) => {
                let age_s = NOW.seconds_since(reading.observed_at);
                Load::Reading(LoadReading {
                    observed_at: now.plus_s(-age_s),
                    ..reading
                })
            }
            missing @ Load::Missing(_) => missing,
        };
        let decision = fleet.decide(now, load);
        assert_eq!(decision.replicas, 10, "{}", decision.explain);
        assert_eq!(decision.load_fault, Some(expected));
        assert!(
            decision
                .bids
                .iter()
                .any(|bid| bid.reason == expected.reason())
        );
    }
}

#[test]
fn f01_prometheus_down_holds() {
    check_holds(
        Load::Missing(LoadFault::Unavailable),
        LoadFault::Unavailable,
    );
}

#[test]
fn f01_while_it_is_down_a_forecast_may_still_raise() {
    let mut input = input(10, 0.0);
    input.load = Load::Missing(LoadFault::Unavailable);
    input.forecast = flat_forecast(NOW, 600.0, 700.0);
    let decision = plan(&input);
    assert_eq!(
        (decision.replicas, decision.winner),
        (14, BidSource::Forecast)
    );
    assert_eq!(decision.direction(), Direction::Up);
}

#[test]
fn f03_an_empty_answer_is_not_zero() {
    check_holds(Load::Missing(LoadFault::NoData), LoadFault::NoData);
}

#[test]
fn f04_f05_numbers_that_are_no_rate_are_missing() {
    for rate in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e308,
        -0.5,
        -9.2e15,
    ] {
        check_holds(reading(NOW, rate), LoadFault::NotPlausible);
    }
}

#[test]
fn f07_a_stale_sample_is_missing() {
    check_holds(reading(NOW.plus_s(-31), 10.0), LoadFault::Stale);
}

#[test]
fn f12_after_a_lost_history_the_present_count_is_held_through_a_whole_window() {
    let mut fleet = Fleet::new(input(10, 0.0));
    fleet.input.memory = Memory::held(HoldCause::HistoryLost);
    let blind = fleet.decide(NOW.plus_s(10), Load::Missing(LoadFault::NoData));
    assert_eq!((blind.replicas, blind.winner), (10, BidSource::Hold));
    assert_eq!(blind.reason(), Reason::HeldAfterHistoryLoss);
    for second in (0..290).step_by(10) {
        let decision = fleet.tick(10, 100.0);
        assert_eq!(
            decision.replicas, 10,
            "after {second} s: {}",
            decision.explain
        );
        assert_eq!(decision.reason(), Reason::Stabilising);
    }
    let later = fleet.tick(20, 100.0);
    assert_eq!(later.direction(), Direction::Down, "{}", later.explain);
}

#[test]
fn f12_a_history_lost_under_way_holds_the_present_count_through_a_whole_window() {
    let mut fleet = Fleet::new(input(10, 100.0));
    // The load has been low for so long that it would be lowered at the next tick but one.
    for _ in 0..29 {
        assert_eq!(fleet.tick(10, 100.0).replicas, 10);
    }
    let memory = fleet.input.memory.clone();
    fleet.input.memory = memory.hold(HoldCause::HistoryLost);
    for second in (0..290).step_by(10) {
        let decision = fleet.tick(10, 100.0);
        assert_eq!(decision.replicas, 10, "{second} s: {}", decision.explain);
    }
    let later = fleet.tick(20, 100.0);
    assert_eq!(later.direction(), Direction::Down, "{}", later.explain);
}

#[test]
fn f13_b35_a_sample_from_the_future_is_missing() {
    check_holds(reading(NOW.plus_s(600), 10.0), LoadFault::ClockSkew);
}

#[test]
fn f17_a_collapsed_forecast_lowers_nothing() {
    let mut fleet = Fleet::new(input(10, 480.0));
    fleet.input.forecast = flat_forecast(NOW, 0.0, 0.0);
    for _ in 0..100 {
        let decision = fleet.tick(10, 480.0);
        assert_eq!(decision.replicas, 10, "{}", decision.explain);
    }
}

#[test]
fn f18_an_untrusted_forecast_is_shown_and_does_not_bid() {
    let mut input = input(4, 180.0);
    let ForecastInput::Path { path, .. } = flat_forecast(NOW, 900.0, 1_000.0) else {
        unreachable!()
    };
    input.forecast = ForecastInput::Path {
        path,
        trust: ForecastTrust::Muted(Reason::ErrorAboveGate),
        observed_peak_rps: None,
    };
    let decision = plan(&input);
    let bid = decision
        .bids
        .iter()
        .find(|bid| bid.source == BidSource::Forecast)
        .unwrap();
    assert_eq!(
        (bid.replicas, bid.muted),
        (Some(20), Some(Reason::ErrorAboveGate))
    );
    assert_eq!(
        (decision.replicas, decision.winner),
        (4, BidSource::Reactive)
    );
}

#[test]
fn f24_a_square_wave_of_thirty_percent_moves_nothing() {
    let mut fleet = Fleet::new(input(10, 380.0));
    let mut counts = std::collections::BTreeSet::new();
    for tick in 0..360 {
        let load_rps = if tick / 3 % 2 == 0 {
            380.0 * 1.3
        } else {
            380.0 * 0.7
        };
        counts.insert(fleet.tick(10, load_rps).replicas);
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [10]);
}

#[test]
fn f30_a_quota_caps_the_raise_and_never_lowers() {
    let mut input = input(10, 900.0);
    input.caps.quota_replicas_max = Some(12);
    let decision = plan(&input);
    assert_eq!(
        (decision.replicas, reasons(&decision)),
        (12, vec![Reason::QuotaExceeded])
    );
    assert_eq!(decision.replicas_wanted, 18);
    input.caps.quota_replicas_max = Some(5);
    assert_eq!(plan(&input).replicas, 10);
}

#[test]
fn f31_full_nodes_cap_the_raise_and_never_lower() {
    let mut input = input(10, 900.0);
    input.caps.node_replicas_max = Some(12);
    let decision = plan(&input);
    assert_eq!(
        (decision.replicas, reasons(&decision), decision.reason()),
        (12, vec![Reason::NodesFull], Reason::NodesFull)
    );
    input.caps.quota_replicas_max = Some(11);
    assert_eq!(reasons(&plan(&input)), [Reason::QuotaExceeded]);
    input.caps = Caps {
        node_replicas_max: Some(5),
        ..Caps::default()
    };
    assert_eq!(plan(&input).replicas, 10, "what stands is kept");
    input.caps.node_replicas_max = Some(17);
    input.replicas = ReplicaState::default();
    assert_eq!(plan(&input).replicas, 18, "nothing stands in the way yet");
}

#[test]
fn f31_pods_that_cannot_be_placed_are_not_asked_for_again() {
    let mut input = input(10, 900.0);
    input.caps.unschedulable_pods = Some(3);
    let decision = plan(&input);
    assert_eq!(
        (decision.replicas, reasons(&decision)),
        (10, vec![Reason::PodsUnschedulable])
    );
}

#[test]
fn replicas_fall_step_by_step_after_the_window() {
    let mut fleet = Fleet::new(input(20, 950.0));
    fleet.tick(10, 950.0);
    let mut counts = vec![20];
    for _ in 0..120 {
        let replicas = fleet.tick(10, 100.0).replicas;
        if counts.last() != Some(&replicas) {
            counts.push(replicas);
        }
    }
    assert_eq!(
        counts,
        [20, 18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3][..counts.len()]
    );
    assert!(counts.len() > 5, "{counts:?}");
}

#[test]
fn without_a_stabilisation_window_the_second_decision_may_shrink() {
    let mut input = input(10, 90.0);
    input.scaling.scale_down_stabilisation_s = 0;
    input.scaling.scale_down_step = None;
    let first = plan(&input);
    assert_eq!(first.replicas, 10, "{}", first.explain);
    input.memory = first.memory;
    assert_eq!(plan(&input).replicas, 10, "not in the same instant");
    input.now = input.now.plus_s(1);
    assert_eq!(plan(&input).replicas, 2);
}

#[test]
fn a_capacity_that_is_no_number_lowers_nothing() {
    for capacity_rps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut input = input(10, 10.0);
        input.scaling.capacity_rps = capacity_rps;
        let decision = plan(&input);
        assert_eq!(
            decision.replicas, 10,
            "{capacity_rps}: {}",
            decision.explain
        );
        assert_eq!(decision.bids[0].reason, Reason::CapacityInvalid);
    }
}

#[test]
fn a_cluster_without_a_deployment_starts_at_what_the_load_needs() {
    let mut input = input(2, 480.0);
    input.replicas = floodgate_planner::ReplicaState::default();
    assert_eq!(plan(&input).replicas, 10);
    input.load = Load::Missing(LoadFault::NoData);
    let blind = plan(&input);
    assert_eq!(
        (blind.replicas, blind.level.floor.index()),
        (2, 0),
        "{}",
        blind.explain
    );
}
