//! Why a command could not do its work.

use std::path::PathBuf;
use std::process::ExitCode;

use floodgate_forecast::{Mask, UnixMillis};
use floodgate_trace::ReadError;
use thiserror::Error;

/// Why a command could not do its work.
#[derive(Debug, Error)]
pub(crate) enum TuneError {
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{}`: line {line}: {cause}", path.display())]
    Row {
        path: PathBuf,
        line: usize,
        cause: String,
    },
    #[error(transparent)]
    Trace(#[from] ReadError),
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
        "{name} has {points} values over {hours} h; must hold more than a day to learn from, for the operator lets no forecast bid on less"
    )]
    Short {
        name: String,
        points: usize,
        hours: i64,
    },
    #[error("{name} at {at}")]
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
    #[error("`{}` {cause}", path.display())]
    Folder { path: PathBuf, cause: String },
    #[error("the model cannot be fitted")]
    Fit(#[from] floodgate_forecast::FitError),
    #[error("the summary or the model cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("cannot write to standard output")]
    Print(#[source] std::io::Error),
    #[error("a worker ended abruptly")]
    Worker,
}

impl TuneError {
    /// 2 when the command line or a file is at fault, 1 when this machine is.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Row { .. }
            | Self::Trace(_)
            | Self::Outside { .. }
            | Self::MaskOutside { .. }
            | Self::Short { .. }
            | Self::Series { .. }
            | Self::Origin { .. }
            | Self::Folder { .. }
            | Self::Fit(_) => 2,
            Self::Json(_) | Self::Print(_) | Self::Worker => 1,
        })
    }
}
