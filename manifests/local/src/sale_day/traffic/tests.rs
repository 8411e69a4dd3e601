use jiff::Timestamp;
use payment_load::audit::AuditReport;
use payment_load::report::{Counts, SecondLine};
use serde_json::{from_value, to_value};

use super::Summary;
use crate::sale_day::report::Money;
use crate::sale_day::timeline::LoadLine;

const COUNTS: Counts = Counts {
    offered: 10,
    acked: 6,
    shed: 2,
    failed: 1,
    unknown: 1,
};

#[test]
fn an_audit_is_read_as_the_generator_writes_it() {
    let audit = AuditReport {
        acked: 7,
        recorded: 8,
        imbalance_minor: -3,
        ..AuditReport::default()
    };
    let money: Money = from_value(to_value(audit).unwrap()).unwrap();
    assert_eq!((money.acked, money.recorded), (Some(7), Some(8)));
    assert_eq!((money.lost, money.doubled), (Some(0), Some(0)));
    assert_eq!(
        (money.imbalance_minor, money.audit_passed),
        (Some(-3), None)
    );
}

#[test]
fn a_line_is_read_as_the_generator_writes_it() {
    let line = SecondLine {
        t_s: 95,
        time: Timestamp::UNIX_EPOCH,
        counts: COUNTS,
        retries: 0,
        in_flight: 3,
        p50_ms: Some(3.5),
        p99_ms: None,
        critical_offered: 8,
        critical_acked: 6,
    };
    let read: LoadLine = from_value(to_value(line).unwrap()).unwrap();
    let expected = LoadLine {
        t_s: 95,
        offered: 10,
        acked: 6,
        shed: 2,
        failed: 1,
        unknown: 1,
        p50_ms: Some(3.5),
        p99_ms: None,
    };
    assert_eq!(read, expected);
}

#[test]
fn a_summary_is_read_as_the_generator_writes_it() {
    let phase = payment_load::report::PhaseSummary {
        name: "sale".to_owned(),
        from_s: 90.0,
        to_s: 210.0,
        counts: COUNTS,
        success_ratio_critical: None,
        p50_ms: Some(3.5),
        p99_ms: Some(20.1),
        p999_ms: None,
        attempt_p99_ms: None,
        goodput_rps: 0.06,
        classes: std::collections::BTreeMap::new(),
    };
    let summary: Summary = from_value(serde_json::json!({
        "phases": [to_value(phase).unwrap()],
        "refusals_without_retry_after": 0,
        "errors": { "timeout": 1 },
    }))
    .unwrap();
    let sale = &summary.phases[0];
    assert_eq!(
        (sale.name.as_str(), sale.unknown, sale.phase.offered),
        ("sale", 1, 10)
    );
    assert_eq!(
        (sale.phase.success_ratio_critical, sale.phase.p99_ms),
        (None, Some(20.1))
    );
    assert_eq!(
        (sale.phase.goodput_rps, summary.refusals_without_retry_after),
        (Some(0.06), Some(0))
    );
}
