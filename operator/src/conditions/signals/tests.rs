//! What is said of a forecast that does not bid, and of windows that are left out.

use std::sync::Arc;

use floodgate_forecast::ForecastPath;
use floodgate_planner::{BidSource, intake::LiveFigures};
use floodgate_prometheus::{Missing, MissingReason};
use floodgate_words::Reason;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    snapshot::ForecastSnapshot,
    tests::fixtures::{annotated, observed, planned_first},
};

/// Plans with a forecast whose path asks for eight pods, and annotations.
fn planned(forecast: ForecastSnapshot, masks: Option<&str>) -> (Observed, Planned) {
    let mut observed = observed(3, json!({}));
    if let Some(text) = masks {
        observed = annotated(observed, &[("mask-history", text)]);
    }
    let path = ForecastPath::flat(observed.now.into(), 60, 600, 390.0, 390.0).unwrap();
    observed.forecast = Arc::new(ForecastSnapshot {
        path: Some(Arc::new(path)),
        made_at: Some(observed.now),
        peak_rps: Some(400.0),
        ..forecast
    });
    let planned = planned_first(&observed);
    (observed, planned)
}

fn fitted() -> ForecastSnapshot {
    ForecastSnapshot {
        state: ForecastState::Fitted,
        history_hours: 300,
        ..ForecastSnapshot::default()
    }
}

fn said(forecast: ForecastSnapshot) -> (Verdict, Option<Reason>) {
    let (observed, planned) = planned(forecast, None);
    let mut bids = planned.decision.bids.iter();
    let bid = bids.find(|bid| bid.source == BidSource::Forecast).unwrap();
    (forecast_trusted(&observed, &planned), bid.muted)
}

#[test]
fn f16_a_forecast_that_loses_to_seasonal_naive_is_muted_and_says_so() {
    let live = LiveFigures {
        error_percent: Some(30),
        naive_error_percent: Some(10),
        coverage_percent: Some(80),
        proven: true,
        loses: true,
    };
    let (verdict, muted) = said(ForecastSnapshot { live, ..fitted() });
    assert_eq!(
        (verdict.status, verdict.reason),
        (Truth::False, Reason::WorseThanNaive)
    );
    assert_eq!(muted, Some(Reason::WorseThanNaive));
    let wins = LiveFigures {
        loses: false,
        ..live
    };
    let (verdict, muted) = said(ForecastSnapshot {
        live: wins,
        ..fitted()
    });
    assert_eq!((verdict.status, muted), (Truth::True, None));
    let far_off = LiveFigures {
        error_percent: Some(90),
        ..wins
    };
    let (verdict, _) = said(ForecastSnapshot {
        live: far_off,
        ..fitted()
    });
    assert_eq!(verdict.reason, Reason::ErrorAboveGate);
}

#[test]
fn a_change_of_the_level_is_told() {
    let changed_at = Some(observed(3, json!({})).now - SignedDuration::from_hours(500));
    let (verdict, _) = said(ForecastSnapshot {
        changed_at,
        ..fitted()
    });
    assert!(
        verdict.message.contains("changed for good at 2026-10-"),
        "{}",
        verdict.message
    );
}

#[test]
fn f12_a_cold_start_says_what_it_is_scaled_by_and_does_not_bid() {
    for (scale, words) in [
        (ColdScale::History, "the hours there are"),
        (ColdScale::Measured, "the load measured now"),
        (ColdScale::Declared, "`scaling.min` pods hold"),
    ] {
        let (verdict, muted) = said(ForecastSnapshot {
            state: ForecastState::ColdStart(scale),
            ..ForecastSnapshot::default()
        });
        assert_eq!(
            (verdict.status, verdict.reason),
            (Truth::Unknown, Reason::ColdStart)
        );
        assert!(verdict.message.contains(words), "{}", verdict.message);
        assert_eq!(muted, Some(Reason::ColdStart), "{scale:?}");
    }
}

#[test]
fn b26_windows_that_hold_and_windows_that_do_not_are_both_told() {
    let good = "2026-11-03T02:00:00Z/2026-11-03T03:30:00Z";
    let said = |text: Option<&str>| {
        let (_, planned) = planned(fitted(), text);
        let verdict = history_masked(&planned);
        let held = planned.masks.windows.len();
        (verdict.status, verdict.reason, verdict.message, held)
    };
    let (status, reason, _, held) = said(None);
    assert_eq!((status, reason, held), (Truth::False, Reason::NoMask, 0));
    let (status, reason, _, held) = said(Some(good));
    assert_eq!(
        (status, reason, held),
        (Truth::True, Reason::WindowsMasked, 1)
    );
    let (status, reason, message, held) = said(Some(&format!("{good} tomorrow never")));
    assert_eq!(
        (status, reason, held),
        (Truth::Unknown, Reason::InvalidMask, 1)
    );
    assert!(
        message.contains("`floodgate.dev/mask-history`: \"tomorrow\" must be FROM/TO")
            && message.contains("(1 more); 1 window is left out"),
        "{message}"
    );
}

#[test]
fn f18_a_refit_that_failed_is_said_while_the_model_before_it_bids() {
    let hung = Missing::because(MissingReason::RefitFailed, "the fit took longer than 60 s");
    let (verdict, muted) = said(ForecastSnapshot {
        refit_failed: Some(hung),
        ..fitted()
    });
    let told = (verdict.status, verdict.reason);
    assert_eq!(told, (Truth::True, Reason::RefitFailed));
    assert!(verdict.message.contains("60 s"), "{}", verdict.message);
    assert_eq!(muted, None);
}
