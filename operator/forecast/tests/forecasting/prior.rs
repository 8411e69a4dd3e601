//! A cluster without history: the usual day stands in, turned to fit once there are hours enough.

use floodgate_forecast::{
    Basis, Calendar, FitOptions, PriorDay, Series, UpliftProfile, fit, learn_prior_day,
    path_of_moment,
};

use crate::traffic::{START, noise, rate_rps, samples, series, wape};

#[test]
fn the_artefacts_of_models_are_what_the_program_expects() {
    let day = PriorDay::builtin();
    assert_eq!(day.shape.len(), 24);
    let mean = day.shape.iter().sum::<f64>() / 24.0;
    assert!((mean - 1.0).abs() < 0.01, "{mean}");
    for rule in [&day.moment, &day.level, &day.turned] {
        assert_eq!(rule.len(), day.leads_h.len());
        for factors in rule {
            assert_eq!(factors.len(), day.percents.len());
            assert!(factors.is_sorted(), "{factors:?}");
        }
    }
    let event = UpliftProfile::builtin();
    let peak = event.peak().unwrap();
    assert!(peak.p50 > 1.5 && peak.p50 < peak.p90 && peak.p90 < peak.p95);
    assert!(event.events > 30 && peak.from_min > 0);
}

#[test]
fn with_one_load_known_the_level_is_kept_and_the_bound_is_wide() {
    let path = path_of_moment(START, 300, 86_400, 95, 40.0).unwrap();
    assert_eq!(
        (path.start(), path.p50_rps().len()),
        (START.plus_s(300), 288)
    );
    assert!(path.p50_rps().iter().all(|p50| (p50 - 40.0).abs() < 1e-9));
    assert!(path.upper_rps().iter().all(|upper| *upper >= 1.2 * 40.0));
    assert!(path.upper_rps()[143] >= 2.0 * 40.0, "half a day ahead");
    let sure = path_of_moment(START, 300, 86_400, 99, 40.0).unwrap();
    assert!(sure.upper_rps()[100] > path.upper_rps()[100]);
    for level_rps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(path_of_moment(START, 300, 86_400, 95, level_rps), None);
    }
    assert_eq!(path_of_moment(START, 0, 86_400, 95, 40.0), None);
}

#[test]
fn with_half_a_day_the_usual_day_is_turned_to_the_zone_of_the_customers() {
    for shift_s in [0, 5 * 3_600, 17 * 3_600] {
        let rate = |second: i64| rate_rps(second + shift_s);
        let known: Vec<_> = (1..=144)
            .map(|index| (START.plus_s(index * 300), rate(index * 300)))
            .collect();
        let series = Series::from_samples(300, &known).unwrap();
        let model = fit(&series, &FitOptions::default()).unwrap();
        assert_eq!(model.basis(), Basis::ColdStart);
        let path = model.path(&series, 86_400);
        let error = |said: &dyn Fn(usize) -> f64| {
            let gaps = (0..288).map(|step| {
                let at = i64::try_from(145 + step).unwrap() * 300;
                (said(step) - rate(at)).abs()
            });
            gaps.sum::<f64>()
        };
        let usual = error(&|step| path.p50_rps()[step]);
        let flat = error(&|_| known[143].1);
        assert!(
            usual < 0.8 * flat,
            "shift {shift_s}: {usual} against {flat}"
        );
    }
}

#[test]
fn every_age_of_a_history_has_a_forecast_that_is_better_with_age() {
    let errors = [0.5, 1.2, 4.0].map(|days| {
        let series = series(days, 300, 0.05);
        let model = fit(&series, &FitOptions::default()).unwrap();
        let path = model.path(&series, 6 * 3_600);
        assert_eq!(model.basis() == Basis::ColdStart, days < 1.0, "{days} days");
        wape(&path)
    });
    assert!(errors[0] < 0.2 && errors[2] < 0.1, "{errors:?}");
}

#[test]
fn a_usual_day_is_learned_whatever_the_zone_of_its_traces() {
    let shifted = |name: &str, shift_s: i64| {
        let rates = (1..=10 * 24_i64).map(|hour| {
            let second = hour * 3_600;
            let wobble = 1.0 + 0.05 * noise(hour + shift_s);
            (START.plus_s(second), rate_rps(second + shift_s) * wobble)
        });
        let series = Series::from_samples(3_600, &rates.collect::<Vec<_>>()).unwrap();
        (name.to_owned(), series)
    };
    let traces = [
        shifted("east", 0),
        shifted("west", 9 * 3_600),
        shifted("mid", 4 * 3_600),
    ];
    let (day, scores) = learn_prior_day(&traces).unwrap();
    let quietest = (0..24).min_by(|a, b| day.shape[*a].total_cmp(&day.shape[*b]));
    assert!((3..=5).contains(&quietest.unwrap()), "{:?}", day.shape);
    assert_eq!(scores.len(), 15);
    for score in scores.iter().filter(|score| score.hours >= 12) {
        assert!(score.wape < score.wape_flat, "{score:?}");
    }
    assert_eq!(learn_prior_day(&traces[..1]), None);
}

#[test]
fn a_profile_of_events_has_the_lift_and_its_spread() {
    let mut samples = samples(28.0, 300, 0.02);
    let hour = |day: i64| 8 + 5 * (day % 3);
    let starts: Vec<i64> = (2..27)
        .step_by(2)
        .map(|day| day * 86_400 + hour(day) * 3_600)
        .collect();
    let strength = |start: i64| 3.0 + noise(start);
    for (at, rate) in &mut samples {
        let second = at.seconds_since(START);
        for start in &starts {
            if (1..=7_200).contains(&(second - start)) {
                *rate *= strength(*start);
            }
        }
    }
    let series = Series::from_samples(300, &samples).unwrap();
    let calendar = |count: usize| {
        let some = starts.iter().take(count);
        Calendar::new(some.map(|second| START.plus_s(*second)).collect())
    };
    let profile = UpliftProfile::learn(&series, &calendar(13)).unwrap();
    assert_eq!((profile.events, profile.step_min), (13, 15));
    let step = |minute: i64| {
        profile
            .steps
            .iter()
            .find(|step| step.from_min == minute)
            .unwrap()
    };
    let during = step(45);
    assert!((2.0..=4.5).contains(&during.p50), "{during:?}");
    assert!(
        during.p50 < during.p90 && during.p90 <= during.p95,
        "{during:?}"
    );
    assert!(step(-60).p50 < 1.3 && step(240).p50 < 1.3);
    assert_eq!(UpliftProfile::learn(&series, &calendar(2)), None);
}
