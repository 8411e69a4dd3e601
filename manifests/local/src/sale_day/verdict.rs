//! Which promises were kept and which marks were reached.
//!
//! Pure: a report in, judgements out. A promise of money, warmth or safety that broke fails the
//! run; latency and success ratios are marks, because they also depend on who else uses the machine.
//! Invariant: a figure that was not measured keeps no promise and reaches no mark.

use super::promise::{Kind, Mark, Promise};
use super::report::{Report, Row};

/// Least planned replicas for the tenfold step.
const PLANNED_MIN: u32 = 8;
/// The plan must be at least this many times the base.
const PLANNED_TIMES_BASE: u32 = 4;
/// Share of the step's goodput that has to survive the overload wave.
const GOODPUT_SHARE: f64 = 0.85;
/// Faults of a day: Prometheus stopped, the operator killed, a payment pod killed.
const FAULTS: usize = 3;
/// Mark for the critical classes in the step.
const SUCCESS_RATIO: f64 = 0.999;
/// Mark for the 99th percentile in the step, milliseconds.
pub const P99_MS: f64 = 200.0;

/// Fills the judged fields of a report from its measured ones.
pub fn judge(report: &mut Report) {
    report.shrinks_on_missing_data = shrinks_on_missing_data(&report.timeline);
    report.promises = [money(report), warmth(report), safety(report)].concat();
    report.marks = marks(report);
    report.passed = report.promises.iter().all(|promise| promise.kept);
}

/// Decreases of the number asked for that were decided while the load was not known: in a second
/// whose signals were not fresh, after one whose were not either.
///
/// A decrease in the first missing second was decided on data seen just before the loss, one in the
/// first fresh second on data seen again; both are legal.
fn shrinks_on_missing_data(timeline: &[Row]) -> u32 {
    let mut shrinks = 0;
    let (mut desired_last, mut replicas_last) = (None, None);
    let mut was_missing = false;
    for row in timeline {
        let missing = row.signals_fresh == Some(false);
        let fell = |last: Option<u32>, now: Option<u32>| matches!((last, now), (Some(l), Some(n)) if n < l);
        if missing
            && was_missing
            && (fell(desired_last, row.desired) || fell(replicas_last, row.replicas))
        {
            shrinks += 1;
        }
        desired_last = row.desired.or(desired_last);
        replicas_last = row.replicas.or(replicas_last);
        was_missing = missing;
    }
    shrinks
}

fn money(report: &Report) -> Vec<Promise> {
    let money = &report.money;
    let promise = |text: &str, measured: String, kept: bool| Promise {
        kind: Kind::Money,
        text: text.to_owned(),
        measured,
        kept,
    };
    let recorded = matches!((money.acked, money.recorded), (Some(a), Some(r)) if a > 0 && r >= a);
    vec![
        promise(
            "every acknowledged payment is in the ledger",
            format!(
                "{} of {} recorded, {} lost",
                count(money.recorded),
                count(money.acked),
                count(money.lost)
            ),
            recorded && money.lost == Some(0),
        ),
        promise(
            "one effect per idempotency key",
            format!("{} doubled", count(money.doubled)),
            money.doubled == Some(0),
        ),
        promise(
            "entries sum to zero",
            format!("imbalance {} minor units", count(money.imbalance_minor)),
            money.imbalance_minor == Some(0),
        ),
        promise(
            "refunds, balances and amounts agree too",
            match money.audit_passed {
                Some(true) => "the audit found nothing else".to_owned(),
                Some(false) => money.complaint.clone(),
                None => "not measured".to_owned(),
            },
            money.audit_passed == Some(true),
        ),
    ]
}

fn warmth(report: &Report) -> Vec<Promise> {
    let sale = &report.sale;
    let promise = |text: String, measured: String, kept: bool| Promise {
        kind: Kind::Warmth,
        text,
        measured,
        kept,
    };
    let enough = sale
        .planned_replicas
        .zip(sale.base_replicas)
        .is_some_and(|(planned, base)| {
            planned >= PLANNED_MIN && planned >= base.saturating_mul(PLANNED_TIMES_BASE)
        });
    let at_least_planned = |pods: Option<u32>| {
        sale.planned_replicas
            .zip(pods)
            .is_some_and(|(planned, pods)| pods >= planned)
    };
    vec![
        promise(
            format!(
                "the plan for T0 is at least {PLANNED_MIN} pods and {PLANNED_TIMES_BASE} times the base"
            ),
            format!(
                "{} planned, base {}",
                count(sale.planned_replicas),
                count(sale.base_replicas)
            ),
            enough,
        ),
        promise(
            "the planned pods are Ready at T0".to_owned(),
            format!("{} ready", count(sale.ready_at_t0)),
            at_least_planned(sale.ready_at_t0),
        ),
        promise(
            "the planned pods are warm at T0".to_owned(),
            format!("{} warm", count(sale.warm_at_t0)),
            at_least_planned(sale.warm_at_t0),
        ),
    ]
}

fn safety(report: &Report) -> Vec<Promise> {
    let promise = |text: String, measured: String, kept: bool| Promise {
        kind: Kind::Safety,
        text,
        measured,
        kept,
    };
    let observed = report.timeline.iter().any(|row| row.replicas.is_some());
    let mut promises = vec![
        promise(
            "missing data never shrinks the fleet".to_owned(),
            format!("{} shrinks", report.shrinks_on_missing_data),
            observed && report.shrinks_on_missing_data == 0,
        ),
        // A fault that was not injected could break none of the promises below.
        promise(
            "three faults were injected".to_owned(),
            format!("{} injected", report.faults.len()),
            report.faults.len() == FAULTS,
        ),
    ];
    for fault in &report.faults {
        let healed = fault
            .healed_at_s
            .map_or("not seen healed".to_owned(), |healed_at_s| {
                format!("whole again after {:.0} s", healed_at_s - fault.at_s)
            });
        promises.push(promise(
            format!("{}: the fleet does not shrink and heals", fault.name),
            format!(
                "{} replicas, least {}, {healed}",
                count(fault.replicas_before),
                count(fault.replicas_min)
            ),
            !fault.shrank && fault.replicas_min.is_some() && fault.healed_at_s.is_some(),
        ));
    }
    let sre = &report.sre_override;
    promises.push(promise(
        "an override wins, and lapses by itself".to_owned(),
        format!(
            "{}, {}",
            sre.won_at_s
                .map_or("not seen winning".to_owned(), |at_s| format!(
                    "won at {at_s:.0} s"
                )),
            sre.lapsed_at_s
                .map_or("not seen lapsing".to_owned(), |at_s| format!(
                    "lapsed at {at_s:.0} s"
                )),
        ),
        sre.won && sre.lapsed_at_s.is_some(),
    ));
    let silent = report.refusals_without_retry_after;
    promises.push(promise(
        "every refusal carries Retry-After".to_owned(),
        format!("{} without Retry-After", count(silent)),
        silent == Some(0),
    ));
    promises
}

fn marks(report: &Report) -> Vec<Mark> {
    let step = &report.sale.phase;
    let goodput = step.goodput_rps.zip(report.overload.goodput_rps);
    let number =
        |value: Option<f64>, text: fn(f64) -> String| value.map_or("not measured".to_owned(), text);
    vec![
        Mark {
            name: "success of critical classes in the step".to_owned(),
            measured: number(step.success_ratio_critical, |ratio| {
                format!("{:.3} %", ratio * 100.0)
            }),
            aim: format!("at least {:.1} %", SUCCESS_RATIO * 100.0),
            reached: step
                .success_ratio_critical
                .is_some_and(|ratio| ratio >= SUCCESS_RATIO),
        },
        Mark {
            name: "99th percentile latency in the step".to_owned(),
            measured: number(step.p99_ms, |p99_ms| format!("{p99_ms:.1} ms")),
            aim: format!("at most {P99_MS:.0} ms"),
            reached: step.p99_ms.is_some_and(|p99_ms| p99_ms <= P99_MS),
        },
        Mark {
            name: "goodput in the overload wave".to_owned(),
            measured: goodput.map_or("not measured".to_owned(), |(step, wave)| {
                format!(
                    "{wave:.0} req/s, {:.0} % of the step's {step:.0}",
                    100.0 * wave / step
                )
            }),
            aim: format!("at least {:.0} % of the step's", GOODPUT_SHARE * 100.0),
            reached: goodput.is_some_and(|(step, wave)| step > 0.0 && wave >= GOODPUT_SHARE * step),
        },
    ]
}

/// A count, or that it was not measured.
pub fn count(value: Option<impl ToString>) -> String {
    value.map_or("not measured".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests;
