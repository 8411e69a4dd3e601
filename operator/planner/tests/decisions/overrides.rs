//! An SRE's word against bids, guards and other words.

use floodgate_planner::{BidSource, Load, LoadFault, Override, PlanInput, plan};
use floodgate_words::{Level, Pause, Reason};

use crate::fleet::{NOW, input, sale, word};

/// What an input with overrides comes to.
#[track_caller]
fn check(input: &PlanInput, replicas: u32, reasons: &[Reason]) {
    let decision = plan(input);
    let guards: Vec<Reason> = decision.guards.iter().map(|guard| guard.reason).collect();
    assert_eq!(
        (decision.replicas, guards.as_slice()),
        (replicas, reasons),
        "{}",
        decision.explain
    );
}

fn hour<T>(value: T) -> Override<T> {
    word(value, NOW.plus_s(3_600))
}

#[test]
fn a_pin_wins_up_and_down_without_window_or_step() {
    let mut input = input(10, 480.0);
    input.overrides.pin = Some(hour(20));
    check(&input, 20, &[]);
    input.overrides.pin = Some(hour(3));
    check(&input, 3, &[]);
    input.load = Load::Missing(LoadFault::Unavailable);
    check(&input, 3, &[]);
    assert_eq!(plan(&input).winner, BidSource::Override);
}

#[test]
fn b29_a_pin_outside_the_bounds_is_clamped_and_says_so() {
    let mut input = input(10, 480.0);
    input.overrides.pin = Some(hour(500));
    check(&input, 40, &[Reason::AtMaximum]);
    input.overrides.pin = Some(hour(0));
    check(&input, 2, &[Reason::AtMinimum]);
}

#[test]
fn a_pin_wins_even_over_a_running_sale() {
    let mut input = input(10, 480.0);
    input.sales = vec![sale("flash", NOW.plus_s(-60), 600, 1_000)];
    input.sales[0].phases[0].planned_replicas = Some(30);
    input.overrides.pin = Some(hour(12));
    check(&input, 12, &[]);
}

#[test]
fn a_floor_adds_and_a_ceiling_cuts() {
    let mut input = input(10, 480.0);
    input.overrides.floor = Some(hour(15));
    check(&input, 15, &[]);
    input.overrides.floor = Some(hour(5));
    check(&input, 10, &[]);
    input.overrides.ceiling = Some(hour(6));
    check(&input, 6, &[Reason::ReplicasCeiling]);
    input.overrides.ceiling = Some(hour(1));
    check(&input, 2, &[Reason::ReplicasCeiling, Reason::AtMinimum]);
}

#[test]
fn b28_of_words_that_contradict_each_other_the_one_with_more_pods_wins() {
    let mut input = input(10, 480.0);
    input.overrides.pin = Some(hour(4));
    input.overrides.floor = Some(hour(7));
    check(&input, 7, &[Reason::OverrideConflict]);
    input.overrides.pause = Some(hour(Pause::All));
    check(&input, 10, &[Reason::OverrideConflict, Reason::Paused]);
    input.overrides.floor = None;
    input.overrides.pin = Some(hour(14));
    check(&input, 14, &[]);
}

#[test]
fn a_pause_keeps_what_stands() {
    let mut input = input(10, 900.0);
    input.overrides.pause = Some(hour(Pause::Scaling));
    check(&input, 10, &[Reason::Paused]);
    input.overrides.pause = Some(hour(Pause::Degradation));
    check(&input, 18, &[]);
    input.overrides.pause = Some(word(Pause::Scaling, NOW));
    check(&input, 18, &[]);
}

#[test]
fn levels_obey_pin_floor_and_pause() {
    let mut input = input(10, 480.0);
    input.overrides.degrade_floor = Some(hour(Level::Reduce));
    let decision = plan(&input);
    assert_eq!(
        (
            decision.level.floor,
            decision.level.pin,
            decision.level.reason
        ),
        (Level::Reduce, None, Reason::LevelFloorOverride)
    );
    input.overrides.degrade_pin = Some(hour(Level::Guard));
    let decision = plan(&input);
    assert_eq!(
        (
            decision.level.floor,
            decision.level.pin,
            decision.level.reason
        ),
        (Level::Guard, Some(Level::Guard), Reason::LevelPinned)
    );
    // The word leaves nothing behind when it lapses.
    input.memory = decision.memory;
    input.now = NOW.plus_s(3_600);
    input.load = crate::fleet::reading(input.now, 480.0);
    assert_eq!(plan(&input).level.floor, Level::Normal);
}

#[test]
fn paused_degradation_stays_even_when_the_fleet_is_full() {
    let mut input = input(10, 1_500.0);
    assert!(plan(&input).level.floor > Level::Normal);
    input.overrides.pause = Some(hour(Pause::All));
    let decision = plan(&input);
    assert_eq!(decision.level.floor, Level::Normal);
    assert_eq!(decision.level.reason, Reason::DegradationPaused);
}

#[test]
fn a_level_floor_beside_a_pause_holds_when_the_fleet_is_full() {
    // By itself the fleet would go to a harder level than the one demanded; the pause keeps that away.
    let mut input = input(10, 1_500.0);
    assert!(plan(&input).level.floor.index() > 1);
    input.overrides.pause = Some(hour(Pause::Degradation));
    input.overrides.degrade_floor = Some(hour(Level::Guard));
    let level = plan(&input).level;
    assert_eq!(
        (level.floor.index(), level.reason),
        (1, Reason::LevelFloorOverride)
    );
}

#[test]
fn the_explanation_names_the_reason_of_the_override() {
    let mut input = input(10, 480.0);
    input.overrides.pin = Some(hour(500));
    let explain = plan(&input).explain;
    assert_eq!(
        explain,
        "Go from 10 to 40 replicas: an override asks for 500 [test]; AtMaximum makes it 40."
    );
}
