//! Synthetic traffic with a daily and a weekly shape and repeatable noise.

use std::f64::consts::TAU;

use floodgate_forecast::{Series, UnixMillis};

/// A Monday at midnight.
pub const START: UnixMillis = UnixMillis(1_767_571_200_000);

/// Offered load at a second after `START`, requests/s: a daily wave, weekends at 60 %.
pub fn rate_rps(second: i64) -> f64 {
    let day = second.div_euclid(86_400);
    let wave = (TAU * (second.rem_euclid(86_400) as f64 / 86_400.0 - 0.25)).sin();
    let weekend = if day.rem_euclid(7) >= 5 { 0.6 } else { 1.0 };
    (100.0 + 60.0 * wave) * weekend
}

/// Noise of -1..=1 that depends on the index alone.
pub fn noise(index: i64) -> f64 {
    let mixed = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Samples of `days` days at `step_s` with the given share of noise.
pub fn samples(days: f64, step_s: u32, noise_share: f64) -> Vec<(UnixMillis, f64)> {
    let count = (days * 86_400.0 / f64::from(step_s)) as i64;
    (1..=count)
        .map(|index| {
            let second = index * i64::from(step_s);
            (
                START.plus_s(second),
                rate_rps(second) * (1.0 + noise_share * noise(index)),
            )
        })
        .collect()
}

pub fn series(days: f64, step_s: u32, noise_share: f64) -> Series {
    let samples = samples(days, step_s, noise_share);
    Series::from_samples(step_s, &samples).expect("the synthetic rates are positive and finite")
}

/// Absolute error over load of a path against the noiseless truth.
pub fn wape(path: &floodgate_forecast::ForecastPath) -> f64 {
    let mut error = 0.0;
    let mut load = 0.0;
    let mut at = path.start();
    for p50 in path.p50_rps() {
        let truth = rate_rps(at.seconds_since(START));
        error += (p50 - truth).abs();
        load += truth;
        at = at.plus_s(i64::from(path.step_s()));
    }
    error / load
}
