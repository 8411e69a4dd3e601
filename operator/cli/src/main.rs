//! `kubectl floodgate`: inspect and override Floodgate on the night of a sale, and rehearse the sale
//! before it.
//!
//! Invariant: everything is done with the rights of whoever runs it; only override annotations are
//! ever written.

mod access;
mod calendar;
mod colour;
mod completion;
mod exit;
mod explain;
mod file;
mod line;
mod moment;
mod number;
mod output;
mod overrides;
mod point;
mod query;
mod rehearse;
mod sale;
mod settings;
mod status;
mod table;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use access::AccessArgs;
use exit::{EXIT_CODES, Exit};
use line::chain;
use output::OutputError;
use overrides::OverrideError;
use query::QueryError;
use rehearse::RehearseError;
use sale::SaleError;

/// Inspect and override Floodgate; rehearse a sale before you trust it.
#[derive(Debug, Parser)]
#[command(name = "kubectl-floodgate", bin_name = "kubectl floodgate", version)]
#[command(after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is wrong, then load, forecast, pods, level, next sale and overrides.
    Status(status::StatusArgs),
    /// Explain the number of pods: every bid, every guard, the figures behind them.
    Explain(explain::ExplainArgs),
    /// Set, clear or list overrides; each has an end and a reason.
    Override(overrides::OverrideArgs),
    /// Plan a sale, follow its pods against the plan, report its outcome.
    Sale(sale::SaleArgs),
    /// Replay a trace in virtual time under Floodgate and under other autoscalers.
    Rehearse(Box<rehearse::Args>),
    /// Print a completion script.
    Completion(completion::CompletionArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let typed = std::env::args_os().skip(1);
    let mut typed = typed.map(|argument| argument.to_string_lossy().into_owned());
    // Half a command is not to be parsed, so kubectl's question is answered before clap sees it.
    let ended = if typed.next().as_deref() == Some(completion::QUESTION) {
        let typed: Vec<String> = typed.collect();
        let offered = completion::offer(&typed, Cli::command()).await;
        offered.map_err(Failure::from)
    } else {
        let Cli { access, command } = Cli::parse();
        run(command, &access).await
    };
    let exit = ended.unwrap_or_else(|failure| {
        eprintln!("error: {}", chain(&failure));
        failure.exit()
    });
    exit.into()
}

async fn run(command: Command, access: &AccessArgs) -> Result<Exit, Failure> {
    Ok(match command {
        Command::Status(args) => status::run(&args, access).await?,
        Command::Explain(args) => explain::run(&args, access).await?,
        Command::Override(args) => overrides::run(&args, access).await?,
        Command::Sale(args) => sale::run(&args, access).await?,
        Command::Rehearse(args) => rehearse::run(&args).await?,
        Command::Completion(args) => completion::script(&args, Cli::command())?,
    })
}

/// Why a command could not run to its end.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Override(#[from] OverrideError),
    #[error(transparent)]
    Sale(#[from] SaleError),
    #[error(transparent)]
    Rehearse(#[from] RehearseError),
    #[error(transparent)]
    Completion(#[from] OutputError),
}

impl Failure {
    const fn exit(&self) -> Exit {
        match self {
            Self::Query(error) => error.exit(),
            Self::Override(error) => error.exit(),
            Self::Sale(error) => error.exit(),
            Self::Rehearse(error) => error.exit(),
            Self::Completion(_) => Exit::Wrong,
        }
    }
}
