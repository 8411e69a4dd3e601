//! `sale`: what is planned for a sale, how it stands against the plan, and what came of it.

mod cost;
mod plan;
mod planning;
mod report;
mod status;

use clap::{Args, Subcommand};
use floodgate_api::SaleEvent;
use floodgate_forecast::{FitError, SeriesError, TraceError};
use floodgate_planner::UnixMillis;
use jiff::Timestamp;

use crate::access::AccessArgs;
use crate::failure::{Failure, Finding};
use crate::source::{Source, SourceArgs};

/// `sale`.
#[derive(Debug, Args)]
pub struct SaleArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plans a sale: replicas, start of the pre-scale, cost in pod-hours.
    ///
    /// With -f sale.yaml -f cluster.yaml it needs no cluster; what the files lack is asked for.
    Plan(plan::PlanArgs),
    /// Shows ready and warm pods of a sale against its plan.
    Status(status::StatusArgs),
    /// Shows what came of a sale.
    Report(report::ReportArgs),
}

/// A sale cannot be planned or told about.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// A field holds what cannot be planned with.
    #[error("{object}: `{field}` {must}")]
    Field {
        /// Kind and name of the object.
        object: String,
        /// Path of the field.
        field: String,
        /// `must be ...`.
        must: String,
    },
    /// Several sales, and no name.
    #[error("name one of the sales: {}", names.join(", "))]
    Ambiguous {
        /// What there is.
        names: Vec<String>,
    },
    /// The selector matches nothing that is known.
    #[error(
        "SaleEvent `{0}`: `spec.clusterSelector` matches no PaymentCluster; give its file with -f, or correct the selector"
    )]
    NoCluster(String),
    /// Nothing says how much traffic comes without the sale.
    #[error(
        "no load is known for PaymentCluster `{0}`; give --baseline-rps, or --history with a recorded trace"
    )]
    NoBaseline(String),
    /// The baseline is no rate.
    #[error("`--baseline-rps` is {0}; must be a number above 0")]
    Baseline(f64),
    /// The recorded trace is none.
    #[error("`--history` must be a trace of timestamp,value")]
    Trace(#[source] TraceError),
    /// The trace gives no series.
    #[error("`--history` must hold rates to learn from")]
    Series(#[source] SeriesError),
    /// No model can be fitted.
    #[error("no forecast can be made from `--history`")]
    Fit(#[source] FitError),
}

/// Runs the command.
pub async fn run(args: &SaleArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    match &args.command {
        Command::Plan(args) => plan::run(args, access).await,
        Command::Status(args) => status::run(args, access).await,
        Command::Report(args) => report::run(args, access).await,
    }
}

/// The sale of that name with its siblings; without a name the only one there is.
async fn find(
    name: Option<&str>,
    files: &SourceArgs,
    access: &AccessArgs,
) -> Result<(SaleEvent, Vec<SaleEvent>, Source), Failure> {
    let source = Source::open(files, access).await?;
    let sales = source.sales().await?;
    let sale = source.pick(&sales, name)?.clone();
    Ok((sale, sales, source))
}

/// An instant of the planner; the furthest one where it is out of range.
fn instant(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::MAX)
}

/// `ten times` in percent is `10x`; `1234` is `12.3x`.
fn times(percent: u32) -> String {
    let text = format!("{:.1}", f64::from(percent) / 100.0);
    format!("{}x", text.trim_end_matches(".0"))
}
