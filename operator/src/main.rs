//! Entry point: arguments, logging, signals; everything else is the library.

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};
use floodgate_operator::{
    run::{RunArgs, run},
    telemetry::{self, LogFormat},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The operator of elastic payment clusters.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Shape of log lines.
    #[arg(long, env = "FLOODGATE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator.
    Run(RunArgs),
    /// Print the CRDs as YAML.
    Crd,
}

fn main() -> ExitCode {
    let Args {
        log_format,
        command,
    } = Args::parse();
    match command {
        Command::Crd => print_crds(),
        Command::Run(args) => {
            telemetry::start(log_format);
            operate(args)
        }
    }
}

fn print_crds() -> ExitCode {
    let yaml = match floodgate_api::crds_yaml() {
        Ok(yaml) => yaml,
        Err(error) => return fail(&error),
    };
    match std::io::stdout().write_all(yaml.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[tokio::main]
async fn operate(args: RunArgs) -> ExitCode {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => return fail(&error),
    };
    let stopping = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stopping.is_cancelled() {
                tracing::warn!("second signal, ending at once");
                std::process::exit(1);
            }
            tracing::info!("stopping");
            stopping.cancel();
        }
    });
    match run(args, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the operator ends"
            );
            fail(&error)
        }
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    // Nothing is left to do when even this cannot be written.
    let _ = writeln!(
        std::io::stderr(),
        "floodgate-operator: {}",
        telemetry::chain(error)
    );
    ExitCode::FAILURE
}
