//! `payment-load run`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use payment_load::plan::{Plan, PlanError, ValidPlan};
use payment_load::report::Summary;
use payment_load::run::{RunOptions, run};
use payment_load::target::Target;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::live::Live;
use super::{Failure, chain};

/// Flags of `run`: a plan, or a target with a rate and a time.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// Plan file (JSON).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "rps", "span", "users", "merchants", "seed"])]
    plan: Option<PathBuf>,
    /// Where to send, like <http://127.0.0.1:8080>; loopback and 198.18.0.0/15 only.
    #[arg(long, required_unless_present = "plan", requires_all = ["rps", "span"])]
    target: Option<Target>,
    /// Requests per second.
    #[arg(long)]
    rps: Option<f64>,
    /// For how long, like 30s or 5m.
    #[arg(long = "for", value_name = "TIME", value_parser = span_s)]
    span: Option<f64>,
    /// Users that were seeded.
    #[arg(long, default_value_t = 1000)]
    users: u32,
    /// Merchants that were seeded.
    #[arg(long, default_value_t = 100)]
    merchants: u32,
    /// Seed of the traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to keep the journal for the audit; must not exist yet.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Where to write the summary (JSON).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn span_s(text: &str) -> Result<f64, String> {
    let span: SignedDuration = text
        .parse()
        .map_err(|_| "must be a time like 30s or 5m".to_owned())?;
    if span.is_positive() {
        Ok(span.as_secs_f64())
    } else {
        Err("must be positive".to_owned())
    }
}

/// Carries the run out, prints its seconds and writes its summary.
pub(super) async fn main(arguments: RunArguments) -> Result<(), Failure> {
    let plan = plan(&arguments)?;
    let stop = CancellationToken::new();
    let signals = tokio::spawn(stop_on_signal(stop.clone()));
    let mut live = Live::new(&plan);
    let options = RunOptions {
        journal: arguments.journal.clone(),
        stop,
    };
    let summary = run(plan, options, |second| live.second(second)).await;
    signals.abort();
    let summary = summary.map_err(|error| Failure::failed(&error))?;
    if let Some(path) = &arguments.out {
        write_whole(path, &summary).map_err(Failure::Failed)?;
    }
    live.end(&summary);
    let counts = &summary.total.counts;
    let answered = counts.acked + counts.shed;
    if counts.offered > 0 && answered == 0 && summary.errors.keys().all(|code| is_silence(code)) {
        return Err(Failure::Failed(format!(
            "{} answered none of {} requests",
            summary.target, counts.offered
        )));
    }
    Ok(())
}

/// Codes that mean no answer at all.
fn is_silence(code: &str) -> bool {
    matches!(
        code,
        "connection_refused" | "connection_lost" | "timeout" | "client_overrun"
    )
}

fn plan(arguments: &RunArguments) -> Result<ValidPlan, Failure> {
    let plan = match (
        &arguments.plan,
        arguments.target,
        arguments.rps,
        arguments.span,
    ) {
        (Some(path), ..) => {
            let named = |line: String| format!("{}: {line}", path.display());
            let text =
                fs::read_to_string(path).map_err(|error| Failure::Failed(named(chain(&error))))?;
            Plan::parse(&text).map_err(|error| Failure::Usage(named(chain(&error))))?
        }
        (None, Some(target), Some(rps), Some(span_s)) => Plan {
            users: arguments.users,
            merchants: arguments.merchants,
            seed: arguments.seed,
            ..Plan::constant(target, rps, span_s)
        },
        _ => {
            return Err(Failure::Usage(
                "give --plan, or --target with --rps and --for".to_owned(),
            ));
        }
    };
    plan.validate(Timestamp::now())
        .map_err(|error: PlanError| Failure::usage(&error))
}

/// The first signal ends the run with a summary, the second ends the process.
async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return;
    };
    for second in [false, true] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if second {
            std::process::exit(1);
        }
        stop.cancel();
    }
}

/// Writes the summary beside its place and moves it there, so that no reader sees half of it.
fn write_whole(path: &Path, summary: &Summary) -> Result<(), String> {
    let failed = |error: &dyn std::error::Error| {
        format!("{} cannot be written: {}", path.display(), chain(error))
    };
    let mut text = serde_json::to_string_pretty(summary).map_err(|error| failed(&error))?;
    text.push('\n');
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text).map_err(|error| failed(&error))?;
    fs::rename(&part, path).map_err(|error| failed(&error))
}
