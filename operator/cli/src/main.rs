//! `kubectl floodgate`: what an SRE asks and says on the night of a sale, and what is rehearsed before it.

mod rehearse;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Asks and overrules Floodgate; rehearses a sale before it is trusted.
#[derive(Debug, Parser)]
#[command(name = "kubectl-floodgate", bin_name = "kubectl floodgate", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replays a trace in virtual time under this planner and under other autoscalers.
    Rehearse(Box<rehearse::Args>),
    /// Prints the completion script of a shell.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Rehearse(args) => rehearse::run(&args),
        Command::Completion { shell } => {
            let name = "kubectl-floodgate";
            clap_complete::generate(shell, &mut Cli::command(), name, &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}
