//! Events known ahead: their lift is learned from past ones and expected only where there is one.

use floodgate_forecast::{Calendar, FitOptions, ForecastPath, Series, UnixMillis, fit_with_events};

use crate::traffic::{START, samples};

const DAY_S: i64 = 86_400;
/// Seconds into a day at which an event starts.
const NOON_S: i64 = 43_200;

/// 21 days at 5 minutes in which each event trebles two hours, and the path of the day after.
fn day_after(event_days: &[i64], calendar: &Calendar) -> ForecastPath {
    let mut samples = samples(21.0, 300, 0.05);
    for (at, rate) in &mut samples {
        let second = at.seconds_since(START);
        let lifted = |day: &i64| (0..7_200).contains(&(second - day * DAY_S - NOON_S));
        if event_days.iter().any(lifted) {
            *rate *= 3.0;
        }
    }
    let series =
        Series::from_samples(300, &samples).expect("the synthetic rates are positive and finite");
    let model = fit_with_events(&series, &FitOptions::default(), calendar)
        .expect("the default options are valid");
    model.path_with_events(&series, 86_400, calendar)
}

fn calendar(days: &[i64]) -> Calendar {
    Calendar::new(
        days.iter()
            .map(|day| START.plus_s(day * DAY_S + NOON_S))
            .collect(),
    )
}

/// Largest median within two hours from noon of the day after.
fn noon(path: &ForecastPath) -> f64 {
    let noon = START.plus_s(21 * DAY_S + NOON_S);
    path.p50_rps_max(noon.plus_s(600), noon.plus_s(6_000))
        .expect("the path reaches over the day after")
}

#[test]
fn an_event_ahead_is_expected_with_the_lift_of_past_ones() {
    let past = [9, 10, 12, 13, 15, 16, 17, 19];
    let with_tomorrow = [&past[..], &[21]].concat();
    let lifted = noon(&day_after(&past, &calendar(&with_tomorrow)));
    let plain = noon(&day_after(&past, &calendar(&past)));
    assert!(
        (1.8..4.5).contains(&(lifted / plain)),
        "{lifted} against {plain}"
    );
}

#[test]
fn a_past_event_that_the_calendar_knows_is_not_expected_again() {
    let past = [9, 10, 12, 13, 15, 16, 17, 19, 20];
    let known = noon(&day_after(&past, &calendar(&past)));
    let unknown = noon(&day_after(&past, &Calendar::default()));
    assert!(known < unknown, "{known} against {unknown}");
    let quiet = noon(&day_after(&[], &Calendar::default()));
    assert!(
        (0.7..1.4).contains(&(known / quiet)),
        "{known} against {quiet}"
    );
}

#[test]
fn an_event_far_away_changes_nothing() {
    let far = Calendar::new(vec![UnixMillis(0), START.plus_s(90 * DAY_S)]);
    let touched = far.touches(START, START.plus_s(22 * DAY_S));
    assert!(!touched);
    let paths = [far, Calendar::default()].map(|calendar| day_after(&[], &calendar));
    for (with, without) in paths[0].p50_rps().iter().zip(paths[1].p50_rps()) {
        assert!(
            (with / without - 1.0).abs() < 0.02,
            "{with} against {without}"
        );
    }
}
