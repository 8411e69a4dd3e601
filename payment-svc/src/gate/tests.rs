//! The gate as handlers and operator meet it.

use floodgate_contract::{Policy, ShedReason};

use super::*;

fn gate() -> (Arc<Gate>, ClockHand, Arc<Metrics>) {
    let metrics = Metrics::new(1);
    let (clock, hand) = Clock::manual();
    let config = GateConfig {
        cpu: CpuLimit {
            cores: 1_000.0,
            period: Duration::ZERO,
            parallelism: 1_000.0,
        },
        queue_target: Duration::from_millis(10),
    };
    (
        Gate::new(&config, Arc::clone(&metrics), clock),
        hand,
        metrics,
    )
}

fn policy(version: u64, floor: Level) -> Policy {
    Policy {
        version,
        floor,
        pin: None,
        quotas_rps: [None; 4],
        lease_s: 60,
        reason: "test".to_owned(),
    }
}

fn refused_by_class(gate: &Arc<Gate>) -> [bool; 4] {
    Class::ALL.map(|class| match gate.admit(&Ask::new(class, 7)) {
        Ok(permit) => {
            permit.finish(200);
            false
        }
        Err(refusal) => {
            assert_eq!(refusal.reason, ShedReason::Class);
            true
        }
    })
}

#[test]
fn f77_offered_counts_a_key_once_however_often_it_is_sent() {
    let (gate, _hand, metrics) = gate();
    let key = fingerprint("key-1");
    let permits: Vec<_> = (0..100)
        .map(|_| gate.admit(&Ask::new(Class::Critical, 1).once(key)))
        .collect();
    assert!(permits.iter().all(Result::is_ok));
    let counts = metrics.class_counts()[Class::Critical.index()];
    assert_eq!((counts.offered, counts.admitted), (1, 100));
    let elsewhere = Ask::new(Class::Critical, 1).once(fingerprint("key-2"));
    drop(gate.admit(&elsewhere.attempt(2)));
    let counts = metrics.class_counts()[Class::Critical.index()];
    assert_eq!(
        counts.offered, 1,
        "its first attempt was counted by another pod"
    );
}

#[test]
fn a_key_that_is_recorded_is_finished_before_anything_new() {
    let (gate, _hand, _metrics) = gate();
    let key = fingerprint("key-1");
    assert_eq!(gate.class_of_create(key), Class::Critical);
    gate.mark_recorded(key);
    assert_eq!(gate.class_of_create(key), Class::CriticalPlus);
}

#[test]
fn each_level_of_the_operator_turns_its_classes_off_and_the_lease_brings_them_back() {
    let (gate, hand, _metrics) = gate();
    let rows = [
        (Level::Normal, [false, false, false, false]),
        (Level::Guard, [false, false, false, false]),
        (Level::Reduce, [false, false, false, true]),
        (Level::Protect, [false, false, true, true]),
        (Level::Survive, [false, true, true, true]),
    ];
    for (version, (level, refused)) in rows.into_iter().enumerate() {
        let ack = gate
            .put_policy(policy(version as u64 + 1, level))
            .expect("newer");
        assert_eq!(ack.level, level);
        assert_eq!(refused_by_class(&gate), refused, "{level}");
        assert_eq!(gate.level(), level);
    }
    hand.advance(Duration::from_secs(61));
    gate.tick();
    assert_eq!(gate.level(), Level::Normal);
    assert_eq!(refused_by_class(&gate), [false; 4]);
    assert_eq!(gate.status().policy_version, 0);
}

#[test]
fn a_pin_overrules_the_floor() {
    let (gate, _hand, _metrics) = gate();
    let pinned = Policy {
        pin: Some(Level::Normal),
        ..policy(1, Level::Survive)
    };
    gate.put_policy(pinned).expect("first");
    assert_eq!(gate.status().trigger, "pin");
    assert_eq!(refused_by_class(&gate), [false; 4]);
}

#[test]
fn a_class_above_its_quota_is_refused_as_the_clients_fault() {
    let (gate, _hand, _metrics) = gate();
    let limited = Policy {
        quotas_rps: [None, None, None, Some(5)],
        ..policy(1, Level::Normal)
    };
    gate.put_policy(limited).expect("first");
    let refusals: Vec<Refusal> = (0..30)
        .filter_map(|_| gate.admit(&Ask::new(Class::Sheddable, 1)).err())
        .collect();
    assert_eq!(refusals.len(), 20, "two seconds of burst are let in");
    assert!(
        refusals
            .iter()
            .all(|refusal| refusal.code() == "quota_exceeded")
    );
    assert!(gate.admit(&Ask::new(Class::Critical, 1)).is_ok());
}

#[test]
fn a_permit_counts_while_it_lives_and_tells_how_it_ended() {
    let (gate, hand, metrics) = gate();
    let permit = gate.admit(&Ask::new(Class::Critical, 1)).expect("open");
    let other = gate.admit(&Ask::new(Class::Critical, 2)).expect("open");
    assert_eq!(gate.in_flight(), 2);
    hand.advance(Duration::from_millis(30));
    permit.finish(500);
    drop(other);
    assert_eq!(gate.in_flight(), 0);
    let counts = metrics.class_counts()[Class::Critical.index()];
    assert_eq!(
        counts.failed, 1,
        "a client that went away is not a failure of ours"
    );
}

#[test]
fn p8_what_would_come_too_late_is_refused_at_once() {
    let (gate, _hand, _metrics) = gate();
    let late = Ask::new(Class::Critical, 1).deadline(Duration::ZERO);
    let refusal = gate.admit(&late).expect_err("too late");
    assert_eq!(refusal.reason, ShedReason::Deadline);
    assert!(gate.admit(&late.deadline(Duration::from_secs(1))).is_ok());
}

#[test]
fn without_a_writer_a_ready_pod_takes_no_new_payment_but_finishes_old_ones() {
    let (gate, hand, _metrics) = gate();
    gate.set_serving(true);
    gate.writer_lost(true);
    for _ in 0..20 {
        hand.advance(Duration::from_millis(100));
        gate.tick();
    }
    assert_eq!(gate.level(), Level::Survive);
    assert_eq!(gate.status().trigger, "writer_lost");
    assert_eq!(refused_by_class(&gate), [false, true, true, true]);
}

#[test]
fn f65_payments_are_taken_again_with_the_first_tick_after_a_writer_is_back() {
    let (gate, hand, _metrics) = gate();
    gate.set_serving(true);
    gate.writer_lost(true);
    for _ in 0..20 {
        hand.advance(Duration::from_millis(100));
        gate.tick();
    }
    assert_eq!(refused_by_class(&gate), [false, true, true, true]);
    gate.writer_lost(false);
    hand.advance(Duration::from_millis(100));
    gate.tick();
    assert_eq!(gate.level(), Level::Survive, "the level itself needs calm");
    assert_eq!(refused_by_class(&gate), [false; 4]);
}

#[test]
fn a_pod_that_is_not_ready_yet_reports_no_level_of_its_own() {
    let (gate, hand, _metrics) = gate();
    gate.writer_lost(true);
    for _ in 0..20 {
        hand.advance(Duration::from_millis(100));
        gate.tick();
    }
    assert_eq!(gate.level(), Level::Normal);
}

#[test]
fn the_users_of_a_class_are_spread_over_all_sub_levels_and_anew_each_hour() {
    let (gate, hand, _metrics) = gate();
    let positions = || -> Vec<u32> {
        let ask = |user: u64| Ask::new(Class::Critical, fingerprint(&format!("u-{user:06}")));
        (0..10_000).map(|user| gate.position(&ask(user))).collect()
    };
    let first = positions();
    for sub_level in 128..256 {
        let here = first
            .iter()
            .filter(|position| **position == sub_level)
            .count();
        assert!(
            (30..140).contains(&here),
            "{here} of 10,000 in sub-level {sub_level}"
        );
    }
    hand.advance(Duration::from_hours(1));
    gate.tick();
    let moved = first
        .iter()
        .zip(positions())
        .filter(|(a, b)| *a != b)
        .count();
    assert!(moved > 9_000, "{moved}");
}
