//! `rehearse`: a recorded trace in virtual time, under Floodgate and under other autoscalers.
//!
//! Objects are read from files, the load from a file or from Prometheus; no Kubernetes cluster is
//! read or changed.

mod args;
mod chart;
mod history;
mod load;
mod measured;
mod objects;
mod table;
mod verdict;
mod world;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use floodgate_planner::rehearse::{PolicyKind, Rehearsal, Report, Settings, World};
use floodgate_planner::{LeadTime, Sale};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{self, Format, OutputError};

pub use args::Args;
use load::{LoadError, Stage};
use objects::ObjectError;
use verdict::Verdict;

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
        path: PathBuf,
        source: std::io::Error,
    },
}

impl RehearseError {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Objects(_) | Self::Load(_) | Self::Write { .. } => Exit::Usage,
            Self::Output(_) => Exit::Wrong,
        }
    }
}

/// What `-o json` prints.
#[derive(Serialize)]
struct RehearsalAnswer<'a> {
    cluster: &'a str,
    rehearsed_from: String,
    rehearsed_until: String,
    seed: u64,
    settings: SettingsAnswer<'a>,
    step_s: u32,
    load_peak_rps: f64,
    load_scale: f64,
    notes: &'a [String],
    /// Of the first seed.
    policies: Vec<PolicyAnswer<'a>>,
    /// Of every seed, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_seed: Vec<SeedAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Verdict>,
}

/// Everything that a result depends on beside the trace.
#[derive(Serialize)]
struct SettingsAnswer<'a> {
    seeds: u32,
    world: &'a World,
    cluster: &'a Settings,
    lead_time: LeadTime,
    sales: &'a [Sale],
    surges: Vec<SurgeAnswer>,
}

/// A surge that was laid over the trace.
#[derive(Serialize)]
struct SurgeAnswer {
    t0: String,
    factor: f64,
}

#[derive(Serialize)]
struct SeedAnswer<'a> {
    seed: u64,
    policies: Vec<PolicyAnswer<'a>>,
}

#[derive(Serialize)]
struct PolicyAnswer<'a> {
    name: &'a str,
    #[serde(flatten)]
    score: &'a floodgate_planner::rehearse::Score,
}

pub async fn run(args: &Args) -> Result<Exit, RehearseError> {
    let given = objects::read(&args.files, args.sales.as_deref(), args)?;
    let stage = load::stage(args, given).await?;
    // A rehearsal may take minutes; a chart that cannot be written fails before.
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
    let runs = rehearsal.run_seeds(&kinds, args.world.seeds, &|share| {
        bar.set_position((share * 100.0) as u64);
    });
    bar.finish_and_clear();
    let verdict = Verdict::of(&runs);
    let format = if args.json {
        Format::Json
    } else {
        args.output.output
    };
    let table = || table::render(rehearsal, &runs, verdict.as_ref(), notes) + "\n";
    let text = format.render(&answer(&stage, &runs, verdict.as_ref()), table)?;
    output::print(&text)?;
    if let Some(path) = &args.html {
        let page = chart::render(&stage, &runs, verdict.as_ref());
        std::fs::write(path, page).map_err(|source| unwritable(path, source))?;
    }
    Ok(Exit::Fine)
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

fn answer<'a>(
    stage: &'a Stage,
    runs: &'a [Vec<Report>],
    verdict: Option<&'a Verdict>,
) -> RehearsalAnswer<'a> {
    let Rehearsal {
        traffic,
        settings,
        sales,
        world,
    } = &stage.rehearsal;
    let surges = traffic.surges().iter().map(|surge| SurgeAnswer {
        t0: surge.t0.to_string(),
        factor: surge.factor,
    });
    let several = if runs.len() > 1 { runs } else { &[] };
    let by_seed = (world.seed..).zip(several).map(|(seed, run)| SeedAnswer {
        seed,
        policies: policies(run),
    });
    RehearsalAnswer {
        cluster: &stage.cluster,
        rehearsed_from: traffic.rehearsed_from().to_string(),
        rehearsed_until: traffic.end().to_string(),
        seed: world.seed,
        settings: SettingsAnswer {
            seeds: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            world,
            cluster: settings,
            lead_time: stage.rehearsal.lead_time(),
            sales,
            surges: surges.collect(),
        },
        step_s: stage.rehearsal.step_s(),
        load_peak_rps: traffic.peak_rps(),
        load_scale: stage.scale,
        notes: &stage.notes,
        policies: runs.first().map_or_else(Vec::new, |run| policies(run)),
        by_seed: by_seed.collect(),
        verdict,
    }
}

fn policies(run: &[Report]) -> Vec<PolicyAnswer<'_>> {
    run.iter()
        .map(|Report { name, score, .. }| PolicyAnswer { name, score })
        .collect()
}
