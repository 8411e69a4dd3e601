//! Reads folds and event calendars; a bad row is named by its file and line.

use std::path::Path;

use floodgate_forecast::{Calendar, UnixMillis};
use floodgate_trace::{instant, read_instants};

use crate::error::TuneError;

const FOLDS_HEADER: &str = "series,resolution_s,season_steps,train_end,origin";

/// One origin of a rolling evaluation.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) series: String,
    pub(crate) origin: UnixMillis,
}

pub(crate) fn folds(path: &Path) -> Result<Vec<Fold>, TuneError> {
    let text = std::fs::read_to_string(path).map_err(|source| TuneError::Read {
        path: path.to_owned(),
        source,
    })?;
    let row_error = |line: usize, cause: String| TuneError::Row {
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
    let folds = folds.collect::<Result<Vec<Fold>, TuneError>>()?;
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
        origin: instant(origin)
            .map_err(|cause| format!("origin: {cause}"))?
            .into(),
    })
}

/// Events of a file; an empty calendar without one.
pub(crate) fn calendar(path: Option<&Path>) -> Result<Calendar, TuneError> {
    let Some(path) = path else {
        return Ok(Calendar::default());
    };
    let starts = read_instants(path)?.into_iter();
    Ok(Calendar::new(starts.map(|(_, at)| at.into()).collect()))
}
