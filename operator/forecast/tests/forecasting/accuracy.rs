//! The gate: a forecast that loses to seasonal naive loses its say.

use floodgate_forecast::{Accuracy, Promise, Verdict};

use crate::traffic::START;

fn settle(accuracy: &mut Accuracy, count: i64, p50_rps: f64, naive_rps: f64) {
    for index in 0..count {
        let at = START.plus_s(index * 300);
        accuracy.promise(Promise {
            at,
            p50_rps,
            upper_rps: 1.5 * p50_rps,
            naive_rps,
        });
        accuracy.observe(at.plus_s(20), 100.0, 60);
    }
}

#[test]
fn no_verdict_before_there_are_points() {
    let mut accuracy = Accuracy::default();
    assert_eq!((accuracy.wape(), accuracy.coverage()), (None, None));
    settle(&mut accuracy, 11, 1.0, 100.0);
    assert_eq!(accuracy.verdict(), Verdict::Unproven);
}

#[test]
fn better_than_naive_is_trusted_and_worse_is_not() {
    let mut better = Accuracy::default();
    settle(&mut better, 50, 95.0, 80.0);
    assert_eq!(better.verdict(), Verdict::Trusted);
    assert!((better.wape().unwrap() - 0.05).abs() < 1e-9);
    assert!((better.wape_naive().unwrap() - 0.2).abs() < 1e-9);
    assert_eq!(better.coverage(), Some(1.0));
    let mut worse = Accuracy::default();
    settle(&mut worse, 50, 50.0, 80.0);
    assert_eq!(worse.verdict(), Verdict::Untrusted);
    assert_eq!(worse.coverage(), Some(0.0));
}

#[test]
fn trust_is_won_back_when_the_forecast_is_right_again() {
    let mut accuracy = Accuracy::default();
    settle(&mut accuracy, 288, 50.0, 80.0);
    assert_eq!(accuracy.verdict(), Verdict::Untrusted);
    settle(&mut accuracy, 288, 99.0, 80.0);
    assert_eq!(
        (accuracy.verdict(), accuracy.points()),
        (Verdict::Trusted, 288)
    );
}

#[test]
fn a_truth_that_never_came_is_not_an_error() {
    let mut accuracy = Accuracy::default();
    let promise = |second| Promise {
        at: START.plus_s(second),
        p50_rps: 10.0,
        upper_rps: 20.0,
        naive_rps: 10.0,
    };
    accuracy.promise(promise(0));
    accuracy.observe(START.plus_s(600), 100.0, 60);
    accuracy.promise(promise(900));
    accuracy.observe(START.plus_s(900), f64::NAN, 60);
    accuracy.promise(Promise {
        p50_rps: f64::NAN,
        ..promise(1_200)
    });
    accuracy.observe(START.plus_s(1_200), 100.0, 60);
    assert_eq!(accuracy.points(), 0);
}

#[test]
fn a_band_that_misses_widens_until_it_covers_again() {
    let mut accuracy = Accuracy::default();
    assert!((accuracy.widening(95) - 1.0).abs() < 1e-9);
    settle(&mut accuracy, 20, 50.0, 80.0);
    let widened = accuracy.widening(95);
    assert!((2.0..=4.0).contains(&widened), "{widened}");
    settle(&mut accuracy, 100, 99.0, 80.0);
    let narrower = accuracy.widening(95);
    assert!(narrower < widened, "{narrower}");
    settle(&mut accuracy, 288, 99.0, 80.0);
    let least = accuracy.widening(95);
    assert!(
        (0.8..1.0).contains(&least),
        "a band never missed is a little too wide: {least}"
    );
}
