//! A counter that falls is a reset: masked and counted, never a rate.

use floodgate_forecast::{CounterRates, Series, UnixMillis, counts_up};

use crate::traffic::START;

fn counts(values: &[Option<f64>]) -> Vec<(UnixMillis, Option<f64>)> {
    let at = |index: usize| START.plus_s(60 * i64::try_from(index).unwrap());
    let numbered = values.iter().enumerate();
    numbered.map(|(index, value)| (at(index), *value)).collect()
}

#[test]
fn f08_a_reset_is_masked_and_counted_and_the_rest_stays() {
    let values = [0.0, 600.0, 1_800.0, 60.0, 660.0].map(Some);
    let rates = CounterRates::of(&counts(&values));
    let said: Vec<Option<f64>> = rates.samples.iter().map(|(_, rate)| *rate).collect();
    assert_eq!(said, [None, Some(10.0), Some(20.0), None, Some(10.0)]);
    assert_eq!((rates.resets, rates.rejected), (1, 0));
}

#[test]
fn what_is_no_count_is_masked_and_the_step_across_it_is_a_mean() {
    let values = [Some(0.0), Some(-5.0), None, Some(f64::NAN), Some(240.0)];
    let rates = CounterRates::of(&counts(&values));
    let said: Vec<Option<f64>> = rates.samples.iter().map(|(_, rate)| *rate).collect();
    assert_eq!(said, [None, None, None, None, Some(1.0)]);
    assert_eq!((rates.resets, rates.rejected), (0, 2));
    let known: Vec<(UnixMillis, f64)> = rates
        .samples
        .iter()
        .filter_map(|(at, rate)| Some((*at, (*rate)?)))
        .collect();
    let series = Series::from_samples(60, &known).unwrap();
    assert!((series.peak_rps() - 1.0).abs() < 1e-9);
}

/// Whether so many minutes of these values look like a counter.
fn looks_counted(minutes: u32, value: impl Fn(u32) -> f64) -> bool {
    let values: Vec<Option<f64>> = (0..minutes).map(|minute| Some(value(minute))).collect();
    counts_up(&counts(&values))
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
    let sparse: Vec<Option<f64>> = (0..5_000)
        .map(|at| (at % 200 == 0).then_some(f64::from(at)))
        .collect();
    assert!(
        !counts_up(&counts(&sparse)),
        "falls may lie between few values"
    );
}
