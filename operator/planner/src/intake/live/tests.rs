//! What the figures say, and what a restart takes over.

use super::*;

const START: UnixMillis = UnixMillis(1_800_000_000_000);
const LEAD_S: i64 = 60;

/// A series of 8 days of 100 requests/s before the start.
fn series() -> Series {
    let samples = (1..=8 * 1_440_i64).map(|minute| (START.plus_s(-60 * minute), 100.0));
    Series::from_samples(60, &samples.collect::<Vec<_>>()).unwrap()
}

/// `count` minutes in which the path says `p50_rps` and 100 requests/s come.
fn lived(p50_rps: f64, count: i64) -> LiveAccuracy {
    let (mut live, series) = (LiveAccuracy::default(), series());
    for minute in 0..count {
        let now = START.plus_s(60 * minute);
        live.settle(now, 100.0, 60);
        let path = ForecastPath::flat(now, 60, 60, p50_rps, 1.1 * p50_rps).unwrap();
        let due = now.plus_s(LEAD_S);
        live.promise(&path, due, naive_rps(&series, due));
    }
    live
}

#[test]
fn error_and_coverage_stand_beside_those_of_seasonal_naive() {
    let good = lived(95.0, 40).figures();
    assert_eq!(
        (good.error_percent, good.naive_error_percent),
        (Some(5), Some(0))
    );
    assert_eq!(good.coverage_percent, Some(100));
    let missed = lived(80.0, 40).figures();
    assert_eq!(missed.coverage_percent, Some(0));
}

#[test]
fn a_forecast_that_loses_to_seasonal_naive_says_so_once_it_is_proven() {
    let early = lived(50.0, 8).figures();
    assert!(!early.proven && !early.loses);
    let late = lived(50.0, 40).figures();
    assert!(late.proven && late.loses);
    assert_eq!(
        (late.error_percent, late.naive_error_percent),
        (Some(50), Some(0))
    );
}

#[test]
fn s4_a_restart_goes_on_with_what_came_due_and_drops_what_waits() {
    let before = lived(50.0, 40);
    let mut after = LiveAccuracy::default();
    after.resume(before.settled());
    assert_eq!(after.figures(), before.figures());
    assert_eq!(after.settled(), before.settled());
    // What came due before the stored figures could be read counts beside them.
    let mut late = lived(100.0, 40);
    late.resume(before.settled());
    let error = late.figures().error_percent;
    assert_eq!(error, Some(25), "half of them 50 % off");
}
