//! F16: a forecast that explodes counts for a multiple of the load ever observed, wherever it is used.

use std::sync::Arc;

use floodgate_planner::{
    Baseline, BidSource, ForecastInput, ForecastPath, ForecastTrust, LeadTime, Scaling, plan,
    sale_plan,
};
use floodgate_words::{Level, Reason};

use crate::fleet::{NOW, input, sale};

/// A path of a thousandfold of all that was ever seen, median and upper quantile alike.
fn exploded(trust: ForecastTrust) -> ForecastInput {
    let path = ForecastPath::flat(NOW.plus_s(-600), 300, 400, 180_000.0, 250_000.0)
        .expect("a flat path of ordered finite levels is sound");
    ForecastInput::Path {
        path: Arc::new(path),
        trust,
        observed_peak_rps: Some(300.0),
    }
}

#[test]
fn f16_an_exploded_forecast_is_capped_by_what_was_ever_observed() {
    let mut input = input(4, 180.0);
    input.forecast = exploded(ForecastTrust::Trusted);
    let decision = plan(&input);
    let bid = decision
        .bids
        .iter()
        .find(|bid| bid.source == BidSource::Forecast)
        .unwrap();
    assert_eq!(
        (bid.replicas, bid.reason),
        (Some(18), Reason::ForecastCapped)
    );
    assert_eq!(decision.replicas, 18);
}

#[test]
fn f16_an_exploded_forecast_refuses_nobody_whose_load_fits() {
    // The cap of 900 requests/s fits the eighteen pods that it asked for.
    let mut input = input(18, 180.0);
    input.forecast = exploded(ForecastTrust::Trusted);
    let decision = plan(&input);
    assert_eq!(
        (decision.level.floor, decision.level.reason),
        (Level::Normal, Reason::LoadFits),
        "{}",
        decision.explain
    );
    assert_eq!(decision.level.load_rps, Some(900.0));
}

#[test]
fn f16_an_exploded_forecast_is_not_multiplied_by_a_sale() {
    for trust in [
        ForecastTrust::Trusted,
        ForecastTrust::Muted(Reason::ErrorAboveGate),
    ] {
        let mut input = input(4, 180.0);
        input.scaling.replicas_max = 100_000;
        input.forecast = exploded(trust);
        input.sales = vec![sale("flash", NOW.plus_s(30), 600, 1_000)];
        let decision = plan(&input);
        let mut bids = decision.bids.iter();
        let bid = bids.find(|bid| bid.source == BidSource::Sale).unwrap();
        // Three times the largest load ever observed, tenfold.
        assert_eq!(
            (bid.load_rps, bid.replicas, decision.replicas),
            (Some(9_000.0), Some(180), 180),
            "{trust:?}: {}",
            decision.explain
        );
    }
}

#[test]
fn f16_a_plan_ahead_from_an_exploded_forecast_is_bounded() {
    let ForecastInput::Path {
        path,
        observed_peak_rps,
        ..
    } = exploded(ForecastTrust::Trusted)
    else {
        unreachable!()
    };
    let scaling = Scaling {
        replicas_max: 100_000,
        ..Scaling::default()
    };
    let needed = |observed_peak_rps| {
        let baseline = Baseline {
            path: Some(&*path),
            measured_rps: None,
            observed_peak_rps,
        };
        let event = sale("flash", NOW.plus_s(7_200), 600, 1_000);
        sale_plan(&event, baseline, &scaling, &LeadTime::default()).phases[0].replicas_needed
    };
    assert_eq!(needed(observed_peak_rps), Some(180));
    // Nothing to hold it against: the maximum of the spec is what is left.
    assert_eq!(needed(None), Some(50_000));
    assert_eq!(needed(Some(f64::NAN)), Some(50_000));
}
