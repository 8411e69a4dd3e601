//! Files: a bounded text, and a trace in requests per second.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use crate::counter::{Counted, counts_up};
use crate::instants::instants;
use crate::rows::TraceError;
use crate::trace::Trace;
use crate::unit::Unit;

/// Largest trace that is read, bytes: a minute of traffic for 40 years is smaller.
const BYTES_MAX: u64 = 1 << 30;

/// A file cannot be read.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system does not hand it out.
    #[error("cannot read `{}`", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// It is larger than anything that was meant.
    #[error("`{}` must be at most {} MiB", path.display(), bytes_max >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bound, bytes.
        bytes_max: u64,
    },
}

/// A file is no trace.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its text is none.
    #[error("`{}`", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// The line and what it must be.
        source: TraceError,
    },
    /// Its values are counted up, not per step.
    #[error(
        "`{}` must hold requests per step or per second; its values never fall except to start again, as a counter's do: take their `rate()` first (`floodgate-tune` reads counters with --counter)", .0.display()
    )]
    Counter(PathBuf),
}

/// Reads a trace, in requests/s.
pub fn read(path: &Path, unit: Unit) -> Result<Trace, ReadError> {
    let trace = parsed(path, Trace::parse)?;
    let known = trace.samples().iter();
    if counts_up(known.filter_map(|sample| Some((sample.at, sample.value?)))) {
        return Err(ReadError::Counter(path.to_owned()));
    }
    Ok(unit.to_rps(trace))
}

/// Reads a counter as the rates between its values, requests/s.
pub fn read_counter(path: &Path) -> Result<(Trace, Counted), ReadError> {
    parsed(path, Trace::parse_counter)
}

/// Reads a list of `timestamp,label`, each event with its line.
pub fn read_instants(path: &Path) -> Result<Vec<(usize, Timestamp)>, ReadError> {
    parsed(path, instants)
}

fn parsed<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, TraceError>,
) -> Result<T, ReadError> {
    parse(&text(path, BYTES_MAX)?).map_err(|source| ReadError::Text {
        path: path.to_owned(),
        source,
    })
}

/// The text of a file of at most `bytes_max`, or of standard input for `-`.
pub fn text(path: &Path, bytes_max: u64) -> Result<String, FileError> {
    let failed = |source| FileError::Read(path.to_owned(), source);
    let mut text = String::new();
    let bytes = if path == Path::new("-") {
        let stdin = std::io::stdin().take(bytes_max + 1);
        { stdin }.read_to_string(&mut text)
    } else {
        let file = File::open(path).map_err(failed)?.take(bytes_max + 1);
        { file }.read_to_string(&mut text)
    };
    if bytes.map_err(failed)? as u64 > bytes_max {
        let path = path.to_owned();
        return Err(FileError::TooLarge { path, bytes_max });
    }
    Ok(text)
}
