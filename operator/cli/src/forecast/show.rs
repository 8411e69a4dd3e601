//! `forecast show`: one forecast beside what happened.

use floodgate_forecast::{Basis, FitOptions, ForecastPath, Trace, UnixMillis, fit_with_events};
use serde::Serialize;

use super::chart::{self, Picture, Point};
use super::{ForecastError, ShowArguments, input};

/// Length of the path, seconds.
const HORIZON_S: u32 = 86_400;
/// History drawn before it, seconds.
const BEFORE_S: i64 = 3 * 86_400;

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

pub(super) fn run(arguments: &ShowArguments) -> Result<String, ForecastError> {
    let (trace, _) = arguments.cleaning.trace(&arguments.trace, arguments.unit)?;
    let calendar = input::calendar(arguments.events.as_deref())?;
    let at: UnixMillis = arguments.at.into();
    let name = arguments.trace.display().to_string();
    arguments.cleaning.within(&name, std::iter::once(&trace))?;
    let series = arguments.cleaning.known_within(&trace, &name, at)?;
    let options = FitOptions::for_step_s(series.step_s());
    let model = fit_with_events(&series, &options, &calendar)?;
    let path = model.path_with_events(&series, HORIZON_S, &calendar);
    let truth: Vec<Point> = (0..path.p50_rps().len())
        .filter_map(|index| mean_of_step(&trace, &path, index))
        .collect();
    let from = series.end().plus_s(-BEFORE_S);
    let history = series.points().filter(|(at, _)| *at >= from);
    let (wape, covered) = fared(&path, &truth);
    let title = arguments
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
        masked: arguments.cleaning.windows(),
        step_s: series.step_s(),
        figures: figures(&path, wape, covered),
    };
    input::write(&arguments.html, &chart::html(&picture))?;
    let summary = Summary {
        trace: name,
        at: at.to_string(),
        model: path.model().to_owned(),
        quality: series.quality().score,
        points: picture.truth.len(),
        wape,
        covered,
        html: arguments.html.display().to_string(),
    };
    let line = format!("{}: {}", summary.html, picture.figures);
    arguments.form.render(&summary, line)
}

/// What came over one step of the path: the mean of the rows that ended in it.
fn mean_of_step(trace: &Trace, path: &ForecastPath, index: usize) -> Option<Point> {
    let step_s = i64::from(path.step_s());
    let at = path.start().plus_s(i64::try_from(index).ok()? * step_s);
    let rows = trace.samples();
    let first = rows.partition_point(|(time, _)| *time <= at.plus_s(-step_s));
    let last = rows.partition_point(|(time, _)| *time <= at);
    let values: Vec<f64> = rows[first..last]
        .iter()
        .filter_map(|(_, value)| *value)
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (!values.is_empty()).then_some((at, mean))
}

/// Absolute error over load and share covered, where something came.
fn fared(path: &ForecastPath, truth: &[Point]) -> (Option<f64>, Option<f64>) {
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
