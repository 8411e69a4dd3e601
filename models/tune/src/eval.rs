//! `floodgate-tune eval`: every fold of a rolling evaluation, in parallel, as rows for a scorer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use floodgate_forecast::{
    Calendar, FitOptions, ForecastPath, Series, fit_with_events, seasonal_naive,
};
use floodgate_trace::{Trace, Unit};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::cleaning::Cleaning;
use crate::error::TuneError;
use crate::input::{self, Fold};
use crate::output;

/// Every path reaches this far, seconds.
const HORIZON_S: u32 = 86_400;

/// What to read and where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
}

#[derive(Serialize)]
struct Summary {
    folds: usize,
    series: usize,
    rows: usize,
    events: bool,
    fit_ms_mean: f64,
    path_ms_mean: f64,
    out: String,
}

/// The rows of one fold and the time they took.
struct Outcome {
    rows: String,
    fit: Duration,
    path: Duration,
}

pub(crate) fn run(args: &Args, json: bool) -> Result<String, TuneError> {
    let folds = input::folds(&args.folds)?;
    let calendar = input::calendar(args.events.as_deref())?;
    let cleaning = &args.cleaning;
    let traces = traces(&args.traces, &folds, cleaning)?;
    cleaning.within(&args.traces.display().to_string(), traces.values())?;
    let outcomes = forecast_all(&folds, &traces, &calendar, cleaning)?;
    let mut text = "series,method,origin,timestamp,p50,p95\n".to_owned();
    for outcome in &outcomes {
        text.push_str(&outcome.rows);
    }
    output::write(&args.out, &text)?;
    let mean_ms = |duration: fn(&Outcome) -> Duration| {
        let total: Duration = outcomes.iter().map(duration).sum();
        total.as_secs_f64() * 1e3 / outcomes.len() as f64
    };
    let summary = Summary {
        folds: folds.len(),
        series: traces.len(),
        rows: text.lines().count() - 1,
        events: !calendar.is_empty(),
        fit_ms_mean: mean_ms(|outcome| outcome.fit),
        path_ms_mean: mean_ms(|outcome| outcome.path),
        out: args.out.display().to_string(),
    };
    let line = format!(
        "{} folds of {} series, {} rows in {}; {:.0} ms a fit, {:.2} ms a path",
        summary.folds,
        summary.series,
        summary.rows,
        summary.out,
        summary.fit_ms_mean,
        summary.path_ms_mean
    );
    output::render(json, &summary, line)
}

fn traces(
    dir: &Path,
    folds: &[Fold],
    cleaning: &Cleaning,
) -> Result<BTreeMap<String, Trace>, TuneError> {
    let mut traces = BTreeMap::new();
    for fold in folds {
        if !traces.contains_key(&fold.series) {
            let path = dir.join(format!("{}.csv", fold.series));
            let (trace, _) = cleaning.trace(&path, Unit::Rps)?;
            traces.insert(fold.series.clone(), trace);
        }
    }
    Ok(traces)
}

/// Workers take the next fold each; the outcomes come back in the order of the folds.
fn forecast_all(
    folds: &[Fold],
    traces: &BTreeMap<String, Trace>,
    calendar: &Calendar,
    cleaning: &Cleaning,
) -> Result<Vec<Outcome>, TuneError> {
    let bar = progress(folds.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(fold) = folds.get(index) else {
                return Ok::<_, TuneError>(done);
            };
            let trace = &traces[&fold.series];
            done.push((index, forecast(fold, trace, calendar, cleaning)?));
            bar.inc(1);
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, Outcome)> = Vec::with_capacity(folds.len());
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            done.extend(handle.join().map_err(|_| TuneError::Worker)??);
        }
        Ok::<(), TuneError>(())
    })?;
    bar.finish_and_clear();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

fn progress(folds: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(folds).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{bar:40} {pos}/{len} folds, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn forecast(
    fold: &Fold,
    trace: &Trace,
    calendar: &Calendar,
    cleaning: &Cleaning,
) -> Result<Outcome, TuneError> {
    let series = cleaning.known_at(trace, &fold.series, fold.origin)?;
    let options = FitOptions::for_step_s(series.step_s());
    // A gap at the origin makes the path start earlier; it is asked from the origin on.
    let gap_s = u32::try_from(fold.origin.seconds_since(series.end())).unwrap_or(0);
    let horizon_s = HORIZON_S.saturating_add(gap_s);
    let started = Instant::now();
    let model = fit_with_events(&series, &options, &Calendar::default())?;
    let fit = started.elapsed();
    let started = Instant::now();
    let path = model.path(&series, horizon_s);
    let path_took = started.elapsed();
    let naive = naive(fold, &series, options.window_s, horizon_s)?;
    let mut rows = String::new();
    append(&mut rows, fold, "floodgate", &path);
    append(&mut rows, fold, "SeasonalNaive", &naive);
    if calendar.touches(series.start(), path.end()) {
        let model = fit_with_events(&series, &options, calendar)?;
        let path = model.path_with_events(&series, horizon_s, calendar);
        append(&mut rows, fold, "floodgate-events", &path);
    } else if !calendar.is_empty() {
        // A series that no event touches has the same path; a scorer wants every method everywhere.
        append(&mut rows, fold, "floodgate-events", &path);
    }
    Ok(Outcome {
        rows,
        fit,
        path: path_took,
    })
}

fn naive(
    fold: &Fold,
    series: &Series,
    window_s: u32,
    horizon_s: u32,
) -> Result<ForecastPath, TuneError> {
    seasonal_naive(series, window_s, horizon_s).ok_or_else(|| TuneError::Origin {
        name: fold.series.clone(),
        at: fold.origin,
        cause: "seasonal naive needs more than a day of history".to_owned(),
    })
}

fn append(rows: &mut String, fold: &Fold, method: &str, path: &ForecastPath) {
    let Fold { series, origin } = fold;
    let mut at = path.start();
    for (p50, upper) in path.p50_rps().iter().zip(path.upper_rps()) {
        if at > *origin {
            // Writing to a string cannot fail.
            let _ = writeln!(rows, "{series},{method},{origin},{at},{p50:.6},{upper:.6}");
        }
        at = at.plus_s(i64::from(path.step_s()));
    }
}
