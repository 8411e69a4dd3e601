//! `rehearse`: a recorded trace in virtual time, under this planner and under other autoscalers.
//!
//! Objects are read from files, the load from a file or from Prometheus; nothing is asked of a
//! Kubernetes cluster and nothing is changed.

mod args;
mod chart;
mod history;
mod load;
mod objects;
mod table;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use floodgate_planner::rehearse::{PolicyKind, Rehearsal, Report, World};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::output::{self, Format, OutputError};

pub use args::Args;
use load::{LoadError, Stage};
use objects::ObjectError;

/// Why nothing was rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The objects cannot be used.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The trace cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The answer cannot be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The chart cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Its file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
}

impl RehearseError {
    /// Whether the command line or a file is at fault, and not this machine.
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Objects(_) | Self::Load(_) | Self::Write { .. } => true,
            Self::Output(_) => false,
        }
    }
}

/// What `-o json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    cluster: &'a str,
    rehearsed_from: String,
    rehearsed_until: String,
    seed: u64,
    step_s: u32,
    load_peak_rps: f64,
    load_scale: f64,
    notes: &'a [String],
    policies: Vec<PolicyAnswer<'a>>,
}

#[derive(Serialize)]
struct PolicyAnswer<'a> {
    name: &'a str,
    #[serde(flatten)]
    score: &'a floodgate_planner::rehearse::Score,
}

/// Rehearses and prints.
pub async fn run(args: &Args) -> Result<(), RehearseError> {
    let given = objects::read(&args.files, args.sales.as_deref(), args)?;
    let stage = load::stage(args, given).await?;
    // A rehearsal may take minutes; that its chart cannot be written is told before.
    if let Some(path) = &args.html {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|source| unwritable(path, source))?;
    }
    let Stage {
        rehearsal, notes, ..
    } = &stage;
    let bar = progress_bar();
    let kinds = if args.policies.is_empty() {
        PolicyKind::ALL.to_vec()
    } else {
        args.policies.clone()
    };
    let reports = rehearsal.run(&kinds, &|share| {
        bar.set_position((share * 100.0) as u64);
    });
    bar.finish_and_clear();
    let format = if args.json {
        Format::Json
    } else {
        args.output.output
    };
    let table = || table::render(rehearsal, &reports, notes) + "\n";
    let text = format.render(&answer(&stage, &reports), table)?;
    output::print(&text)?;
    if let Some(path) = &args.html {
        let page = chart::render(&stage.cluster, rehearsal, &reports, notes);
        std::fs::write(path, page).map_err(|source| unwritable(path, source))?;
    }
    Ok(())
}

fn unwritable(path: &Path, source: std::io::Error) -> RehearseError {
    let path = path.to_owned();
    RehearseError::Write { path, source }
}

/// A bar on stderr; it stays hidden when that is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(100);
    if let Ok(style) = ProgressStyle::with_template("rehearsing [{bar:40}] {percent} % {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn answer<'a>(stage: &'a Stage, reports: &'a [Report]) -> Answer<'a> {
    let Rehearsal { traffic, world, .. } = &stage.rehearsal;
    let World { seed, .. } = *world;
    Answer {
        cluster: &stage.cluster,
        rehearsed_from: traffic.rehearsed_from().to_string(),
        rehearsed_until: traffic.end().to_string(),
        seed,
        step_s: stage.rehearsal.step_s(),
        load_peak_rps: traffic.peak_rps(),
        load_scale: stage.scale,
        notes: &stage.notes,
        policies: reports
            .iter()
            .map(|report| PolicyAnswer {
                name: report.name,
                score: &report.score,
            })
            .collect(),
    }
}
