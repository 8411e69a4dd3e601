use super::{Broken, Injected, Record, assemble, fault};
use crate::sale_day::actions::PodCounts;
use crate::sale_day::report::{Override, Row};
use crate::sale_day::script;

/// A hundred quiet seconds of two pods, changed by `change`.
fn rows(change: impl Fn(f64, &mut Row)) -> Vec<Row> {
    let row = |t_s: f64| {
        let mut row = Row {
            t_s,
            desired: Some(4),
            replicas: Some(4),
            ready: Some(4),
            warm: Some(4),
            signals_fresh: Some(true),
            overridden: Some(false),
            source: Some("reactive".to_owned()),
            leader: Some("operator-a".to_owned()),
            planned: Some(9),
            ..Row::default()
        };
        change(t_s, &mut row);
        row
    };
    (0..100).map(|second| row(f64::from(second))).collect()
}

const OUTAGE: Injected = Injected {
    what: Broken::Prometheus,
    at_s: 30.0,
    repaired_s: 60.0,
};

#[test]
fn an_outage_heals_when_signals_are_fresh_again_after_it_was_mended() {
    let timeline = rows(|t_s, row| row.signals_fresh = Some(!(40.0..64.0).contains(&t_s)));
    let fault = fault(&OUTAGE, &timeline);
    assert_eq!(
        (fault.healed_at_s, fault.replicas_min, fault.shrank),
        (Some(64.0), Some(4), false)
    );
    assert_eq!(fault.name, "Prometheus stopped for 30 s");
}

#[test]
fn a_rise_during_a_fault_is_no_shrink_and_any_fall_is() {
    let risen = rows(|t_s, row| row.replicas = Some(if t_s > 45.0 { 9 } else { 4 }));
    assert!(!fault(&OUTAGE, &risen).shrank);
    let fell =
        rows(|t_s, row| row.replicas = Some(if (45.0..50.0).contains(&t_s) { 9 } else { 4 }));
    assert!(
        fault(&OUTAGE, &fell).shrank,
        "up and down again inside the fault"
    );
    let desired = rows(|t_s, row| row.desired = Some(if t_s > 31.0 { 3 } else { 4 }));
    assert!(fault(&OUTAGE, &desired).shrank);
}

#[test]
fn an_operator_heals_with_another_leader_and_a_payment_pod_with_a_full_fleet() {
    let killed = |what| Injected {
        what,
        at_s: 30.0,
        repaired_s: 30.0,
    };
    let timeline = rows(|t_s, row| {
        if (30.0..37.0).contains(&t_s) {
            row.leader = None;
            row.ready = Some(3);
        } else if t_s >= 37.0 {
            row.leader = Some("operator-b".to_owned());
        }
    });
    assert_eq!(
        fault(&killed(Broken::Operator), &timeline).healed_at_s,
        Some(37.0)
    );
    let pod = fault(&killed(Broken::PaymentPod), &timeline);
    assert_eq!(
        (pod.healed_at_s, pod.ready_before, pod.ready_min),
        (Some(37.0), Some(4), Some(3))
    );
    let never = rows(|_, _| {});
    assert_eq!(
        fault(&killed(Broken::Operator), &never).healed_at_s,
        None,
        "the same leader"
    );
}

fn overridden(change: impl Fn(f64, &mut Row)) -> Override {
    let sre_override = Override {
        set_at_s: Some(4.0),
        ..Override::default()
    };
    let record = Record {
        timeline: rows(change),
        sre_override,
        override_until_s: 22.0,
        ..Record::default()
    };
    assemble(record).sre_override
}

#[test]
fn an_override_wins_and_lapses_at_its_end() {
    let source = |t_s: f64, row: &mut Row, to_s: f64| {
        if (5.0..to_s).contains(&t_s) {
            row.source = Some("Override".to_owned());
            row.overridden = Some(true);
        }
    };
    let seen = overridden(|t_s, row| source(t_s, row, 23.0));
    assert_eq!(
        (seen.won, seen.won_at_s, seen.lapsed_at_s),
        (true, Some(5.0), Some(23.0))
    );
    let early = overridden(|t_s, row| source(t_s, row, 12.0));
    assert_eq!(
        (early.won, early.lapsed_at_s),
        (true, None),
        "dropped before its end is no lapse"
    );
    let never = overridden(|t_s, row| source(t_s, row, 200.0));
    assert_eq!(never.lapsed_at_s, None);
    assert!(!overridden(|_, _| {}).won);
}

#[test]
fn the_sale_is_measured_against_the_last_plan_before_t0() {
    let record = Record {
        timeline: rows(|t_s, row| {
            row.replicas = Some(if t_s < 50.0 { 2 } else { 9 });
            row.planned = (t_s > 3.0).then_some(9);
        }),
        pods_at_t0: Some(PodCounts { ready: 9, warm: 8 }),
        ..Record::default()
    };
    let sale = assemble(record).sale;
    assert_eq!(
        (sale.base_replicas, sale.planned_replicas),
        (Some(2), Some(9))
    );
    assert_eq!((sale.ready_at_t0, sale.warm_at_t0), (Some(9), Some(8)));
    assert_eq!(sale.prescaled_before_t0_s, Some(script::T0_S - 50.0));
}

#[test]
fn decisions_are_listed_when_they_change() {
    let record = Record {
        timeline: rows(|t_s, row| {
            row.desired = Some(if t_s < 50.0 { 2 } else { 9 });
            row.source = (!(10.0..11.0).contains(&t_s)).then(|| "sale".to_owned());
        }),
        ..Record::default()
    };
    let decisions = assemble(record).decisions;
    assert_eq!(decisions.len(), 2);
    assert_eq!((decisions[1].at_s, decisions[1].desired), (50.0, Some(9)));
}

#[test]
fn a_day_of_which_nothing_was_recorded_keeps_no_promise() {
    let report = assemble(Record::default());
    assert!(!report.passed);
    assert!(report.promises.iter().all(|promise| !promise.kept));
}
