//! Writes the forecasts of every fold as CSV, for the scorer of the public traces.
//!
//! `cargo run --release -p floodgate-forecast --example eval -- TRACES_DIR FOLDS.csv OUT.csv`

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use floodgate_forecast::{FitOptions, Series, UnixMillis, fit};
use jiff::Timestamp;

struct Fold {
    series: String,
    step_s: u32,
    origin: UnixMillis,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [traces, folds, out] = arguments.as_slice() else {
        return Err("must be called with TRACES_DIR FOLDS.csv OUT.csv".into());
    };
    let folds = read_folds(Path::new(folds))?;
    let mut out = std::io::BufWriter::new(fs::File::create(out)?);
    writeln!(out, "series,method,origin,timestamp,p50,p95")?;
    let mut traces_read: HashMap<String, Vec<(UnixMillis, f64)>> = HashMap::new();
    let mut spent_fit_s = 0.0;
    let mut spent_path_s = 0.0;
    for fold in &folds {
        if !traces_read.contains_key(&fold.series) {
            let file = Path::new(traces).join(format!("{}.csv", fold.series));
            traces_read.insert(fold.series.clone(), read_trace(&file)?);
        }
        let samples = &traces_read[&fold.series];
        let known = samples.partition_point(|(at, _)| *at <= fold.origin);
        let series = Series::from_samples(fold.step_s, &samples[..known])?;
        let days = if fold.step_s <= 900 { 28 } else { 56 };
        let options = FitOptions {
            window_s: days * 86_400,
            ..FitOptions::default()
        };
        let started = Instant::now();
        let model = fit(&series, &options)?;
        spent_fit_s += started.elapsed().as_secs_f64();
        let started = Instant::now();
        let path = model.path(&series, 86_400);
        spent_path_s += started.elapsed().as_secs_f64();
        // A gap at the origin means the path starts earlier; the folds ask from the origin on.
        let mut at = path.start();
        for (p50, upper) in path.p50_rps().iter().zip(path.upper_rps()) {
            if at > fold.origin {
                writeln!(
                    out,
                    "{},floodgate,{},{at},{p50:.6},{upper:.6}",
                    fold.series, fold.origin
                )?;
            }
            at = at.plus_s(i64::from(path.step_s()));
        }
    }
    let count = folds.len() as f64;
    let (fit_ms, path_ms) = (spent_fit_s / count * 1e3, spent_path_s / count * 1e3);
    eprintln!(
        "{} folds, {fit_ms:.1} ms a fit, {path_ms:.3} ms a path",
        folds.len()
    );
    Ok(())
}

fn read_folds(path: &Path) -> Result<Vec<Fold>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let origin: Timestamp = fields[4].parse()?;
        Ok(Fold {
            series: fields[0].to_owned(),
            step_s: fields[1].parse()?,
            origin: origin.into(),
        })
    });
    rows.collect()
}

fn read_trace(path: &Path) -> Result<Vec<(UnixMillis, f64)>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let mut samples = Vec::new();
    for line in text.lines().skip(1) {
        let (at, value) = line
            .split_once(',')
            .ok_or("a line must hold timestamp,value")?;
        if !value.is_empty() {
            samples.push((at.parse::<Timestamp>()?.into(), value.parse()?));
        }
    }
    Ok(samples)
}
