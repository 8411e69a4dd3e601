//! `floodgate-tune`, run as a person runs it.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

mod commands;
mod drawing;
mod sample;

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Hourly rows of so many days from a Monday.
fn rows(days: u32, value: impl Fn(u32) -> f64) -> String {
    let mut text = "timestamp,value\n".to_owned();
    for hour in 0..days * 24 {
        let (day, of_day, value) = (hour / 24 + 1, hour % 24, value(hour));
        writeln!(text, "2026-06-{day:02}T{of_day:02}:00:00Z,{value:.3}").unwrap();
    }
    text
}

/// The same with a daily wave.
fn hourly(days: u32) -> String {
    rows(days, |hour| {
        let wave = (f64::from(hour % 24) / 24.0 * TAU).sin();
        100.0 + 50.0 * wave + f64::from(hour * 7919 % 13)
    })
}

/// A folder with a trace of 24 days, two folds of it and an event in it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let folds = "series,resolution_s,season_steps,train_end,origin\n\
        web_1h,3600,24,2026-06-20T00:00:00Z,2026-06-20T05:00:00Z\n\
        web_1h,3600,24,2026-06-20T00:00:00Z,2026-06-21T13:00:00Z\n";
    write(&folder, "web_1h.csv", &hourly(24));
    write(&folder, "folds.csv", folds);
    let events = "timestamp,label\n2026-06-21T20:00:00Z,sale\n";
    write(&folder, "events.csv", events);
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_floodgate-tune"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap()
}
