//! Time and heap of a refit and of a path, on synthetic traffic; writes target/bench/forecast.json.
//!
//! `cargo bench -p floodgate-forecast --bench forecast`

use std::error::Error;
use std::f64::consts::TAU;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;
use floodgate_forecast::{FitOptions, Model, Series, UnixMillis, fit};
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Seconds of a refit at 5 minutes x 28 days that reference methods took.
const PROPHET_S: f64 = 1.8;
const AUTO_ARIMA_S: f64 = 0.12;

/// A daily wave with quiet weekends and repeatable noise.
fn series(days: i64, step_s: u32) -> Series {
    let step = i64::from(step_s);
    let samples: Vec<(UnixMillis, f64)> = (1..=days * 86_400 / step)
        .map(|index| {
            let second = index * step;
            let wave = (TAU * (second.rem_euclid(86_400) as f64 / 86_400.0 - 0.25)).sin();
            let weekend = if second.div_euclid(86_400).rem_euclid(7) >= 5 {
                0.6
            } else {
                1.0
            };
            let mixed = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let noise = (mixed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
            let rate = (100.0 + 60.0 * wave) * weekend * (1.0 + 0.2 * noise);
            (UnixMillis(second * 1_000), rate)
        })
        .collect();
    Series::from_samples(step_s, &samples).expect("the synthetic rates are positive and finite")
}

fn fitted(series: &Series) -> Model {
    fit(series, &FitOptions::default()).expect("the default options are valid")
}

/// MiB on the heap at the highest moment of one refit, beyond what was there before.
fn refit_heap_mib(series: &Series) -> f32 {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage_as_mb();
    black_box(fitted(series));
    HEAP.peak_usage_as_mb() - before
}

/// Median of a finished benchmark, milliseconds.
fn median_ms(target: &Path, name: &str) -> Result<f64, Box<dyn Error>> {
    let file = target
        .join("criterion")
        .join(name)
        .join("new/estimates.json");
    let estimates: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let nanoseconds = estimates["median"]["point_estimate"].as_f64();
    Ok(nanoseconds.ok_or("criterion left no median")? / 1e6)
}

fn main() -> Result<(), Box<dyn Error>> {
    let minutes = series(14, 60);
    let month = series(28, 300);
    let model = fitted(&minutes);
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let mut criterion = Criterion::default()
        .output_directory(&target.join("criterion"))
        .sample_size(20)
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    criterion.bench_function("refit_14d_1m", |bench| bench.iter(|| fitted(&minutes)));
    criterion.bench_function("refit_28d_5m", |bench| bench.iter(|| fitted(&month)));
    criterion.bench_function("path_24h", |bench| {
        bench.iter(|| model.path(&minutes, 86_400));
    });
    criterion.final_summary();
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let refit_ms = median_ms(&target, "refit_14d_1m")?;
    let month_ms = median_ms(&target, "refit_28d_5m")?;
    let report = json!({
        "refit_14d_1m_ms": refit_ms,
        "refit_28d_5m_ms": month_ms,
        "path_24h_ms": median_ms(&target, "path_24h")?,
        "refit_14d_1m_heap_peak_mib": refit_heap_mib(&minutes),
        "refit_28d_5m_heap_peak_mib": refit_heap_mib(&month),
        "model_bytes": serde_json::to_string(&model)?.len(),
        "refit_28d_5m_of_prophet": month_ms / 1e3 / PROPHET_S,
        "refit_28d_5m_of_auto_arima": month_ms / 1e3 / AUTO_ARIMA_S,
        "thousand_clusters_refit_core_minutes": refit_ms / 60.0,
    });
    let file = target.join("bench/forecast.json");
    std::fs::create_dir_all(target.join("bench"))?;
    std::fs::write(&file, format!("{report:#}\n"))?;
    println!("{report:#}");
    Ok(())
}
