//! Reading traces, folds and event calendars; a bad row is named by its file and line.

use std::fs;
use std::path::Path;

use floodgate_forecast::{Calendar, Series, Trace, UnixMillis};
use jiff::Timestamp;

use super::ForecastError;
use crate::file;
use crate::trace::{self, Unit};

const FOLDS_HEADER: &str = "series,resolution_s,season_steps,train_end,origin";

/// One origin of a rolling evaluation.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    pub(super) series: String,
    pub(super) origin: UnixMillis,
}

pub(super) fn write(path: &Path, content: &str) -> Result<(), ForecastError> {
    fs::write(path, content).map_err(|source| ForecastError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Reads a trace, in requests/s.
pub(super) fn trace(path: &Path, unit: Unit) -> Result<Trace, ForecastError> {
    Ok(trace::read(path, unit)?)
}

/// What is known of a trace at an instant.
pub(super) fn known_at(trace: &Trace, name: &str, at: UnixMillis) -> Result<Series, ForecastError> {
    trace.known_at(at).map_err(|source| ForecastError::Series {
        name: name.to_owned(),
        at,
        source,
    })
}

/// What is known at an instant that lies within the trace.
pub(super) fn known_within(
    trace: &Trace,
    name: &str,
    at: UnixMillis,
) -> Result<Series, ForecastError> {
    let instants = || trace.samples().iter().map(|(at, _)| *at);
    let first = instants().next().unwrap_or_default();
    let last = instants().next_back().unwrap_or_default();
    if !(first..=last).contains(&at) {
        return Err(ForecastError::Outside {
            name: name.to_owned(),
            at,
            first,
            last,
        });
    }
    known_at(trace, name, at)
}

pub(super) fn folds(path: &Path) -> Result<Vec<Fold>, ForecastError> {
    let text = file::text(path)?;
    let row_error = |line: usize, cause: String| ForecastError::Row {
        path: path.to_owned(),
        line,
        cause,
    };
    let mut rows = text.lines().enumerate();
    if rows.next().map(|(_, row)| row.trim()) != Some(FOLDS_HEADER) {
        return Err(row_error(1, format!("the header must be {FOLDS_HEADER}")));
    }
    let folds = rows
        .filter(|(_, row)| !row.trim().is_empty())
        .map(|(index, row)| fold(row.trim()).map_err(|cause| row_error(index + 1, cause)));
    let folds = folds.collect::<Result<Vec<Fold>, ForecastError>>()?;
    if folds.is_empty() {
        return Err(row_error(2, "there must be at least one fold".to_owned()));
    }
    Ok(folds)
}

fn fold(row: &str) -> Result<Fold, String> {
    let fields: Vec<&str> = row.split(',').collect();
    let [series, _, _, _, origin] = fields.as_slice() else {
        return Err(format!("a fold must be {FOLDS_HEADER}"));
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if series.is_empty() || series.starts_with('.') || !series.chars().all(plain) {
        return Err(format!(
            "series {series:?} must be the name of a trace without its .csv"
        ));
    }
    Ok(Fold {
        series: (*series).to_owned(),
        origin: instant("origin", origin)?,
    })
}

/// Events of a file; an empty calendar without one.
pub(super) fn calendar(path: Option<&Path>) -> Result<Calendar, ForecastError> {
    let Some(path) = path else {
        return Ok(Calendar::default());
    };
    let text = file::text(path)?;
    let mut starts = Vec::new();
    for (index, row) in text.lines().enumerate() {
        let first = row.split(',').next().unwrap_or(row).trim();
        if first.is_empty() || (index == 0 && first == "timestamp") {
            continue;
        }
        let start = instant("timestamp", first).map_err(|cause| ForecastError::Row {
            path: path.to_owned(),
            line: index + 1,
            cause,
        })?;
        starts.push(start);
    }
    Ok(Calendar::new(starts))
}

fn instant(field: &str, text: &str) -> Result<UnixMillis, String> {
    let parsed: Result<Timestamp, _> = text.trim().parse();
    parsed.map(UnixMillis::from).map_err(|_| {
        format!("{field} {text:?} must be an RFC 3339 instant such as 2026-11-11T00:00:00Z")
    })
}
