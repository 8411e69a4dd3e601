//! The warm machine in virtual time.

use floodgate_contract::WarmKey;
use proptest::prelude::*;

use super::*;

const ALL: Checks = Checks {
    pools: true,
    self_test: true,
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn set(version: u64, weights: &[u64]) -> WarmRequest {
    let key = |(index, weight): (usize, &u64)| WarmKey {
        key: format!("merchant:m-{index:04}"),
        weight: *weight,
    };
    WarmRequest {
        version,
        keys: weights.iter().enumerate().map(key).collect(),
        min_score_permille: 950,
        deadline_ms: 20_000,
    }
}

#[test]
fn a_pod_is_warm_when_pools_self_test_and_score_are_there_and_not_before() {
    let mut machine = WarmMachine::new(at(20));
    machine.take_up(set(1, &[90, 10]));
    assert_eq!(machine.state(), WarmState::Warming);
    machine.loaded(at(1), 1, 90);
    assert_eq!(machine.permille(), 900);
    machine.checked(at(2), ALL);
    assert!(!machine.may_serve());
    assert_eq!(machine.loaded(at(3), 1, 10), Advance::To(WarmState::Warm));
    assert_eq!(machine.warm_at(), Some(at(3)));
}

#[test]
fn without_any_hot_set_the_pod_serves_as_partial_from_the_deadline_on() {
    let mut machine = WarmMachine::new(at(20));
    machine.checked(at(1), ALL);
    assert_eq!(machine.state(), WarmState::Warming);
    assert_eq!(machine.step(at(19)), Advance::Same);
    assert_eq!(machine.step(at(20)), Advance::To(WarmState::Partial));
    machine.take_up(set(1, &[]));
    assert_eq!(
        machine.step(at(30)),
        Advance::To(WarmState::Warm),
        "partial becomes warm"
    );
}

#[test]
fn an_empty_set_is_legal_and_still_wants_pools_and_self_test() {
    let mut machine = WarmMachine::new(at(20));
    machine.take_up(set(1, &[]));
    assert_eq!(machine.permille(), 1_000);
    assert_eq!(machine.step(at(1)), Advance::Same);
    assert_eq!(machine.checked(at(2), ALL), Advance::To(WarmState::Warm));
}

#[test]
fn the_same_version_again_is_a_no_op_and_an_older_one_is_not_taken() {
    let mut machine = WarmMachine::new(at(20));
    assert!(machine.take_up(set(5, &[1, 1])).1);
    machine.loaded(at(1), 5, 2);
    let (ack, news) = machine.take_up(set(5, &[1, 1]));
    assert_eq!((ack.version, ack.keys, news), (5, 2, false));
    assert_eq!(machine.permille(), 1_000, "nothing is loaded twice");
    assert!(!machine.take_up(set(4, &[1])).1);
    assert_eq!(machine.version(), Some(5));
}

#[test]
fn a_new_set_for_a_warm_pod_is_loaded_and_never_makes_it_unready() {
    let mut machine = WarmMachine::new(at(20));
    machine.take_up(set(1, &[]));
    machine.checked(at(1), ALL);
    assert!(machine.is_warm());
    assert!(machine.take_up(set(2, &[7, 3])).1);
    assert!(machine.may_serve() && machine.is_warm());
    assert_eq!(machine.permille(), 0, "the score is that of the new set");
    machine.loaded(at(3), 1, 5);
    assert_eq!(machine.permille(), 0, "keys of the older set do not count");
    machine.loaded(at(4), 2, 7);
    assert_eq!(machine.permille(), 700);
}

#[test]
fn the_requests_deadline_counts_from_the_start_and_is_bounded() {
    let mut machine = WarmMachine::new(at(20));
    let mut request = set(1, &[1]);
    request.deadline_ms = u64::MAX;
    machine.take_up(request);
    assert_eq!(machine.step(at(599)), Advance::Same);
    assert_eq!(machine.step(at(600)), Advance::To(WarmState::Partial));
}

#[test]
fn more_keys_than_agreed_are_cut_and_absurd_weights_do_not_overflow() {
    let mut machine = WarmMachine::new(at(20));
    let (ack, _) = machine.take_up(set(1, &vec![u64::MAX; KEYS_MAX + 5]));
    assert_eq!(ack.keys, KEYS_MAX);
    machine.loaded(at(1), 1, u64::MAX);
    machine.loaded(at(1), 1, u64::MAX);
    assert!(machine.permille() <= 1_000);
}

#[derive(Clone, Debug)]
enum Step {
    TakeUp(u64, Vec<u64>),
    Loaded(u64, u64),
    Checked(bool, bool),
    Time,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u64..4, prop::collection::vec(0u64..10, 0..4)).prop_map(|(v, w)| Step::TakeUp(v, w)),
        (0u64..4, 0u64..20).prop_map(|(v, w)| Step::Loaded(v, w)),
        (any::<bool>(), any::<bool>()).prop_map(|(p, s)| Step::Checked(p, s)),
        Just(Step::Time),
    ]
}

proptest! {
    #[test]
    fn once_ready_always_ready_and_ready_by_the_deadline(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut machine = WarmMachine::new(at(20));
        let mut served = false;
        for (second, step) in steps.into_iter().enumerate() {
            let now = at(second as u64);
            match step {
                Step::TakeUp(version, weights) => { machine.take_up(set(version, &weights)); }
                Step::Loaded(version, weight) => { machine.loaded(now, version, weight); }
                Step::Checked(pools, self_test) => { machine.checked(now, Checks { pools, self_test }); }
                Step::Time => {}
            }
            machine.step(now);
            prop_assert!(machine.may_serve() || !served);
            prop_assert!(machine.may_serve() || second < 20);
            prop_assert!(machine.permille() <= 1_000);
            served = machine.may_serve();
        }
    }
}
