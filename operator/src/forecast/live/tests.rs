//! What the figures say, and what they leave out.

use std::sync::Arc;

use floodgate_forecast::Mask;
use floodgate_prometheus::load::Load;
use jiff::SignedDuration;

use super::*;
use crate::{forecast::cluster::tests::target, snapshot::PrometheusReading};

fn start() -> Timestamp {
    "2026-11-10T00:00:00Z".parse().unwrap()
}

fn minute(number: i64) -> Timestamp {
    start() + SignedDuration::from_mins(number)
}

/// A series of 8 days of 100 requests/s before the start.
fn series() -> Series {
    let samples = (1..=8 * 1_440_i64).map(|index| (minute(-index).into(), 100.0));
    Series::from_samples(60, &samples.collect::<Vec<_>>()).unwrap()
}

/// `count` minutes in which the path says `p50_rps` and 100 requests/s come.
fn lived(wanted: &ForecastTarget, p50_rps: f64, count: i64) -> Live {
    let (cell, mut live, series) = (Cell::default(), Live::default(), series());
    for number in 0..count {
        let now = minute(number);
        let load = Load {
            rps: 100.0,
            age_s: 0.0,
            server_time: now,
            pods: None,
        };
        let reading = PrometheusReading::after(None, (now, now), Ok(load));
        cell.prometheus.store(Some(Arc::new(reading)));
        live.settle(&cell, wanted, now);
        let path = ForecastPath::flat(now.into(), 60, 60, p50_rps, 1.1 * p50_rps).unwrap();
        live.promise(&path, &series, wanted, now);
    }
    live
}

#[test]
fn error_and_coverage_are_told_beside_those_of_seasonal_naive() {
    let good = lived(&target(), 95.0, 40).figures();
    assert_eq!(
        (good.error_percent, good.naive_error_percent),
        (Some(5), Some(0))
    );
    assert_eq!(good.coverage_percent, Some(100));
    let missed = lived(&target(), 80.0, 40).figures();
    assert_eq!(missed.coverage_percent, Some(0));
}

#[test]
fn a_forecast_that_loses_to_seasonal_naive_says_so_once_it_is_proven() {
    let early = lived(&target(), 50.0, 8).figures();
    assert!(!early.proven && !early.loses);
    let late = lived(&target(), 50.0, 40).figures();
    assert!(late.proven && late.loses);
    assert_eq!(
        (late.error_percent, late.naive_error_percent),
        (Some(50), Some(0))
    );
}

#[test]
fn load_of_a_masked_window_is_not_held_against_the_forecast() {
    let mut wanted = target();
    wanted.masks = vec![Mask {
        from: minute(0).into(),
        until: minute(100).into(),
    }];
    assert_eq!(lived(&wanted, 50.0, 40).figures().error_percent, None);
}

#[test]
fn s4_a_restart_goes_on_with_what_came_due_and_drops_what_waits() {
    let before = lived(&target(), 50.0, 40);
    let mut after = Live::default();
    after.resume(before.settled());
    assert_eq!(after.figures(), before.figures());
    assert_eq!(after.settled(), before.settled());
    // What came due before the stored figures could be read counts beside them.
    let mut late = lived(&target(), 100.0, 40);
    late.resume(before.settled());
    let error = late.figures().error_percent;
    assert_eq!(error, Some(25), "half of them 50 % off");
}
