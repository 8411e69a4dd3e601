//! The command line: one line for every error, and what each exit status means.

mod audit;
mod live;
mod run;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Open-loop payment traffic, and the audit that proves no money was lost.
#[derive(Debug, Parser)]
#[command(name = "payment-load", version, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send traffic along a plan, or at a constant rate.
    Run(run::RunArguments),
    /// Hold the ledger to the journal of a run.
    Audit(audit::AuditArguments),
}

/// How the program ends when it does not end well.
#[derive(Debug)]
enum Failure {
    /// Flags or a plan were refused: status 2.
    Usage(String),
    /// Something did not work, or a promise is broken: status 1.
    Failed(String),
}

impl Failure {
    fn usage(error: &dyn Error) -> Self {
        Self::Usage(chain(error))
    }

    fn failed(error: &dyn Error) -> Self {
        Self::Failed(chain(error))
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line.replace('\n', " ")
}

/// Parses the command line, carries it out and says how it went.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // Help and version; a closed pipe is the reader's choice.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return report(Failure::Usage(first_line(&error))),
    };
    // One thread holds thousands of requests per second and leaves the other cores to the service.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Err(error) => Err(Failure::failed(&error)),
        Ok(runtime) => match arguments.command {
            Command::Run(arguments) => runtime.block_on(run::main(arguments)),
            Command::Audit(arguments) => runtime.block_on(audit::main(arguments)),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(failure),
    }
}

/// What clap says, without its usage block.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see --help)")
}

fn report(failure: Failure) -> ExitCode {
    let (line, status) = match failure {
        Failure::Usage(line) => (line, 2),
        Failure::Failed(line) => (line, 1),
    };
    eprintln!("payment-load: {line}");
    ExitCode::from(status)
}
