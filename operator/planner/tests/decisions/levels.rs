//! The level floor: armed before the queue forms, left only when the load fits for long enough.

use floodgate_planner::{HoldCause, Load, LoadFault, LoadReading, Memory, ReplicaState, plan};
use floodgate_words::{Level, Reason};

use crate::fleet::{Fleet, NOW, flat_forecast, input, rising_forecast, sale};

#[test]
fn load_that_warm_pods_hold_arms_nothing() {
    // Ten pods of 50 req/s at 70 % are full at 714 req/s.
    let decision = plan(&input(10, 700.0));
    assert_eq!(decision.level.floor, Level::Normal);
    assert_eq!(decision.level.reason, Reason::LoadFits);
}

#[test]
fn load_above_warm_capacity_arms_a_level_until_the_new_pods_are_warm() {
    let mut fleet = Fleet::new(input(4, 180.0));
    let first = fleet.tick(10, 400.0);
    assert_eq!(
        (first.replicas, first.level.floor.index()),
        (8, 2),
        "{}",
        first.explain
    );
    assert_eq!(first.level.reason, Reason::WarmCapacityShort);
    let mut floors = Vec::new();
    for _ in 0..20 {
        floors.push(fleet.tick(10, 400.0).level.floor.index());
    }
    assert!(
        floors.is_sorted_by(|before, after| before >= after),
        "{floors:?}"
    );
    assert_eq!(floors.last(), Some(&0));
}

#[test]
fn load_above_what_the_maximum_holds_raises_the_floor_and_keeps_it() {
    let mut fleet = Fleet::new(input(40, 1_900.0));
    for _ in 0..60 {
        let decision = fleet.tick(10, 3_600.0);
        assert_eq!(decision.level.floor.index(), 2, "{}", decision.explain);
        assert_eq!(decision.level.reason, Reason::LoadAboveMaximum);
        assert_eq!(
            (decision.replicas, decision.reason()),
            (40, Reason::AtMaximum)
        );
    }
}

#[test]
fn a_forecast_inside_the_lead_time_arms_before_the_queue_forms() {
    let mut input = input(4, 180.0);
    input.scaling.replicas_max = 4;
    input.forecast = flat_forecast(NOW, 500.0, 600.0);
    let decision = plan(&input);
    assert_eq!(
        (decision.level.floor.index(), decision.level.reason),
        (3, Reason::LoadAboveMaximum)
    );
}

#[test]
fn a_sale_that_the_maximum_cannot_hold_is_armed_at_t0_minus_lead_time() {
    let mut fleet = Fleet::new(input(8, 40.0));
    fleet.input.scaling.replicas_max = 8;
    fleet.input.sales = vec![sale("flash", NOW.plus_s(300), 120, 2_000)];
    let mut armed = None;
    for _ in 0..29 {
        let decision = fleet.tick(10, 40.0);
        if decision.level.floor > Level::Normal && armed.is_none() {
            armed = Some(decision.at);
        }
    }
    assert_eq!(
        armed,
        Some(NOW.plus_s(300 - fleet.input.lead_time.horizon_s()))
    );
}

#[test]
fn a_level_is_left_one_by_one_and_not_before_its_hold_time() {
    let mut fleet = Fleet::new(input(10, 480.0));
    fleet.input.memory = Memory::default().with_level(Level::Survive);
    let floors: Vec<u8> = (0..20)
        .map(|_| fleet.tick(10, 480.0).level.floor.index())
        .collect();
    // The load fits every level from the first moment on: each hold time runs from there.
    let expected: Vec<u8> = [(4, 6), (3, 1), (2, 1), (1, 1), (0, 11)]
        .into_iter()
        .flat_map(|(level, ticks)| std::iter::repeat_n(level, ticks))
        .collect();
    assert_eq!(floors, expected);
}

#[test]
fn a_milder_level_whose_hold_time_has_not_passed_is_kept() {
    // 110 % of what ten pods hold: level 3 may be left, level 2 not; then the load fits it, too.
    let mut fleet = Fleet::new(input(10, 785.0));
    fleet.input.scaling.replicas_max = 10;
    fleet.input.memory = Memory::default().with_level(Level::Protect);
    let mut floors: Vec<u8> = (0..12)
        .map(|_| fleet.tick(10, 785.0).level.floor.index())
        .collect();
    floors.extend((0..5).map(|_| fleet.tick(10, 480.0).level.floor.index()));
    let expected: Vec<u8> = [(3, 6), (2, 9), (1, 1), (0, 1)]
        .into_iter()
        .flat_map(|(level, ticks)| std::iter::repeat_n(level, ticks))
        .collect();
    assert_eq!(floors, expected);
}

#[test]
fn a_level_is_left_when_the_wave_is_over_though_the_last_minute_saw_it() {
    let mut fleet = Fleet::new(input(12, 1_200.0));
    fleet.input.scaling.replicas_max = 12;
    fleet.input.memory = Memory::default().with_level(Level::Protect);
    let mut floors = Vec::new();
    for _ in 0..13 {
        let now = fleet.input.now.plus_s(10);
        let decision = fleet.decide(
            now,
            Load::Reading(LoadReading {
                rate_rps_max: 1_200.0,
                burst_rps: Some(40.0),
                observed_at: now,
            }),
        );
        assert_eq!(decision.replicas, 12, "the fleet keeps to the last minute");
        floors.push(decision.level.floor.index());
    }
    let expected: Vec<u8> = [(3, 6), (2, 1), (1, 1), (0, 5)]
        .into_iter()
        .flat_map(|(level, ticks)| std::iter::repeat_n(level, ticks))
        .collect();
    assert_eq!(floors, expected);
}

#[test]
fn the_successor_of_a_pod_that_died_counts_for_what_comes_after_its_start() {
    // Ten pods hold 714 and nine 643; 680 come only when a successor can be warm.
    let mut fleet = Fleet::new(input(10, 450.0));
    fleet.input.scaling.replicas_max = 10;
    fleet.input.scaling.replicas_min = 10;
    fleet.tick(10, 450.0);
    let lead_s = fleet.input.lead_time.total_s();
    let rises_at = fleet.input.now.plus_s(10 + lead_s + 20);
    fleet.input.forecast = rising_forecast(rises_at, 450.0, 680.0);
    fleet.input.replicas.warm = 9;
    let decision = fleet.tick(10, 450.0);
    assert_eq!(decision.level.floor, Level::Normal, "{}", decision.explain);
    // It has not come in its time, so nobody knows when it will.
    let decision = fleet.tick(lead_s, 450.0);
    assert_eq!(decision.level.floor.index(), 1, "{}", decision.explain);
}

#[test]
fn s2_without_a_valid_load_a_level_is_never_left() {
    let mut fleet = Fleet::new(input(10, 480.0));
    fleet.input.memory = Memory::held(HoldCause::Restart).with_level(Level::Reduce);
    for _ in 0..60 {
        let now = fleet.input.now.plus_s(10);
        let decision = fleet.decide(now, Load::Missing(LoadFault::Stale));
        assert_eq!(decision.level.floor.index(), 2);
        assert_eq!(decision.level.reason, Reason::LevelHeld);
    }
}

#[test]
fn a_fleet_that_just_starts_is_not_degraded() {
    let mut fleet = Fleet::new(input(2, 400.0));
    fleet.input.replicas = ReplicaState::default();
    for _ in 0..20 {
        let decision = fleet.tick(10, 400.0);
        assert_eq!(decision.level.floor, Level::Normal, "{}", decision.explain);
    }
}

/// Levels over one flood of `high_s` seconds at 600 req/s and `low_s` at 100, on ten pods at most.
fn flood(fleet: &mut Fleet, high_s: i64, low_s: i64) -> Vec<u8> {
    let mut floors = Vec::new();
    for second in (0..high_s + low_s).step_by(10) {
        let load_rps = if second < high_s { 800.0 } else { 100.0 };
        floors.push(fleet.tick(10, load_rps).level.floor.index());
    }
    floors
}

#[test]
fn a_level_entered_again_soon_is_left_more_slowly_each_time() {
    let mut fleet = Fleet::new(input(10, 100.0));
    fleet.input.scaling.replicas_max = 10;
    fleet.input.scaling.replicas_min = 10;
    let stays: Vec<usize> = (0..4)
        .map(|_| {
            let floors = flood(&mut fleet, 20, 280);
            assert_eq!(floors.last(), Some(&0), "{floors:?}");
            floors.iter().filter(|floor| **floor > 0).count()
        })
        .collect();
    assert!(
        stays.is_sorted_by(|one, next| one < next),
        "{stays:?} ticks above Normal"
    );
    // After a quiet while it counts as new.
    flood(&mut fleet, 0, 900);
    let floors = flood(&mut fleet, 20, 280);
    let stay = floors.iter().filter(|floor| **floor > 0).count();
    assert_eq!(stay, stays[0]);
}

#[test]
fn a_level_is_not_left_while_the_load_that_would_come_back_does_not_fit() {
    // 650 of 714 req/s offered: what is served at the level is less, and would be all again.
    let mut fleet = Fleet::new(input(10, 650.0));
    fleet.input.scaling.replicas_max = 10;
    fleet.input.memory = Memory::default().with_level(Level::Guard);
    for _ in 0..60 {
        let decision = fleet.tick(10, 650.0);
        assert_eq!(decision.level.floor.index(), 1, "{}", decision.explain);
    }
}

#[test]
fn the_floor_is_never_below_what_half_of_the_pods_took_by_themselves() {
    let mut fleet = Fleet::new(input(10, 100.0));
    fleet.input.health.own_levels = [6, 0, 2, 2, 0];
    assert_eq!(fleet.tick(10, 100.0).level.floor, Level::Normal);
    fleet.input.health.own_levels = [5, 0, 2, 3, 0];
    let decision = fleet.tick(10, 100.0);
    assert_eq!(decision.level.floor, Level::Reduce);
    assert_eq!(decision.level.reason, Reason::PodsDegraded);
    fleet.input.health.own_levels = [1, 0, 0, 0, 9];
    assert_eq!(fleet.tick(10, 100.0).level.floor, Level::Survive);
    fleet.input.health.own_levels = [10, 0, 0, 0, 0];
    assert_eq!(fleet.tick(10, 100.0).level.reason, Reason::LevelDwell);
}
