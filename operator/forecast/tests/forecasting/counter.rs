//! A counter that falls is a reset: masked and counted, never a rate.

use floodgate_forecast::{CounterRates, Series, UnixMillis};

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
