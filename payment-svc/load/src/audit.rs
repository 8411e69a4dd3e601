//! The audit: the ledger of every shard, held to the journal of a run.
//!
//! It reads only, each shard in one snapshot, and judges with pure functions; so it may run while
//! others pay. Invariant: it calls a promise kept only when it has read every shard.

mod ledger;
mod report;
mod verdict;

use std::time::Duration;

pub use ledger::{LedgerError, ShardUrl};
pub use report::{AuditReport, Broken, UNPROVEN};
pub use verdict::judge;

use crate::journal::Journal;

/// How to audit.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// Every shard, in any order.
    pub shards: Vec<ShardUrl>,
    /// How long to wait for transactions that were open when the audit began.
    pub settle: Duration,
}

/// Reads every shard and holds the ledger to the journal.
pub async fn audit(journal: &Journal, options: &AuditOptions) -> Result<AuditReport, LedgerError> {
    let mut ledgers = Vec::new();
    for shard in &options.shards {
        ledgers.push(ledger::read(shard, &journal.run.key_prefix, options.settle).await?);
    }
    Ok(judge(journal, &ledgers))
}
