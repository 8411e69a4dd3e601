//! `floodgate-tune show`: one forecast beside what happened.

use std::path::PathBuf;

use floodgate_forecast::{Basis, FitOptions, ForecastPath, UnixMillis, fit_with_events};
use floodgate_trace::{Sample, Trace, Unit, instant};
use jiff::Timestamp;
use serde::Serialize;

use crate::chart::{self, Picture};
use crate::cleaning::Cleaning;
use crate::error::TuneError;
use crate::{input, output};

/// Length of the path, seconds.
const HORIZON_S: u32 = 86_400;
/// History drawn before it, seconds.
const BEFORE_S: i64 = 3 * 86_400;

/// What to read and where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The trace, `timestamp,value`.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    unit: Unit,
    /// The origin: the last instant that is known, RFC 3339.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Timestamp,
    /// Where to write the page.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    /// Events known ahead (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    cleaning: Cleaning,
}

/// How the path fared; figures are absent when nothing came after the origin.
#[derive(Serialize)]
struct Summary {
    trace: String,
    at: String,
    model: String,
    quality: f64,
    points: usize,
    wape: Option<f64>,
    covered: Option<f64>,
    html: String,
}

pub(crate) fn run(args: &Args, json: bool) -> Result<String, TuneError> {
    let (trace, _) = args.cleaning.trace(&args.trace, args.unit)?;
    let calendar = input::calendar(args.events.as_deref())?;
    let at: UnixMillis = args.at.into();
    let name = args.trace.display().to_string();
    args.cleaning.within(&name, std::iter::once(&trace))?;
    let series = args.cleaning.known_within(&trace, &name, at)?;
    let options = FitOptions::for_step_s(series.step_s());
    let model = fit_with_events(&series, &options, &calendar)?;
    let path = model.path_with_events(&series, HORIZON_S, &calendar);
    let truth: Vec<(UnixMillis, f64)> = (0..path.p50_rps().len())
        .filter_map(|index| mean_of_step(&trace, &path, index))
        .collect();
    let from = series.end().plus_s(-BEFORE_S);
    let history = series.points().filter(|(at, _)| *at >= from);
    let (wape, covered) = fared(&path, &truth);
    let title = args
        .trace
        .file_stem()
        .map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let picture = Picture {
        title,
        at: series.end(),
        history: history.collect(),
        path: &path,
        truth,
        events: calendar.starts().to_vec(),
        masked: args.cleaning.windows(),
        step_s: series.step_s(),
        figures: figures(&path, wape, covered),
    };
    output::write(&args.html, &chart::html(&picture))?;
    let summary = Summary {
        trace: name,
        at: at.to_string(),
        model: path.model().to_owned(),
        quality: series.quality().score,
        points: picture.truth.len(),
        wape,
        covered,
        html: args.html.display().to_string(),
    };
    let line = format!("{}: {}", summary.html, picture.figures);
    output::render(json, &summary, line)
}

/// What came over one step of the path: the mean of the rows that ended in it.
fn mean_of_step(trace: &Trace, path: &ForecastPath, index: usize) -> Option<(UnixMillis, f64)> {
    let step_s = i64::from(path.step_s());
    let at = path.start().plus_s(i64::try_from(index).ok()? * step_s);
    let rows = trace.samples();
    let until = |at: UnixMillis| rows.partition_point(|row| UnixMillis::from(row.at) <= at);
    let rows = rows[until(at.plus_s(-step_s))..until(at)].iter();
    let values: Vec<f64> = rows.filter_map(|Sample { value, .. }| *value).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (!values.is_empty()).then_some((at, mean))
}

/// Absolute error over load and share covered, where something came.
fn fared(path: &ForecastPath, truth: &[(UnixMillis, f64)]) -> (Option<f64>, Option<f64>) {
    let mut error = 0.0;
    let mut load = 0.0;
    let mut covered = 0_usize;
    for (at, value) in truth {
        let p50 = path.p50_rps_max(*at, *at).unwrap_or(0.0);
        let upper = path.upper_rps_max(*at, *at).unwrap_or(0.0);
        error += (p50 - value).abs();
        load += value;
        covered += usize::from(*value <= upper);
    }
    let share = covered as f64 / truth.len() as f64;
    (
        (load > 0.0).then(|| error / load),
        (!truth.is_empty()).then_some(share),
    )
}

fn figures(path: &ForecastPath, wape: Option<f64>, covered: Option<f64>) -> String {
    let fared = match (wape, covered) {
        (Some(wape), Some(covered)) => {
            format!(
                "error {:.1} % of load, {:.1} % covered",
                wape * 100.0,
                covered * 100.0
            )
        }
        _ => "nothing came yet to compare with".to_owned(),
    };
    let model = if path.model() == Basis::ColdStart.as_str() {
        "the present level, for want of a day and more of history"
    } else {
        path.model()
    };
    format!("{model}, {} % bound: {fared}", path.quantile_percent())
}
