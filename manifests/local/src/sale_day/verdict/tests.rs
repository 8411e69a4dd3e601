use super::judge;
use crate::sale_day::fixture::good_day;
use crate::sale_day::report::Report;

/// The promises that break when the good day is changed like this.
fn broken(change: impl Fn(&mut Report)) -> Vec<String> {
    let mut report = good_day();
    change(&mut report);
    judge(&mut report);
    let broken: Vec<String> = report
        .promises
        .iter()
        .filter(|promise| !promise.kept)
        .map(|promise| format!("{}: {}", promise.kind.as_str(), promise.text))
        .collect();
    assert_eq!(report.passed, broken.is_empty());
    broken
}

#[test]
fn a_good_day_passes() {
    assert_eq!(broken(|_| {}), [] as [String; 0]);
    assert!(good_day().marks.iter().all(|mark| mark.reached));
}

#[test]
fn each_money_promise_can_break() {
    let rest = "money: refunds, balances and amounts agree too";
    assert_eq!(broken(|r| r.money.audit_passed = Some(false)), [rest]);
    let in_ledger = "money: every acknowledged payment is in the ledger";
    assert_eq!(broken(|r| r.money.lost = Some(1)), [in_ledger]);
    assert_eq!(broken(|r| r.money.recorded = Some(58_212)), [in_ledger]);
    assert_eq!(
        broken(|r| r.money.acked = Some(0)),
        [in_ledger],
        "a day without payments shows nothing"
    );
    assert_eq!(
        broken(|r| r.money.doubled = Some(1)),
        ["money: one effect per idempotency key"]
    );
    assert_eq!(
        broken(|r| r.money.imbalance_minor = Some(-1)),
        ["money: entries sum to zero"]
    );
    assert_eq!(
        broken(|r| r.money = super::super::report::Money::default()).len(),
        4,
        "no audit"
    );
}

#[test]
fn each_warmth_promise_can_break() {
    let plan = "warmth: the plan for T0 is at least 8 pods and 4 times the base";
    assert_eq!(broken(|r| r.sale.base_replicas = Some(3)), [plan]);
    assert_eq!(broken(|r| r.sale.planned_replicas = Some(7)), [plan]);
    assert_eq!(
        broken(|r| r.sale.ready_at_t0 = Some(8)),
        ["warmth: the planned pods are Ready at T0"]
    );
    assert_eq!(
        broken(|r| r.sale.warm_at_t0 = None),
        ["warmth: the planned pods are warm at T0"]
    );
    assert_eq!(broken(|r| r.sale.planned_replicas = None).len(), 3);
}

#[test]
fn each_safety_promise_can_break() {
    assert_eq!(
        broken(|r| r.faults[1].shrank = true),
        ["safety: operator pod killed: the fleet does not shrink and heals"]
    );
    assert_eq!(
        broken(|r| r.faults[2].healed_at_s = None),
        ["safety: payment pod killed: the fleet does not shrink and heals"]
    );
    let injected = "safety: three faults were injected";
    assert_eq!(broken(|r| r.faults.clear()), [injected]);
    assert_eq!(broken(|r| r.faults.truncate(2)), [injected]);
    let wins = "safety: an override wins, and lapses by itself";
    assert_eq!(broken(|r| r.sre_override.won = false), [wins]);
    assert_eq!(broken(|r| r.sre_override.lapsed_at_s = None), [wins]);
    let refusals = "safety: every refusal carries Retry-After";
    assert_eq!(
        broken(|r| r.refusals_without_retry_after = Some(1)),
        [refusals]
    );
    assert_eq!(
        broken(|r| r.refusals_without_retry_after = None),
        [refusals]
    );
    let missing = "safety: missing data never shrinks the fleet";
    assert_eq!(broken(|r| r.timeline[60].replicas = Some(3)), [missing]);
    assert_eq!(broken(|r| r.timeline[60].desired = Some(3)), [missing]);
    assert_eq!(broken(|r| r.timeline.clear()), [missing], "nobody watched");
}

#[test]
fn a_decrease_on_fresh_data_is_no_shrink_and_a_restarting_operator_hides_none() {
    assert_eq!(
        broken(|r| r.timeline[280].desired = Some(3)),
        [] as [String; 0]
    );
    let shrinks = broken(|r| {
        r.timeline[50].desired = None;
        r.timeline[51].desired = None;
        r.timeline[52].desired = Some(2);
    });
    assert_eq!(shrinks, ["safety: missing data never shrinks the fleet"]);
}

#[test]
fn a_decrease_decided_just_before_the_loss_or_just_after_it_is_legal() {
    let fell_in = |second: usize| {
        broken(|r| {
            let before = r.timeline[second - 1].desired;
            r.timeline[second].desired = before.map(|desired| desired - 1);
            r.timeline[second].replicas = r.timeline[second].desired;
            for row in &mut r.timeline[second + 1..80] {
                row.desired = before;
                row.replicas = before;
            }
        })
    };
    let missing = "safety: missing data never shrinks the fleet";
    assert_eq!(fell_in(45), [] as [String; 0], "the first missing second");
    assert_eq!(fell_in(46), [missing]);
    assert_eq!(fell_in(71), [missing]);
    assert_eq!(fell_in(72), [] as [String; 0], "the first fresh second");
}

#[test]
fn a_missed_mark_does_not_fail_the_day() {
    let mut report = good_day();
    report.sale.phase.p99_ms = Some(201.0);
    report.sale.phase.success_ratio_critical = None;
    report.overload.goodput_rps = Some(10.0);
    judge(&mut report);
    assert!(report.passed);
    assert!(report.marks.iter().all(|mark| !mark.reached));
}
