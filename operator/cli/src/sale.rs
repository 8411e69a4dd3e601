//! `sale`: what is planned for a sale, its pods against the plan, and what came of it.

mod error;
mod phase;
mod picked;
mod plan;
mod report;
mod status;

use clap::{Args, Subcommand};

use crate::access::AccessArgs;
use crate::exit::Exit;

pub use error::SaleError;

#[derive(Debug, Args)]
pub struct SaleArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plan a sale: replicas, start of the pre-scale, cost in pod-hours.
    ///
    /// With -f sale.yaml -f cluster.yaml no Kubernetes cluster is needed; objects that the files
    /// lack are read from it.
    Plan(plan::PlanArgs),
    /// Show ready and warm pods of a sale against its plan.
    Status(status::StatusArgs),
    /// Report the outcome of a sale.
    Report(report::ReportArgs),
}

pub async fn run(args: &SaleArgs, access: &AccessArgs) -> Result<Exit, SaleError> {
    match &args.command {
        Command::Plan(args) => plan::run(args, access).await,
        Command::Status(args) => status::run(args, access).await,
        Command::Report(args) => report::run(args, access).await,
    }
}
