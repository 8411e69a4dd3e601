//! `kubectl floodgate`: what an SRE asks and says on the night of a sale, and what is rehearsed before it.
//!
//! Invariant: everything is done with the rights of whoever runs it; nothing here writes anything
//! but override annotations.

mod access;
mod calendar;
mod completion;
mod explain;
mod failure;
mod file;
mod line;
mod moment;
mod output;
mod overrides;
mod paint;
mod rehearse;
mod sale;
mod settings;
mod source;
mod status;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use access::AccessArgs;
use failure::{EXIT_CODES, Failure, Finding};

/// Asks and overrules Floodgate; rehearses a sale before it is trusted.
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
    /// Shows load, forecast, pods, level, next sale and overrides, and first what is wrong.
    Status(status::StatusArgs),
    /// Tells why there are as many pods as there are: every bid, every guard, the numbers.
    Explain(explain::ExplainArgs),
    /// Sets, clears and lists overrides; each has an end and a reason.
    Override(overrides::OverrideArgs),
    /// Plans a sale, shows how it stands, reports what came of it.
    Sale(sale::SaleArgs),
    /// Replays a trace in virtual time under this planner and under other autoscalers.
    Rehearse(Box<rehearse::Args>),
    /// Prints a completion script.
    Completion(completion::CompletionArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words = std::env::args_os().skip(1);
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    // Half a command is not to be parsed, so kubectl's question is answered before clap sees it.
    let outcome = if words.next().as_deref() == Some(completion::QUESTION) {
        let words: Vec<String> = words.collect();
        let offered = completion::offer(&words, Cli::command()).await;
        offered.map_err(Failure::from).map(|()| ExitCode::SUCCESS)
    } else {
        let Cli { access, command } = Cli::parse();
        run(command, &access).await
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", chain(&failure));
            failure.exit_code()
        }
    }
}

async fn run(command: Command, access: &AccessArgs) -> Result<ExitCode, Failure> {
    let finding = match command {
        Command::Status(args) => status::run(&args, access).await?,
        Command::Explain(args) => explain::run(&args, access).await?,
        Command::Override(args) => overrides::run(&args, access).await?,
        Command::Sale(args) => sale::run(&args, access).await?,
        Command::Rehearse(args) => {
            rehearse::run(&args).await?;
            Finding::Fine
        }
        Command::Completion(args) => completion::script(&args, Cli::command())?,
    };
    Ok(finding.into())
}

/// An error with everything that led to it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some sources repeat what wraps them.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    // The kubeconfig's reader quotes a path twice.
    text.replace("'\"", "`").replace("\"'", "`")
}
