//! B23: a maximum lowered below what stands is reached step by step, in a sale and outside.

use floodgate_planner::{PlanInput, plan};
use floodgate_words::Reason;

use crate::fleet::{Fleet, NOW, input, reading, sale, word};

/// Twenty pods under a load that they all hold, with a maximum that was just lowered to five.
fn lowered() -> PlanInput {
    let mut input = input(20, 1_000.0);
    input.scaling.replicas_max = 5;
    input
}

fn reasons(input: &PlanInput) -> (u32, Vec<Reason>) {
    let decision = plan(input);
    let guards = decision.guards.iter().map(|guard| guard.reason).collect();
    (decision.replicas, guards)
}

/// Replicas after each minute, ten seconds between decisions.
fn minutes(fleet: &mut Fleet, minutes: usize, load_rps: f64) -> Vec<u32> {
    let tick = |tick: usize| {
        let replicas = fleet.tick(10, load_rps).replicas;
        tick.is_multiple_of(6).then_some(replicas)
    };
    (0..6 * minutes).filter_map(tick).collect()
}

#[test]
fn b23_a_maximum_lowered_in_mid_sale_is_reached_step_by_step() {
    let mut fleet = Fleet::new(lowered());
    fleet.input.sales = vec![sale("flash", NOW.plus_s(-60), 7_200, 1_000)];
    fleet.input.sales[0].phases[0].planned_replicas = Some(20);
    let first = reasons(&fleet.input);
    let chain = vec![Reason::AtMaximum, Reason::ScaleDownStep];
    assert_eq!(first, (18, chain));
    // A tenth of what stood a minute before, or one pod.
    let expected = [18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 5, 5];
    assert_eq!(minutes(&mut fleet, 12, 1_000.0), expected);
    assert!(
        fleet.tick(10, 1_000.0).level.floor.index() >= 3,
        "the level answers what five pods do not hold"
    );
}

#[test]
fn b23_outside_of_a_sale_and_where_one_ends_it_is_the_same() {
    let expected = [18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 5, 5];
    let mut fleet = Fleet::new(lowered());
    assert_eq!(minutes(&mut fleet, 12, 1_000.0), expected);
    let mut fleet = Fleet::new(lowered());
    fleet.input.sales = vec![sale("flash", NOW.plus_s(-60), 180, 1_000)];
    assert_eq!(minutes(&mut fleet, 12, 1_000.0), expected);
}

#[test]
fn b23_what_stands_above_the_maximum_never_rises() {
    let mut fleet = Fleet::new(lowered());
    fleet.input.sales = vec![sale("flash", NOW.plus_s(30), 7_200, 5_000)];
    fleet.input.sales[0].phases[0].planned_replicas = Some(40);
    fleet.input.overrides.floor = Some(word(30, NOW.plus_s(7_200)));
    let mut last = 20;
    for _ in 0..60 {
        let decision = fleet.tick(10, 9_000.0);
        assert!(decision.replicas <= last, "{}", decision.explain);
        last = decision.replicas;
    }
}

#[test]
fn a_ceiling_below_what_stands_acts_at_once() {
    let mut input = lowered();
    input.overrides.ceiling = Some(word(6, NOW.plus_s(3_600)));
    let chain = vec![Reason::ReplicasCeiling, Reason::AtMaximum];
    assert_eq!(
        reasons(&input),
        (6, [chain, vec![Reason::ScaleDownStep]].concat())
    );
    input.overrides.ceiling = Some(word(4, NOW.plus_s(3_600)));
    assert_eq!(reasons(&input), (4, vec![Reason::ReplicasCeiling]));
}

#[test]
fn without_a_limit_on_becoming_fewer_a_lowered_maximum_is_reached_at_once() {
    let mut input = lowered();
    input.scaling.scale_down_step = None;
    assert_eq!(reasons(&input), (5, vec![Reason::AtMaximum]));
}

#[test]
fn s2_a_lowered_maximum_is_no_missing_load_and_is_reached_without_one() {
    let mut input = lowered();
    input.load = reading(NOW, f64::NAN);
    assert_eq!(
        reasons(&input),
        (18, vec![Reason::AtMaximum, Reason::ScaleDownStep])
    );
}
