//! `kubectl floodgate forecast`: the operator's forecast on recorded traces, without a cluster.
//!
//! Invariant: nothing after the origin is read for a forecast; what came later is only drawn beside
//! it.

mod chart;
mod cleaning;
mod eval;
mod input;
mod prior;
mod show;
mod train;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cleaning::Cleaning;
use floodgate_forecast::{Mask, UnixMillis};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::file::FileError;
use crate::moment;
use crate::output::{self, Format, OutputArgs, OutputError};
use crate::trace::{TraceFileError, Unit};

/// What to forecast.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forecasts every fold of a rolling evaluation and writes the paths as CSV.
    Eval(EvalArguments),
    /// Draws one forecast beside what happened, as one HTML file.
    Show(ShowArguments),
    /// Fits a model and writes it as JSON, as the operator keeps it.
    Train(TrainArguments),
    /// Learns from public traces what serves a cluster without history: the files of `models/`.
    Prior(PriorArguments),
}

#[derive(Debug, Args)]
struct EvalArguments {
    /// Folder with one `<series>.csv` (timestamp,value) for each series of the folds; the paths come
    /// in the unit of its values.
    #[arg(long, value_name = "DIR")]
    traces: PathBuf,
    /// Folds: `series,resolution_s,season_steps,train_end,origin`.
    #[arg(long, value_name = "FILE")]
    folds: PathBuf,
    /// Where to write `series,method,origin,timestamp,p50,p95`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Events known ahead (`timestamp,label`): adds the method floodgate-events.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    cleaning: Cleaning,
    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The trace, `timestamp,value`.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    unit: Unit,
    /// The origin: the last instant that is known, RFC 3339.
    #[arg(long, value_name = "INSTANT", value_parser = moment::instant)]
    at: Timestamp,
    /// Where to write the page.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    /// Events known ahead (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    cleaning: Cleaning,
    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Args)]
struct TrainArguments {
    /// The trace, `timestamp,value`.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    unit: Unit,
    /// Where to write the model.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The last instant to learn from, RFC 3339; default the end of the trace.
    #[arg(long, value_name = "INSTANT", value_parser = moment::instant)]
    at: Option<Timestamp>,
    /// Events known ahead (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    cleaning: Cleaning,
    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Args)]
struct PriorArguments {
    /// Folder of traces (`timestamp,value`), a week or longer each.
    #[arg(long, value_name = "DIR")]
    traces: PathBuf,
    /// Events that lie in one of them (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// Where to write `prior-day.json` and `prior-event.json`.
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    #[command(flatten)]
    form: FormArguments,
}

/// `-o`, and `--json` for short.
#[derive(Clone, Copy, Debug, Args)]
struct FormArguments {
    #[command(flatten)]
    output: OutputArgs,
    /// The same as `-o json`.
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl FormArguments {
    /// The summary for a program, or `line` for a person.
    fn render<T: Serialize>(self, summary: &T, line: String) -> Result<String, ForecastError> {
        let format = if self.json {
            Format::Json
        } else {
            self.output.output
        };
        Ok(format.render(summary, || line + "\n")?)
    }
}

/// Why nothing was forecast.
#[derive(Debug, Error)]
pub(crate) enum ForecastError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}, line {line}: {cause}")]
    Row {
        path: PathBuf,
        line: usize,
        cause: String,
    },
    #[error(transparent)]
    Trace(#[from] TraceFileError),
    #[error("`--at` is {at}; must be between {first} and {last}, the rows of {name}")]
    Outside {
        name: String,
        at: UnixMillis,
        first: UnixMillis,
        last: UnixMillis,
    },
    #[error("`--mask` is {}/{}; must touch {first} .. {last}, the rows of {name}", mask.from, mask.until)]
    MaskOutside {
        name: String,
        mask: Mask,
        first: UnixMillis,
        last: UnixMillis,
    },
    #[error(
        "{name} has {points} values over {span}; must hold more than a day to learn from, for the operator lets no forecast bid on less"
    )]
    Short {
        name: String,
        points: usize,
        span: String,
    },
    #[error("{name} at {at}: {source}")]
    Series {
        name: String,
        at: UnixMillis,
        source: floodgate_forecast::SeriesError,
    },
    #[error("{name} at {at}: {cause}")]
    Origin {
        name: String,
        at: UnixMillis,
        cause: String,
    },
    #[error("{path} {cause}")]
    Folder { path: PathBuf, cause: String },
    #[error("the model cannot be fitted: {0}")]
    Fit(#[from] floodgate_forecast::FitError),
    #[error("the model cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("a worker ended abruptly")]
    Worker,
}

impl ForecastError {
    /// Whether the command line or a file is at fault, and not this machine.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::File(_)
            | Self::Write { .. }
            | Self::Row { .. }
            | Self::Trace(_)
            | Self::Outside { .. }
            | Self::MaskOutside { .. }
            | Self::Short { .. }
            | Self::Series { .. }
            | Self::Origin { .. }
            | Self::Folder { .. }
            | Self::Fit(_) => true,
            Self::Json(_) | Self::Output(_) | Self::Worker => false,
        }
    }
}

/// Runs a forecast command.
pub(crate) fn run(arguments: Arguments) -> Result<(), ForecastError> {
    let text = match arguments.command {
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Prior(arguments) => prior::run(&arguments),
    }?;
    Ok(output::print(&text)?)
}
