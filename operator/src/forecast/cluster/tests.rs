//! When a forecast is due, and what its history leaves out.

use super::*;
use crate::{
    forecast::fitted::tests::{fits, series},
    snapshot::reading_after,
    tests::fixtures::forecast_target as target,
};

#[test]
fn f15_a_failure_is_tried_again_before_the_next_refresh() {
    let now = Timestamp::from_second(1_000).unwrap();
    let mut forecaster = ClusterForecaster::default();
    assert!(
        forecaster.is_due(&target(), now),
        "the first fit comes right after the start"
    );
    forecaster.tried_at = Some(now);
    let soon = Timestamp::from_second(1_020).unwrap();
    assert!(!forecaster.is_due(&target(), soon));
    forecaster.failed = true;
    assert!(forecaster.is_due(&target(), soon));
}

#[test]
fn f12_a_history_that_shrinks_is_lost_and_one_that_moves_on_is_not() {
    let samples = |minutes: std::ops::Range<i64>| -> Vec<PastLoad> {
        let at = |minute| Timestamp::from_second(minute * 60).unwrap();
        let sample = |minute| PastLoad {
            at: at(minute),
            rps: 40.0,
        };
        minutes.map(sample).collect()
    };
    let forecaster = ClusterForecaster {
        past: samples(0..100),
        ..Default::default()
    };
    let lost = |from: i64, fetched: Vec<PastLoad>| {
        let from = Timestamp::from_second(from * 60).unwrap();
        forecaster.is_lost(from, &fetched)
    };
    // The whole window again, a quarter of an hour later; some of it past the retention.
    assert!(!lost(15, samples(15..115)));
    assert!(!lost(15, samples(50..115)));
    assert!(lost(15, samples(70..115)));
    // Its end only: the overlap is there, or it is not.
    assert!(!lost(96, samples(96..101)));
    assert!(lost(96, samples(100..101)));
    assert!(lost(96, Vec::new()));
    // What was hardly known cannot be missed.
    assert!(!lost(98, Vec::new()));
    let blank = ClusterForecaster::default();
    assert!(!blank.is_lost(Timestamp::from_second(0).unwrap(), &[]));
}

#[test]
fn f19_a_past_sale_is_masked_and_does_not_become_history() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let sale = at(36_000)..at(39_600);
    let past = (0..1_440).map(|minute| at(minute * 60)).map(|at| PastLoad {
        at,
        rps: if sale.contains(&at) { 4_000.0 } else { 40.0 },
    });
    let forecaster = ClusterForecaster {
        past: past.collect(),
        ..Default::default()
    };
    let wanted = ForecastTarget {
        sales: vec![(sale.start, sale.end)],
        ..target()
    };
    assert!((forecaster.series(&wanted).unwrap().peak_rps() - 40.0).abs() < 1e-9);
}

#[test]
fn f04_f05_what_is_no_rate_is_masked_and_counted_in_the_quality() {
    let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    let past = (0..600).map(|minute| PastLoad {
        at: at(minute),
        rps: match minute {
            100 => f64::NAN,
            101 => f64::INFINITY,
            102 => -5.0,
            103 => 1e12,
            _ => 40.0,
        },
    });
    let forecaster = ClusterForecaster {
        past: past.collect(),
        ..Default::default()
    };
    let wanted = ForecastTarget {
        masks: vec![Mask {
            from: at(200).into(),
            until: at(209).into(),
        }],
        ..target()
    };
    let quality = forecaster.series(&wanted).unwrap().quality();
    assert_eq!(
        (quality.rejected, quality.missing, quality.masked),
        (4, 4, 10)
    );
}

/// A model of one sample.
fn fitted_at(now: Timestamp) -> Fitted {
    let samples = [(UnixMillis::from(now), 40.0)];
    let series = Series::from_samples(60, &samples).unwrap();
    let model = floodgate_forecast::fit(&series, &floodgate_forecast::FitOptions::default());
    Fitted {
        model: Arc::new(model.unwrap()),
        name: "usual-day/0".to_owned(),
        question: fitted_for(&target()),
        masks: Vec::new(),
        at: now,
    }
}

#[tokio::test]
async fn f18_a_refit_that_panics_leaves_the_model_before_it() {
    let broken = fits(|_, _| panic!("said the test"));
    let now = Timestamp::from_second(1_000).unwrap();
    let mut forecaster = ClusterForecaster::default();
    let (series, wanted) = (series(40.0), target());
    let first = forecaster.refit(&series, &wanted, &broken, now);
    assert_eq!(first.await.unwrap_err().reason, MissingReason::RefitFailed);
    forecaster.fitted = Some(fitted_at(now));
    let again = forecaster.refit(&series, &wanted, &broken, now);
    let failed = again.await.unwrap().unwrap();
    assert_eq!(failed.reason, MissingReason::RefitFailed);
    assert_eq!(forecaster.fitted.as_ref().unwrap().name, "usual-day/0");
    // One for another question does not stand in.
    let masked = ForecastTarget {
        quantile_percent: 99,
        ..target()
    };
    let other = forecaster.refit(&series, &masked, &broken, now).await;
    assert!(other.is_err());
}

#[test]
fn a_window_that_is_declared_is_forgotten_at_once() {
    let now = Timestamp::from_second(1_000).unwrap();
    let mut forecaster = ClusterForecaster {
        fitted: Some(fitted_at(now)),
        tried_at: Some(now),
        ..ClusterForecaster::default()
    };
    assert!(!forecaster.is_due(&target(), now));
    let masked = ForecastTarget {
        masks: vec![Mask {
            from: UnixMillis(0),
            until: now.into(),
        }],
        ..target()
    };
    assert!(forecaster.is_due(&masked, now));
    forecaster.failed = true;
    assert!(
        !forecaster.is_due(&masked, now),
        "the pause after a failure"
    );
}

#[test]
fn a_change_of_store_or_query_keeps_nothing_of_the_old_one() {
    let mut forecaster = ClusterForecaster {
        recalled: true,
        past: vec![PastLoad {
            at: Timestamp::from_second(0).unwrap(),
            rps: 40.0,
        }],
        ..ClusterForecaster::default()
    };
    forecaster.forget_another_source(&target());
    forecaster.forget_another_source(&target());
    assert_eq!(forecaster.past.len(), 1, "the first and the same are kept");
    let moved = ForecastTarget {
        source_url: "http://elsewhere:9090".to_owned(),
        ..target()
    };
    forecaster.forget_another_source(&moved);
    assert!(forecaster.past.is_empty() && forecaster.recalled);
}

#[test]
fn load_of_a_masked_window_is_not_held_against_the_forecast() {
    let start = Timestamp::from_second(36_000).unwrap();
    let error_percent = |masks: Vec<Mask>| {
        let wanted = ForecastTarget { masks, ..target() };
        let (cell, mut forecaster) = (Cell::default(), ClusterForecaster::default());
        for minute in 0..40 {
            let now = start + jiff::SignedDuration::from_mins(minute);
            let load = floodgate_prometheus::load::Load {
                rps: 100.0,
                age_s: 0.0,
                server_time: now,
                pods: None,
            };
            let reading = reading_after(None, (now, now), Ok(load));
            cell.prometheus.store(Some(Arc::new(reading)));
            forecaster.settle_promises(&cell, &wanted, now);
            let path = ForecastPath::flat(now.into(), 60, 60, 50.0, 55.0).unwrap();
            let due = UnixMillis::from(now).plus_s(60);
            forecaster.live.promise(&path, due, Some(100.0));
        }
        forecaster.live.figures().error_percent
    };
    assert_eq!(error_percent(Vec::new()), Some(50));
    let masked = Mask {
        from: start.into(),
        until: UnixMillis::from(start).plus_s(6_000),
    };
    assert_eq!(error_percent(vec![masked]), None);
}
