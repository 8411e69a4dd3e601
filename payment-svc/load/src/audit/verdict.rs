//! Holds what the shards say to what the journal says. Pure.

use std::collections::HashMap;

use super::ledger::{Ledger, PaymentRow, RefundRow};
use super::report::AuditReport;
use crate::journal::{CreateLine, Effect, Journal, MoneyIntent, RefundLine, idempotency_key};

/// Judges ledgers, one per shard, by the journal of a run.
pub fn judge(journal: &Journal, ledgers: &[Ledger]) -> AuditReport {
    let mut report = AuditReport {
        shards: ledgers.len() as u64,
        settled: ledgers.iter().all(|ledger| ledger.settled),
        journal_complete: journal.complete,
        creates: journal.creates.len() as u64,
        ..AuditReport::default()
    };
    judge_payments(journal, ledgers, &mut report);
    judge_refunds(journal, ledgers, &mut report);
    for ledger in ledgers {
        judge_books(ledger, &mut report);
    }
    report
}

/// Rows by the number of the intent whose key they carry; rows of no intent are unexplained.
fn by_intent<'a, R>(
    prefix: &str,
    rows: impl Iterator<Item = &'a R>,
    key: impl Fn(&R) -> &str,
) -> (HashMap<u64, Vec<&'a R>>, Vec<&'a R>) {
    let (mut known, mut strangers) = (HashMap::<u64, Vec<&R>>::new(), Vec::new());
    for row in rows {
        let number = key(row)
            .strip_prefix(prefix)
            .and_then(|number| number.parse().ok());
        match number.filter(|n| idempotency_key(prefix, *n) == key(row)) {
            Some(n) => known.entry(n).or_default().push(row),
            None => strangers.push(row),
        }
    }
    (known, strangers)
}

fn judge_payments(journal: &Journal, ledgers: &[Ledger], report: &mut AuditReport) {
    let rows = ledgers.iter().flat_map(|ledger| &ledger.payments);
    let (mut by_n, strangers) = by_intent(&journal.run.key_prefix, rows, |row| &row.key);
    for intent in journal.creates.values() {
        let rows = by_n.remove(&intent.sent.n).unwrap_or_default();
        judge_payment(&journal.run.currency, intent, &rows, report);
    }
    for row in strangers.into_iter().chain(by_n.into_values().flatten()) {
        report.recorded += 1;
        report.unexplained += 1;
        report.example(|| {
            format!(
                "payment {} with key {} belongs to no intent",
                row.id, row.key
            )
        });
    }
}

fn judge_payment(
    currency: &str,
    intent: &MoneyIntent<CreateLine>,
    rows: &[&PaymentRow],
    report: &mut AuditReport,
) {
    let n = intent.sent.n;
    report.recorded += rows.len() as u64;
    let extra = rows.len().saturating_sub(1) as u64;
    report.doubled += extra;
    if extra > 0 {
        report.example(|| format!("payment intent {n} is in the ledger {} times", rows.len()));
    }
    let same = |row: &&&PaymentRow| {
        let PaymentRow {
            id,
            key: _,
            user,
            merchant,
            amount_minor,
            currency: paid_in,
        } = **row;
        intent.id.as_ref().is_none_or(|answered| answered == id)
            && (user, merchant) == (&intent.sent.user, &intent.sent.merchant)
            && *amount_minor == intent.sent.amount_minor
            && paid_in == currency
    };
    let as_sent = rows.iter().any(|row| same(&row));
    match (intent.effect, rows.is_empty()) {
        (Effect::Recorded, empty) => {
            report.acked += 1;
            if empty {
                report.lost += 1;
                report.example(|| format!("acknowledged payment intent {n} is not in the ledger"));
            }
        }
        (Effect::Unknown, true) => report.unknown_absent += 1,
        (Effect::Unknown, false) => report.unknown_recorded += 1,
        (Effect::Absent, true) => {}
        (Effect::Absent, false) => {
            report.unexplained += 1;
            report.example(|| format!("refused payment intent {n} is in the ledger"));
        }
    }
    if !rows.is_empty() && !as_sent && intent.effect != Effect::Absent {
        report.altered += 1;
        report.example(|| format!("payment intent {n} is in the ledger, but not as it was sent"));
    }
}

fn judge_refunds(journal: &Journal, ledgers: &[Ledger], report: &mut AuditReport) {
    let rows = ledgers.iter().flat_map(|ledger| &ledger.refunds);
    let (mut by_n, strangers) = by_intent(&journal.run.key_prefix, rows, |row| &row.key);
    for intent in journal.refunds.values() {
        let rows = by_n.remove(&intent.sent.n).unwrap_or_default();
        judge_refund(intent, &rows, report);
    }
    for row in strangers.into_iter().chain(by_n.into_values().flatten()) {
        report.refunds_recorded += 1;
        report.unexplained += 1;
        report.example(|| {
            format!(
                "refund {} with key {} belongs to no intent",
                row.id, row.key
            )
        });
    }
}

fn judge_refund(intent: &MoneyIntent<RefundLine>, rows: &[&RefundRow], report: &mut AuditReport) {
    let n = intent.sent.n;
    report.refunds_recorded += rows.len() as u64;
    let extra = rows.len().saturating_sub(1) as u64;
    report.doubled += extra;
    if extra > 0 {
        report.example(|| format!("refund intent {n} is in the ledger {} times", rows.len()));
    }
    let as_sent = rows.iter().any(|row| {
        intent
            .id
            .as_ref()
            .is_none_or(|answered| *answered == row.id)
            && row.payment == intent.sent.payment
            && row.amount_minor == intent.sent.amount_minor
    });
    match (intent.effect, rows.is_empty()) {
        (Effect::Recorded, _) => {
            report.refunds_acked += 1;
            if !as_sent {
                report.refunds_lost += 1;
                report.example(|| format!("acknowledged refund intent {n} is not in the ledger"));
            }
        }
        (Effect::Unknown, true) => report.refunds_unknown_absent += 1,
        (Effect::Unknown, false) => report.refunds_unknown_recorded += 1,
        (Effect::Absent, true) => {}
        (Effect::Absent, false) => {
            report.unexplained += 1;
            report.example(|| format!("refused refund intent {n} is in the ledger"));
        }
    }
}

fn judge_books(ledger: &Ledger, report: &mut AuditReport) {
    // No `..`: a check that is read and not judged would pass for ever.
    let super::ledger::Books {
        imbalance_minor,
        unbalanced_transfers,
        balance_mismatches,
        negative_wallets,
        doubled,
        misbooked,
        refund_breaches,
    } = &ledger.books;
    report.imbalance_minor = report.imbalance_minor.saturating_add(*imbalance_minor);
    let mut count = |names: &[String], what: &str| {
        for name in names {
            report.example(|| format!("{name}: {what}"));
        }
        names.len() as u64
    };
    let unbalanced = count(unbalanced_transfers, "its entries do not sum to zero");
    let mismatches = count(
        balance_mismatches,
        "its balance is not the sum of its entries",
    );
    let negative = count(negative_wallets, "its balance is below zero");
    let twice = count(doubled, "its amount was moved more than once");
    let wrong = count(misbooked, "its entries do not move its amount");
    let breaches = count(refund_breaches, "its refunds do not fit it");
    report.unbalanced_transfers += unbalanced;
    report.balance_mismatches += mismatches;
    report.negative_wallets += negative;
    report.doubled += twice;
    report.misbooked += wrong;
    report.refund_breaches += breaches;
}
