//! What becomes of a raise whose pods do not serve, or do harm.

use floodgate_planner::{Decision, Direction, PodHealth, plan};
use floodgate_words::Reason;

use crate::fleet::{Fleet, NOW, input, reading, sale, word};

/// Ten pods under a load for twenty; the new pods never become Ready.
fn stuck() -> Fleet {
    let mut fleet = Fleet::new(input(10, 500.0));
    fleet.tick(10, 500.0);
    fleet
}

/// Runs on while only `ready` pods are Ready and warm.
fn tick(fleet: &mut Fleet, load_rps: f64, ready: u32) -> Decision {
    let now = fleet.input.now.plus_s(10);
    fleet.input.now = now;
    fleet.input.load = reading(now, load_rps);
    fleet.input.replicas.ready = ready;
    fleet.input.replicas.warm = ready;
    let decision = plan(&fleet.input);
    fleet.input.replicas.desired = Some(decision.replicas);
    fleet.input.memory = decision.memory.clone();
    decision
}

fn has(decision: &Decision, reason: Reason) -> bool {
    decision.guards.iter().any(|guard| guard.reason == reason)
}

#[test]
fn f33_f34_pods_that_never_become_ready_are_taken_back_step_by_step() {
    let mut fleet = stuck();
    let mut counts = Vec::new();
    for _ in 0..40 {
        let decision = tick(&mut fleet, 1_000.0, 10);
        counts.push(decision.replicas);
    }
    // Twice the lead time of 60 s after the raise was seen.
    assert_eq!(counts[..13], [20; 13], "{counts:?}");
    assert!(counts[13] < 20, "{counts:?}");
    assert!(
        counts[13..].is_sorted_by(|before, after| before >= after),
        "{counts:?}"
    );
    assert_eq!(counts.last(), Some(&10), "never below what stood before");
}

#[test]
fn a_raise_that_was_taken_back_is_tried_again_after_a_pause_that_doubles() {
    let mut fleet = stuck();
    let mut raises = Vec::new();
    let mut before = 10;
    for _ in 0..400 {
        let decision = tick(&mut fleet, 1_000.0, 10);
        if decision.replicas > before && before == 10 {
            raises.push(decision.at);
        }
        before = decision.replicas;
    }
    let gaps: Vec<i64> = raises
        .windows(2)
        .map(|pair| pair[1].seconds_since(pair[0]))
        .collect();
    assert!(gaps.len() >= 2, "{gaps:?}");
    assert!(gaps.is_sorted_by(|one, next| one < next), "{gaps:?}");
}

#[test]
fn f31_pods_that_wait_for_a_node_are_left_to_wait() {
    let mut fleet = stuck();
    fleet.input.caps.unschedulable_pods = Some(10);
    for _ in 0..60 {
        let decision = tick(&mut fleet, 1_000.0, 10);
        assert!(
            !has(&decision, Reason::NewPodsNotReady),
            "{}",
            decision.explain
        );
    }
}

#[test]
fn errors_that_rise_with_the_new_pods_take_them_back() {
    let mut fleet = stuck();
    let health = |permille| PodHealth {
        failed_permille: Some(permille),
        ..PodHealth::default()
    };
    fleet.input.health = health(4);
    tick(&mut fleet, 1_000.0, 10);
    tick(&mut fleet, 1_000.0, 10);
    fleet.input.health = health(200);
    let first: Vec<u32> = (0..3)
        .map(|_| tick(&mut fleet, 1_000.0, 20).replicas)
        .collect();
    assert_eq!(first, [20; 3], "one bad moment is no verdict");
    let returned = tick(&mut fleet, 1_000.0, 20);
    assert!(has(&returned, Reason::ErrorsRose), "{}", returned.explain);
    assert_eq!(returned.direction(), Direction::Down);
}

#[test]
fn errors_that_were_there_before_are_not_held_against_the_new_pods() {
    let mut fleet = stuck();
    fleet.input.health.failed_permille = Some(200);
    tick(&mut fleet, 1_000.0, 10);
    for _ in 0..30 {
        let decision = tick(&mut fleet, 1_000.0, 20);
        assert_eq!(decision.replicas, 20, "{}", decision.explain);
    }
}

#[test]
fn a_sale_and_an_override_stand_above_what_became_of_the_last_raise() {
    let mut fleet = stuck();
    let mut event = sale("flash", NOW, 86_400, 1_000);
    event.phases[0].planned_replicas = Some(18);
    fleet.input.sales = vec![event];
    for _ in 0..60 {
        assert!(tick(&mut fleet, 1_000.0, 10).replicas >= 18);
    }
    fleet.input.sales.clear();
    fleet.input.overrides.floor = Some(word(17, NOW.plus_s(86_400)));
    for _ in 0..60 {
        assert!(tick(&mut fleet, 1_000.0, 10).replicas >= 17);
    }
}

#[test]
fn a_decision_that_is_only_published_is_never_taken_back() {
    let mut input = input(10, 1_000.0);
    for _ in 0..100 {
        input.now = input.now.plus_s(10);
        input.load = reading(input.now, 1_000.0);
        let decision = plan(&input);
        assert_eq!(decision.replicas, 20, "{}", decision.explain);
        input.memory = decision.memory;
    }
}

#[test]
fn a_pod_that_dies_after_all_were_ready_takes_nothing_back() {
    let mut fleet = stuck();
    for _ in 0..5 {
        tick(&mut fleet, 1_000.0, 20);
    }
    for _ in 0..60 {
        let decision = tick(&mut fleet, 1_000.0, 19);
        assert_eq!(decision.replicas, 20, "{}", decision.explain);
    }
}

#[test]
fn pods_that_became_ready_late_stay() {
    let mut fleet = stuck();
    for _ in 0..16 {
        tick(&mut fleet, 1_000.0, 14);
    }
    let decision = tick(&mut fleet, 1_000.0, 17);
    assert!(decision.replicas >= 17, "{}", decision.explain);
    for _ in 0..20 {
        assert!(tick(&mut fleet, 1_000.0, 17).replicas >= 17);
    }
}
