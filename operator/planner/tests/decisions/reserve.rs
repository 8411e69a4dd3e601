//! The reserve above the target utilisation is there for peaks.

use floodgate_planner::{Bid, BidSource, ForecastInput, Memory, UnixMillis, plan};
use floodgate_words::Reason;

use crate::fleet::{NOW, flat_forecast, input, reading};

/// The reactive bid after `minutes` of a steady load, pods of 50 requests/s at 70 % of full.
fn bid_after(minutes: i64, rps: f64, forecast: impl Fn(UnixMillis) -> ForecastInput) -> Bid {
    let mut memory = Memory::default();
    for minute in 0..=minutes {
        let now = NOW.plus_s(60 * minute);
        let mut one = input(12, rps);
        one.now = now;
        one.load = reading(now, rps);
        one.forecast = forecast(now);
        one.memory = memory;
        let decision = plan(&one);
        if minute == minutes {
            let mut bids = decision.bids.into_iter();
            let reactive = bids.find(|bid| bid.source == BidSource::Reactive);
            return reactive.expect("every decision has a reactive bid");
        }
        memory = decision.memory;
    }
    unreachable!("the last minute returns")
}

#[test]
fn a_peak_may_use_the_reserve_once_the_level_is_known_and_forecast() {
    let trusted = |now| flat_forecast(now, 100.0, 110.0);
    let early = bid_after(10, 600.0, trusted);
    assert_eq!((early.replicas, early.detail.as_str()), (Some(12), ""));
    let known = bid_after(90, 600.0, trusted);
    // 600 / (50 / 0.7 * 0.8) pods, rounded up.
    assert_eq!(known.replicas, Some(11));
    assert_eq!(
        known.load_rps,
        Some(600.0),
        "what was measured is what is told"
    );
    assert!(known.detail.contains("reserve"), "{}", known.detail);
}

#[test]
fn a_few_pods_hold_the_load_when_one_of_them_dies() {
    let trusted = |now| flat_forecast(now, 50.0, 55.0);
    // 80 requests/s fill more than one pod; of the two that the target asks for one may die.
    let bid = bid_after(90, 80.0, trusted);
    assert_eq!(
        (bid.replicas, bid.detail.as_str()),
        (Some(3), "one pod may die")
    );
    // One pod holds 60 alone.
    assert_eq!(bid_after(90, 60.0, trusted).replicas, Some(2));
}

#[test]
fn without_a_forecast_every_peak_is_held_at_the_target() {
    let none = |_| ForecastInput::Missing(Reason::InsufficientHistory);
    assert_eq!(bid_after(90, 600.0, none).replicas, Some(12));
}
