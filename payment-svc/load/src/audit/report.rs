//! What an audit found, and which promise that breaks.

use serde::{Deserialize, Serialize};

/// Most examples that are listed; the counts are whole.
const EXAMPLES_MAX: usize = 20;

/// Verdict on promises that the audit could not have seen broken.
pub const UNPROVEN: &str = "unproven";

/// The result of an audit; every count of a broken promise is 0 when money is right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Shards that were read.
    pub shards: u64,
    /// Whether every transaction that was open at the beginning had ended before the reading.
    pub settled: bool,
    /// Whether the journal was ended by its run; false after a kill.
    pub journal_complete: bool,
    /// Payments the journal says were sent; without any there is nothing to hold the ledger to.
    #[serde(default)]
    pub creates: u64,
    /// Payments the service acknowledged.
    pub acked: u64,
    /// Payments of this run in the ledger.
    pub recorded: u64,
    /// P1: acknowledged payments that are not in the ledger.
    pub lost: u64,
    /// P1: acknowledged payments recorded with another id, amount, user, merchant or currency.
    pub altered: u64,
    /// P2: payments and refunds beyond the first of one idempotency key, or booked more than once.
    pub doubled: u64,
    /// P2: payments and refunds of this run that no intent explains, or that were refused.
    pub unexplained: u64,
    /// Payments with a lost answer that are in the ledger, once.
    pub unknown_recorded: u64,
    /// Payments with a lost answer that are not in the ledger.
    pub unknown_absent: u64,
    /// Refunds the service acknowledged.
    pub refunds_acked: u64,
    /// Refunds of this run in the ledger.
    pub refunds_recorded: u64,
    /// P1: acknowledged refunds that are not in the ledger or differ from what was asked.
    pub refunds_lost: u64,
    /// Refunds with a lost answer that are in the ledger, once.
    pub refunds_unknown_recorded: u64,
    /// Refunds with a lost answer that are not in the ledger.
    pub refunds_unknown_absent: u64,
    /// P3: what entries are off zero by, over transfers and currencies, minor units.
    pub imbalance_minor: i64,
    /// P3: transfers whose entries do not sum to zero.
    pub unbalanced_transfers: u64,
    /// P3: accounts whose balance is not the sum of their entries.
    pub balance_mismatches: u64,
    /// P3: payments and refunds whose entries do not move their amount, and entries of no transfer.
    pub misbooked: u64,
    /// P3: wallets below zero.
    pub negative_wallets: u64,
    /// P5: payments refunded beyond their amount, or whose refunds do not add up.
    pub refund_breaches: u64,
    /// Descriptions of what is broken: the first few.
    pub examples: Vec<String>,
}

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Name of the promise, like `P1`, or [`UNPROVEN`].
    pub promise: &'static str,
    /// What it says and by how much it is broken.
    pub why: String,
}

impl AuditReport {
    /// The promises that are broken, none when money is right and that is proven: a ledger that was
    /// still being written, or a journal of no payment, would pass whatever the service did.
    pub fn broken(&self) -> Vec<Broken> {
        let checks = [
            (
                UNPROVEN,
                "ledgers read while transactions were open",
                u64::from(!self.settled),
            ),
            (
                UNPROVEN,
                "journals of no payment",
                u64::from(self.creates == 0),
            ),
            ("P1", "acknowledged payments lost", self.lost),
            ("P1", "acknowledged payments altered", self.altered),
            (
                "P1",
                "acknowledged refunds lost or altered",
                self.refunds_lost,
            ),
            (
                "P2",
                "effects doubled for one idempotency key",
                self.doubled,
            ),
            ("P2", "effects no intent explains", self.unexplained),
            (
                "P3",
                "minor units that entries are off zero by",
                self.imbalance_minor.unsigned_abs(),
            ),
            (
                "P3",
                "transfers that do not sum to zero",
                self.unbalanced_transfers,
            ),
            (
                "P3",
                "account balances that are not the sum of their entries",
                self.balance_mismatches,
            ),
            ("P3", "payments or refunds booked wrongly", self.misbooked),
            ("P3", "wallets below zero", self.negative_wallets),
            (
                "P5",
                "payments whose refunds do not fit",
                self.refund_breaches,
            ),
        ];
        let broken = checks.into_iter().filter(|(_, _, count)| *count > 0);
        broken
            .map(|(promise, what, count)| Broken {
                promise,
                why: format!("{what}: {count}"),
            })
            .collect()
    }

    pub(super) fn example(&mut self, example: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example());
        }
    }
}
