//! A recorded trace from a file, as a rate. What a value counts is said by `--unit` and means the
//! same for every command that plans, rehearses or learns from a trace.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use floodgate_forecast::{Trace, TraceError, counts_up};

use crate::file::{self, FileError};

/// What a value of a trace counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Requests in the step of the trace, as access logs are counted.
    #[default]
    PerStep,
    /// Requests per second, as `rate()` gives them.
    Rps,
}

impl Unit {
    /// How the values were read, with the way to have them read otherwise.
    pub fn in_words(self, trace: &Trace) -> String {
        let step_s = trace.step_s();
        match self {
            Self::PerStep => {
                format!("values taken as requests per step of {step_s} s; `--unit rps` for rates")
            }
            Self::Rps => "values taken as requests/s".to_owned(),
        }
    }
}

/// A file is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no trace.
    #[error("`{}`", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// The line and what it must be.
        source: TraceError,
    },
    /// Its values are counted up, not per step.
    #[error(
        "`{}` must hold requests per step, or per second; its values never fall but to begin anew, as a counter's do: take their `rate()` first (`forecast` reads counters with --counter)", .0.display()
    )]
    Counter(PathBuf),
}

/// Reads a trace, in requests/s.
pub fn read(path: &Path, unit: Unit) -> Result<Trace, TraceFileError> {
    let text = file::text(path)?;
    let trace = Trace::parse(&text).map_err(|source| TraceFileError::Trace {
        path: path.to_owned(),
        source,
    })?;
    if counts_up(trace.samples()) {
        return Err(TraceFileError::Counter(path.to_owned()));
    }
    Ok(match unit {
        Unit::PerStep => trace.scaled(1.0 / f64::from(trace.step_s())),
        Unit::Rps => trace,
    })
}
