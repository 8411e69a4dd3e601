//! `payment-load audit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use payment_load::audit::{AuditOptions, AuditReport, ShardUrl, audit};
use payment_load::journal::Journal;

use super::Failure;

/// Flags of `audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// Journal of the run.
    #[arg(long, value_name = "FILE")]
    journal: PathBuf,
    /// PostgreSQL address of a shard; once for each shard.
    #[arg(long = "shard", value_name = "URL", required = true)]
    shards: Vec<String>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// How long to wait for transactions that are still open, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3600))]
    settle_s: u64,
}

/// Audits and prints what was found; a broken promise is a failure that names it.
pub(super) async fn main(arguments: AuditArguments) -> Result<(), Failure> {
    // Read here and not by the parser of flags, which would repeat a password in its error.
    let shards: Result<Vec<ShardUrl>, _> = arguments.shards.iter().map(|url| url.parse()).collect();
    let shards = shards.map_err(|error| Failure::usage(&error))?;
    let journal = Journal::read(&arguments.journal).map_err(|error| Failure::failed(&error))?;
    let settle = Duration::from_secs(arguments.settle_s);
    let options = AuditOptions { shards, settle };
    let report = audit(&journal, &options)
        .await
        .map_err(|error| Failure::failed(&error))?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&report);
        println!("{}", text.map_err(|error| Failure::failed(&error))?);
    } else {
        print(&report);
    }
    let broken: Vec<String> = report
        .broken()
        .into_iter()
        .map(|broken| format!("{} {}", broken.promise, broken.why))
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "broken promise: {}",
        broken.join("; ")
    )))
}

fn print(report: &AuditReport) {
    println!(
        "acknowledged payments   {:>10}  recorded {:>10}",
        report.acked, report.recorded
    );
    println!(
        "acknowledged refunds    {:>10}  recorded {:>10}",
        report.refunds_acked, report.refunds_recorded
    );
    println!(
        "answers lost            {:>10}  recorded {:>10}",
        report.unknown_recorded + report.unknown_absent,
        report.unknown_recorded
    );
    println!(
        "lost {}, doubled {}, unexplained {}, imbalance {} minor units, balance mismatches {}",
        report.lost,
        report.doubled,
        report.unexplained,
        report.imbalance_minor,
        report.balance_mismatches
    );
    for example in &report.examples {
        println!("  {example}");
    }
    if !report.settled {
        println!("transactions were still open when the ledger was read");
    }
}
