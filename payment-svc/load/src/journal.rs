//! The journal: every create and refund, written before it is sent, and how it ended.
//!
//! One JSON object per line, appended. Intents are drawn a little ahead of their time, so that the
//! line is with the kernel before the request leaves and nothing waits for it.
//! Invariant: after `kill -9` the journal still holds every intent that was sent; the outcomes of
//! the last [`FLUSH_EVERY`] may be missing and then count as unknown.

mod reader;
mod writer;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use reader::{Journal, JournalError, MoneyIntent};
pub use writer::{JournalWriter, WriteError};

/// How often lines are handed to the kernel.
pub const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// The first line: which run this is.
    Run(RunLine),
    /// A payment that is about to be sent.
    Create(CreateLine),
    /// A refund that is about to be sent.
    Refund(RefundLine),
    /// How an intent ended.
    Outcome(OutcomeLine),
    /// The last line of a run that ended by itself.
    End {
        /// When it ended.
        at: Timestamp,
    },
}

/// Which run a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLine {
    /// Every idempotency key of the run begins with this.
    pub key_prefix: String,
    /// Currency of every payment of the run.
    pub currency: String,
    /// When the journal was opened.
    pub at: Timestamp,
}

/// A payment about to be sent; its idempotency key is the prefix and the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateLine {
    /// Number of the intent within the run.
    pub n: u64,
    /// Payer.
    pub user: String,
    /// Payee.
    pub merchant: String,
    /// Amount in minor units.
    pub amount_minor: i64,
}

/// A refund about to be sent; its idempotency key is the prefix and the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    /// Number of the intent within the run.
    pub n: u64,
    /// The payment it gives back.
    pub payment: String,
    /// Payer of that payment.
    pub user: String,
    /// Amount in minor units.
    pub amount_minor: i64,
}

/// How an intent ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeLine {
    /// Number of the intent.
    pub n: u64,
    /// What the ledger must now hold.
    pub effect: Effect,
    /// Id the service gave, with effect `recorded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What the ledger must hold of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It was acknowledged: it must be there, once.
    Recorded,
    /// It was refused, declined or never sent: it must not be there.
    Absent,
    /// The answer was lost: it may be there, at most once.
    Unknown,
}

/// The idempotency key of an intent.
pub fn idempotency_key(prefix: &str, n: u64) -> String {
    format!("{prefix}{n}")
}

#[cfg(test)]
mod tests;
