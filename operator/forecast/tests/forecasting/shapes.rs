//! Known shapes: what a forecast must get right, and what must not mislead it.

use floodgate_forecast::{Basis, FitError, FitOptions, Model, Series, fit};

use crate::traffic::{START, rate_rps, samples, series, wape};

fn fitted(series: &Series) -> Model {
    fit(series, &FitOptions::default()).expect("the default options are valid")
}

#[test]
fn two_weeks_of_a_clean_shape_are_continued() {
    let series = series(14.0, 300, 0.02);
    let model = fitted(&series);
    assert_eq!(model.basis(), Basis::Weekly);
    let path = model.path(&series, 86_400);
    assert_eq!(
        (path.start(), path.step_s()),
        (START.plus_s(14 * 86_400 + 300), 300)
    );
    assert_eq!(path.p50_rps().len(), 288);
    assert!(wape(&path) < 0.03, "{}", wape(&path));
}

#[test]
fn one_minute_history_is_averaged_to_five() {
    let series = series(9.0, 60, 0.1);
    let path = fitted(&series).path(&series, 3_600);
    assert_eq!((path.step_s(), path.p50_rps().len()), (300, 12));
    assert!(wape(&path) < 0.1, "{}", wape(&path));
}

#[test]
fn the_upper_quantiles_cover_about_what_they_say() {
    let all = samples(28.0, 300, 0.3);
    let (mut covered, mut covered_99) = (0_usize, 0_usize);
    for day in 21..28 {
        let known = day * 288;
        let series = Series::from_samples(300, &all[..known]).unwrap();
        let path = fitted(&series).path(&series, 86_400);
        let below = |bound: &[f64]| {
            let truths = all[known..].iter().map(|(_, rate)| *rate);
            truths
                .zip(bound)
                .filter(|(truth, upper)| truth <= *upper)
                .count()
        };
        covered += below(path.upper_rps());
        covered_99 += below(path.p99_rps().unwrap());
    }
    let share = |covered: usize| covered as f64 / (7.0 * 288.0);
    assert!(
        (0.90..=0.98).contains(&share(covered)),
        "{}",
        share(covered)
    );
    assert!(share(covered_99) >= 0.97, "{}", share(covered_99));
}

#[test]
fn cold_start_gives_the_recent_level_and_a_wide_bound() {
    let series = series(0.1, 300, 0.1);
    let model = fitted(&series);
    assert_eq!(
        (model.basis(), model.basis().as_str()),
        (Basis::ColdStart, "usual-day")
    );
    let path = model.path(&series, 3_600);
    let last = series.points().last().map(|(_, rate)| rate).unwrap();
    assert!((path.p50_rps()[0] / last - 1.0).abs() < 0.3);
    assert!(path.upper_rps()[0] >= 1.2 * path.p50_rps()[0]);
    assert!(path.upper_rps()[11] >= series.peak_rps());
}

#[test]
fn a_single_sample_is_enough_to_answer() {
    let series = Series::from_samples(60, &[(START, 7.0)]).unwrap();
    let path = fitted(&series).path(&series, 600);
    assert!((path.p50_rps()[0] - 7.0).abs() < 1e-9);
}

#[test]
fn between_a_day_and_a_week_the_daily_shape_is_used() {
    for days in [1.1, 2.0, 4.0, 8.5] {
        let series = series(days, 300, 0.02);
        let model = fitted(&series);
        assert_eq!(model.basis(), Basis::Daily, "{days} days");
        let path = model.path(&series, 7_200);
        assert!(wape(&path) < 0.25, "{days} days: {}", wape(&path));
    }
}

#[test]
fn f09_a_two_hour_hole_is_not_learned_as_zero() {
    let whole = series(14.0, 300, 0.05);
    let hole = (
        START.plus_s(12 * 86_400 + 36_000),
        START.plus_s(12 * 86_400 + 43_200),
    );
    let holed = whole.masked(hole.0, hole.1).unwrap();
    let error = |series: &Series| wape(&fitted(series).path(series, 86_400));
    let moved = (error(&whole) - error(&holed)).abs();
    assert!(moved < 0.02, "{moved}");
}

#[test]
fn f19_a_two_hour_outage_read_as_zero_does_not_move_the_next_day() {
    let mut silent = samples(14.0, 300, 0.05);
    for (_, rate) in &mut silent[3_500..3_524] {
        *rate = 0.0;
    }
    let silent = Series::from_samples(300, &silent).unwrap();
    let whole = series(14.0, 300, 0.05);
    let error = |series: &Series| wape(&fitted(series).path(series, 86_400));
    let moved = (error(&whole) - error(&silent)).abs();
    assert!(moved < 0.02, "{moved}");
}

#[test]
fn a_series_that_is_silent_every_night_keeps_its_nights() {
    let mut nightly = samples(14.0, 300, 0.02);
    for (at, rate) in &mut nightly {
        if at.seconds_since(START).rem_euclid(86_400) < 4 * 3_600 {
            *rate = 0.0;
        }
    }
    let nightly = Series::from_samples(300, &nightly).unwrap();
    let path = fitted(&nightly).path(&nightly, 86_400);
    let night = path.p50_rps()[..36].iter().sum::<f64>() / 36.0;
    assert!(night < 10.0, "{night}");
}

#[test]
fn a_shop_that_closes_at_night_is_shut_and_opens_at_its_level() {
    let is_closed = |second: i64| second.rem_euclid(86_400) < 10 * 3_600;
    let mut shop = samples(21.0, 300, 0.02);
    for (at, rate) in &mut shop {
        if is_closed(at.seconds_since(START)) {
            *rate = 0.0;
        }
    }
    let shop = Series::from_samples(300, &shop).unwrap();
    let path = fitted(&shop).path(&shop, 86_400);
    let p99 = path.p99_rps().unwrap();
    for (index, (p50, p99)) in path.p50_rps().iter().zip(p99).enumerate() {
        let second = 21 * 86_400 + (i64::try_from(index).unwrap() + 1) * 300;
        if is_closed(second) {
            assert!(*p99 < 1e-9, "closed at {second}: {p99}");
        } else {
            let usual = rate_rps(second);
            assert!(
                (p50 / usual - 1.0).abs() < 0.15,
                "{second}: {p50} of {usual}"
            );
        }
    }
}

#[test]
fn a_lasting_jump_shortens_the_window_and_is_told() {
    let with_factor = |factor: &dyn Fn(i64) -> f64| {
        let mut samples = samples(28.0, 900, 0.05);
        for (at, rate) in &mut samples {
            *rate *= factor(at.seconds_since(START));
        }
        let series = Series::from_samples(900, &samples).unwrap();
        let model = fitted(&series);
        (model.changed_at(), model.path(&series, 86_400))
    };
    let (changed_at, path) = with_factor(&|second| if second < 6 * 86_400 { 1.0 } else { 3.0 });
    assert_eq!(changed_at, Some(START.plus_s(6 * 86_400)));
    let ratio = path.p50_rps()[40] / rate_rps(28 * 86_400 + 41 * 900);
    assert!((2.7..3.3).contains(&ratio), "{ratio}");
    let growth = |second: i64| 1.0 + 4.0 * second as f64 / (28.0 * 86_400.0);
    assert_eq!(with_factor(&growth).0, None, "steady growth is no jump");
    let recent = |second: i64| if second < 20 * 86_400 { 1.0 } else { 3.0 };
    assert_eq!(
        with_factor(&recent).0,
        None,
        "eight days are not enough to start anew"
    );
}

#[test]
fn f16_a_poisoned_block_does_not_move_the_next_day() {
    let mut poisoned = samples(14.0, 300, 0.05);
    for (_, rate) in &mut poisoned[3_500..3_524] {
        *rate *= 1_000.0;
    }
    let poisoned = Series::from_samples(300, &poisoned).unwrap();
    let whole = series(14.0, 300, 0.05);
    let error = |series: &Series| wape(&fitted(series).path(series, 86_400));
    let moved = (error(&whole) - error(&poisoned)).abs();
    assert!(moved < 0.02, "{moved}");
    let limit = 6.0 * poisoned.peak_rps();
    let path = fitted(&poisoned).path(&poisoned, 86_400);
    assert!(path.upper_rps().iter().all(|upper| *upper < limit));
}

#[test]
fn a_gap_at_the_end_starts_the_path_where_the_data_ended() {
    let series = series(14.0, 300, 0.0);
    let cut = series
        .masked(START.plus_s(13 * 86_400), START.plus_s(20 * 86_400))
        .unwrap();
    let path = fitted(&series).path(&cut, 86_400);
    assert_eq!(path.start(), START.plus_s(13 * 86_400));
    assert!((path.p50_rps()[0] / rate_rps(13 * 86_400) - 1.0).abs() < 0.1);
}

#[test]
fn a_model_serialises_small_and_forecasts_the_same_afterwards() {
    let series = series(14.0, 300, 0.1);
    let model = fitted(&series);
    let text = serde_json::to_string(&model).unwrap();
    assert!(text.len() < 65_536, "{} bytes", text.len());
    let read: Model = serde_json::from_str(&text).unwrap();
    assert_eq!(read.path(&series, 86_400), model.path(&series, 86_400));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let series = series(1.0, 300, 0.0);
    let with = |quantile_percent, ridge_lambda| {
        fit(
            &series,
            &FitOptions {
                quantile_percent,
                ridge_lambda,
                ..FitOptions::default()
            },
        )
    };
    assert_eq!(with(50, 1.0), Err(FitError::QuantileInvalid));
    assert_eq!(with(100, 1.0), Err(FitError::QuantileInvalid));
    assert_eq!(with(95, f64::NAN), Err(FitError::PenaltyInvalid));
    assert_eq!(with(95, 0.0), Err(FitError::PenaltyInvalid));
}
