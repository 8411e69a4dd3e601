//! `floodgate-tune`: the operator's forecast on recorded traces, for whoever tunes models.
//!
//! Invariant: nothing after the origin is read for a forecast; what came later is only drawn beside
//! it.

mod chart;
mod cleaning;
mod error;
mod eval;
mod input;
mod output;
mod prior;
mod sample;
mod show;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Score, draw and train Floodgate's forecast on recorded traces.
#[derive(Debug, Parser)]
#[command(name = "floodgate-tune", version)]
#[command(after_help = "\
Exit codes:
  0  done
  1  this machine failed
  2  bad usage or bad input, or a file that cannot be read or written")]
struct Cli {
    /// Print the summary as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forecast every fold of a rolling evaluation and write the paths as CSV.
    Eval(eval::Args),
    /// Draw one forecast beside what happened, as one HTML file.
    Show(show::Args),
    /// Fit a model and write it as JSON, as the operator keeps it.
    Train(train::Args),
    /// Learn from public traces what serves a cluster without history: the files of `models/`.
    Prior(prior::Args),
    /// Make up a load with two sales, to rehearse with: `manifests/samples/rehearsal/load.csv`.
    Sample(sample::Args),
}

fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let done = match command {
        Command::Eval(args) => eval::run(&args, json),
        Command::Show(args) => show::run(&args, json),
        Command::Train(args) => train::run(&args, json),
        Command::Prior(args) => prior::run(&args, json),
        Command::Sample(args) => sample::run(&args, json),
    };
    match done.and_then(|text| output::print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            // With everything that led to it, on one line.
            eprintln!("error: {:#}", anyhow::Error::from(error));
            code
        }
    }
}
