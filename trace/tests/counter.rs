//! A counter that falls was reset: masked and counted, never a rate; a load is no counter.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

use std::fmt::Write;

use floodgate_trace::{Trace, counts_up};
use jiff::{SignedDuration, Timestamp};

/// The rates of a counter that is read each minute, and how many values were resets or no counts.
fn rates(values: &[&str]) -> (Vec<Option<f64>>, usize, usize) {
    let mut text = String::new();
    for (minute, value) in values.iter().enumerate() {
        writeln!(text, "2026-11-10T00:{minute:02}:00Z,{value}").unwrap();
    }
    let (trace, counted) = Trace::parse_counter(&text).unwrap();
    let rates = trace.samples().iter().map(|sample| sample.value);
    (rates.collect(), counted.resets, counted.rejected)
}

#[test]
fn f08_a_reset_is_masked_and_counted_and_the_rest_stays() {
    let (rates, resets, rejected) = rates(&["0", "600", "1800", "60", "660"]);
    assert_eq!(rates, [None, Some(10.0), Some(20.0), None, Some(10.0)]);
    assert_eq!((resets, rejected), (1, 0));
}

#[test]
fn what_is_no_count_is_masked_and_the_step_across_it_is_a_mean() {
    let (rates, resets, rejected) = rates(&["0", "-5", "", "NaN", "240"]);
    assert_eq!(rates, [None, None, None, None, Some(1.0)]);
    assert_eq!((resets, rejected), (0, 2));
}

fn at(minute: u32) -> Timestamp {
    let start: Timestamp = "2026-11-10T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minute.into())
}

/// Whether so many minutes of these values look like a counter.
fn looks_counted(minutes: u32, value: impl Fn(u32) -> f64) -> bool {
    counts_up((0..minutes).map(|minute| (at(minute), value(minute))))
}

#[test]
fn values_that_only_rise_for_days_are_those_of_a_counter_resets_or_not() {
    let three_days = 3 * 1_440;
    let busy = |minute: u32| f64::from(minute) * 600.0;
    assert!(looks_counted(three_days, busy));
    assert!(looks_counted(three_days, |minute| busy(minute % 1_440)));
    // A service that is asked for nothing at night.
    assert!(looks_counted(three_days, |minute| busy(
        minute.min(1_200) + minute.saturating_sub(2_600)
    )));
}

#[test]
fn a_load_is_no_counter_however_it_grows_and_stands() {
    let three_days = 3 * 1_440;
    let of_day = |minute: u32| f64::from(minute % 1_440) / 1_440.0;
    let wave = |minute: u32| 1.0 + (of_day(minute) * std::f64::consts::TAU).sin();
    assert!(!looks_counted(three_days, |minute| {
        f64::from(minute) / 100.0 + 50.0 * wave(minute)
    }));
    assert!(!looks_counted(three_days, |_| 40.0), "flat");
    assert!(
        !looks_counted(three_days, |minute| f64::from(minute / 1_440)),
        "steps"
    );
    assert!(!looks_counted(1_440, f64::from), "a day may only rise");
    // Whatever half the values are, the others make falls that are no resets.
    assert!(!looks_counted(three_days, |minute| f64::from(
        100 + minute % 10
    )));
    let sparse = (0..5_000).step_by(200);
    assert!(
        !counts_up(sparse.map(|minute| (at(minute), f64::from(minute)))),
        "falls may lie between few values"
    );
}
