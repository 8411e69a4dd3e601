//! `forecast prior`: the artefacts that serve a cluster without history, learned from traces.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use floodgate_forecast::{ColdScore, PriorDay, Series, UpliftProfile, learn_prior_day};
use serde::Serialize;

use super::{ForecastError, PriorArguments, input};
use crate::file::{self, FileError};
use crate::trace::Unit;

/// A shorter trace says little about a usual day, seconds.
const SPAN_S_MIN: i64 = 7 * 86_400;

#[derive(Serialize)]
struct Summary {
    series: Vec<String>,
    scores: Vec<ColdScore>,
    events: usize,
    out_dir: String,
}

pub(super) fn run(arguments: &PriorArguments) -> Result<String, ForecastError> {
    let traces = traces(&arguments.traces)?;
    let calendar = input::calendar(Some(&arguments.events))?;
    let (day, scores) = learn_prior_day(&traces).ok_or_else(|| ForecastError::Folder {
        path: arguments.traces.clone(),
        cause: "must hold at least two traces of a week or more".to_owned(),
    })?;
    let mut profiles = traces
        .iter()
        .filter_map(|(_, series)| UpliftProfile::learn(series, &calendar));
    let event = profiles.next().ok_or_else(|| ForecastError::Folder {
        path: arguments.traces.clone(),
        cause: "must hold a trace in which at least three of the events lie".to_owned(),
    })?;
    write(&arguments.out_dir.join("prior-day.json"), &day)?;
    write(&arguments.out_dir.join("prior-event.json"), &event)?;
    let PriorDay { series, .. } = day;
    let summary = Summary {
        series,
        scores,
        events: event.events,
        out_dir: arguments.out_dir.display().to_string(),
    };
    let page = page(&summary);
    arguments.form.render(&summary, page)
}

fn page(summary: &Summary) -> String {
    let mut text = format!(
        "{}: a usual day of {} traces, a profile of {} events\n\
         series, hours known: error over the next 24 h, of the last value, coverage of p95\n",
        summary.out_dir,
        summary.series.len(),
        summary.events
    );
    for score in &summary.scores {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}, {} h: {:.3}, {:.3}, {:.3}",
            score.series, score.hours, score.wape, score.wape_flat, score.coverage
        );
    }
    text
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), ForecastError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    input::write(path, &text)
}

/// Every trace of the folder, by name; of several at different steps (`web_1m`, `web_5m`) the
/// coarsest.
fn traces(folder: &Path) -> Result<Vec<(String, Series)>, ForecastError> {
    let read = |source| FileError::Read(folder.to_owned(), source);
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    files.sort();
    let mut traces: BTreeMap<String, (String, Series)> = BTreeMap::new();
    for path in files {
        if !file::text(&path)?.starts_with("timestamp,value\n") {
            continue;
        }
        let trace = input::trace(&path, Unit::Rps)?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let last = trace
            .samples()
            .last()
            .map(|(at, _)| *at)
            .unwrap_or_default();
        let series = input::known_at(&trace, &name, last)?;
        let stem = name.rsplit_once('_').map_or(&*name, |(stem, _)| stem);
        let coarser = |(_, known): &(String, Series)| known.step_s() >= series.step_s();
        if series.span_s() >= SPAN_S_MIN && !traces.get(stem).is_some_and(coarser) {
            traces.insert(stem.to_owned(), (name, series));
        }
    }
    Ok(traces.into_values().collect())
}
