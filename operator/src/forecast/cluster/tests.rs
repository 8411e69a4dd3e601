//! When a forecast is due, and what its history leaves out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::*;

pub(in crate::forecast) fn target() -> ForecastTarget {
    ForecastTarget {
        cluster: ("pay".to_owned(), "till".to_owned()),
        enabled: true,
        source_url: "http://prometheus:9090".to_owned(),
        query: "load".to_owned(),
        history_days: 14,
        step_s: 60,
        quantile_percent: 95,
        refresh_s: 60,
        refit_s: 900,
        lead_s: 60,
        sales: Vec::new(),
        masks: Vec::new(),
        owner: OwnerReference::default(),
        declared_rps: 100.0,
    }
}

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

#[test]
fn a_window_that_is_declared_is_forgotten_at_once() {
    let now = Timestamp::from_second(1_000).unwrap();
    let samples = [(UnixMillis::from(now), 40.0)];
    let series = Series::from_samples(60, &samples).unwrap();
    let model = floodgate_forecast::fit(&series, &floodgate_forecast::FitOptions::default());
    let mut forecaster = ClusterForecaster {
        fitted: Some(Fitted {
            model: Arc::new(model.unwrap()),
            name: "usual-day/0".to_owned(),
            question: fitted_for(&target()),
            masks: Vec::new(),
            at: now,
        }),
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
