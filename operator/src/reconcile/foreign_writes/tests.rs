//! How often a foreign write is put back.

use super::*;

fn at(second: i64) -> Timestamp {
    crate::tests::fixtures::now() + SignedDuration::from_secs(second)
}

#[test]
fn f26_what_an_autoscaler_wrote_is_no_fight_once_it_is_gone() {
    let mut foreign = ForeignWrites::default();
    foreign.note(at(0), Some(2), "kube-controller-manager".to_owned());
    foreign.note(at(1), Some(3), "argocd-controller".to_owned());
    foreign.forget_controllers();
    assert_eq!(foreign.recent(at(2)), Some("argocd-controller"));
    assert_eq!(
        foreign.writes.len(),
        1,
        "the autoscaler's write is forgotten"
    );
}

#[test]
fn f27_a_fight_is_put_back_ever_less_often_and_at_least_each_minute() {
    let mut foreign = ForeignWrites::default();
    let mut pauses = Vec::new();
    for write in 0..12 {
        foreign.note(at(write), Some(write), "argocd-controller".to_owned());
        let pause = foreign
            .left_until()
            .map_or(0.0, |until| seconds_between(at(write), until));
        pauses.push(pause as i64);
    }
    assert_eq!(pauses, [0, 0, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60]);
    foreign.recent(at(1_000));
    assert_eq!(foreign.left_until(), None, "peace is kept by forgetting");
}
