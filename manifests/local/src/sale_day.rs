//! The sale day: a compressed Double 11 on the local cluster, from history to report.
//!
//! Steps: history into Prometheus, operator, ledger and PaymentCluster; then the script of the day
//! beside a load that keeps to its own plan, watched each second; then audit, verdict and report.
//! A failed step ends the day with one line that names it; a broken promise ends it after the
//! report is written.

use std::future::Future;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use crate::Cluster;
use crate::error::{Cause, StepError};
use crate::file;
use crate::progress::Progress;

mod actions;
pub mod api;
mod assemble;
pub mod curve;
mod day;
pub mod deploy;
#[cfg(test)]
mod fixture;
mod history;
mod live;
mod machine;
mod minutes;
mod not_ready;
pub mod observe;
mod page;
mod promise;
mod report;
mod script;
mod timeline;
mod traffic;
mod verdict;

use report::Report;

/// Options of the sale day.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A recorded history (columns timestamp,value; blank = missing) instead of the synthetic one.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Folder for report.json, report.html and the files of the load.
    #[arg(long, value_name = "FOLDER", default_value = "target/sale-day")]
    out: PathBuf,
    /// Folder of the programs payment-svc and payment-load; the one of this program if not given.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Seed of history and load; the time of day if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Only write report.html again, from this report.json.
    #[arg(long, value_name = "REPORT", conflicts_with_all = ["trace", "programs", "seed"])]
    render: Option<PathBuf>,
}

/// How a sale day can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum SaleDayError {
    /// A step failed; there is no verdict.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The day went to its end and broke these promises.
    #[error("promise broken: {}", .0.join("; "))]
    Broken(Vec<String>),
}

/// Runs the sale day on a cluster that is up, and writes its report.
pub async fn run(cluster: &Cluster, args: Args) -> Result<(), SaleDayError> {
    let steps = Steps {
        progress: Progress::detect(),
        log: cluster.log("prometheus"),
    };
    let report = match &args.render {
        Some(path) => Report::read(path).map_err(|error| steps.error("read report", error))?,
        None => day::run(cluster, &args, &steps).await?,
    };
    let html = args.out.join("report.html");
    report
        .write(&args.out)
        .and_then(|()| Ok(file::write(&html, page::render(&report).as_bytes())?))
        .map_err(|error| steps.error("write report", error))?;
    print_verdict(&report);
    println!("report: {}", html.display());
    let broken = report.promises.iter().filter(|promise| !promise.kept);
    let broken: Vec<String> = broken
        .map(|promise| {
            format!(
                "{}: {} ({})",
                promise.kind.as_str(),
                promise.text,
                promise.measured
            )
        })
        .collect();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(SaleDayError::Broken(broken))
    }
}

fn print_verdict(report: &Report) {
    for promise in &report.promises {
        let kept = if promise.kept { "kept" } else { "BROKEN" };
        println!(
            "  {kept:<8} {}: {} ({})",
            promise.kind.as_str(),
            promise.text,
            promise.measured
        );
    }
    for mark in &report.marks {
        let reached = if mark.reached { "reached" } else { "short" };
        println!(
            "  {reached:<8} mark: {}: {} (mark: {})",
            mark.name, mark.measured, mark.aim
        );
    }
}

/// How steps are shown, and what a failed one points to.
struct Steps {
    progress: Progress,
    log: PathBuf,
}

impl Steps {
    /// Carries out a step whose value is the line to show.
    async fn take<E: Into<Cause>>(
        &self,
        name: &str,
        doing: impl Future<Output = Result<String, E>>,
    ) -> Result<(), StepError> {
        let step = self.progress.step(name);
        match doing.await {
            Ok(outcome) => {
                step.done(&outcome);
                Ok(())
            }
            Err(error) => {
                step.failed();
                Err(self.error(name, error))
            }
        }
    }

    fn error(&self, name: &str, cause: impl Into<Cause>) -> StepError {
        let log = if name == "history" {
            self.log.as_path()
        } else {
            Path::new("")
        };
        StepError::new(name, log, cause)
    }
}
