//! `floodgate-tune prior`: the artefacts that serve a cluster without history, learned from traces.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use floodgate_forecast::{ColdScore, PriorDay, Series, UpliftProfile, learn_prior_day};
use floodgate_trace::Unit;
use serde::Serialize;

use crate::cleaning;
use crate::error::TuneError;
use crate::{input, output};

/// A shorter trace says little about a usual day, seconds.
const SPAN_S_MIN: i64 = 7 * 86_400;

/// What to read and where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of traces (`timestamp,value`), a week or longer each.
    #[arg(long, value_name = "DIR")]
    traces: PathBuf,
    /// Events that lie in one of them (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// Where to write `prior-day.json` and `prior-event.json`.
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
}

#[derive(Serialize)]
struct Summary {
    series: Vec<String>,
    scores: Vec<ColdScore>,
    events: usize,
    out_dir: String,
}

pub(crate) fn run(args: &Args, json: bool) -> Result<String, TuneError> {
    let traces = traces(&args.traces)?;
    let calendar = input::calendar(Some(&args.events))?;
    let (day, scores) = learn_prior_day(&traces).ok_or_else(|| TuneError::Folder {
        path: args.traces.clone(),
        cause: "must hold at least two traces of a week or more".to_owned(),
    })?;
    let mut profiles = traces
        .iter()
        .filter_map(|(_, series)| UpliftProfile::learn(series, &calendar));
    let event = profiles.next().ok_or_else(|| TuneError::Folder {
        path: args.traces.clone(),
        cause: "must hold a trace in which at least three of the events lie".to_owned(),
    })?;
    write(&args.out_dir.join("prior-day.json"), &day)?;
    write(&args.out_dir.join("prior-event.json"), &event)?;
    let PriorDay { series, .. } = day;
    let summary = Summary {
        series,
        scores,
        events: event.events,
        out_dir: args.out_dir.display().to_string(),
    };
    let page = page(&summary);
    output::render(json, &summary, page)
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

fn write(path: &Path, value: &impl Serialize) -> Result<(), TuneError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    output::write(path, &text)
}

/// Every trace of the folder, by name; of several at different steps (`web_1m`, `web_5m`) the
/// coarsest.
fn traces(folder: &Path) -> Result<Vec<(String, Series)>, TuneError> {
    let read = |source| TuneError::Read {
        path: folder.to_owned(),
        source,
    };
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
        if first_line(&path)? != "timestamp,value" {
            continue;
        }
        let trace = floodgate_trace::read(&path, Unit::Rps)?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (_, last) = trace.span();
        let series = cleaning::known_at(&trace, &name, last.into())?;
        let stem = name.rsplit_once('_').map_or(&*name, |(stem, _)| stem);
        let coarser = |(_, known): &(String, Series)| known.step_s() >= series.step_s();
        if series.span_s() >= SPAN_S_MIN && !traces.get(stem).is_some_and(coarser) {
            traces.insert(stem.to_owned(), (name, series));
        }
    }
    Ok(traces.into_values().collect())
}

/// What tells a trace from another list in the folder.
fn first_line(path: &Path) -> Result<String, TuneError> {
    let file = std::fs::File::open(path);
    let line = file.and_then(|file| BufReader::new(file).lines().next().transpose());
    line.map(Option::unwrap_or_default)
        .map_err(|source| TuneError::Read {
            path: path.to_owned(),
            source,
        })
}
