//! The reserve above the target utilisation is there for peaks.

use floodgate_planner::{Bid, BidSource, ForecastInput, Memory, Reason, UnixMillis, plan};

use crate::fleet::{NOW, flat_forecast, input, reading};

/// The reactive bid after `minutes` of a steady 300 requests/s, pods of 50 at 70 % of full.
fn bid_after(minutes: i64, forecast: impl Fn(UnixMillis) -> ForecastInput) -> Bid {
    let mut memory = Memory::default();
    for minute in 0..=minutes {
        let now = NOW.plus_s(60 * minute);
        let mut one = input(6, 300.0);
        one.now = now;
        one.load = reading(now, 300.0);
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
    let early = bid_after(10, trusted);
    assert_eq!((early.replicas, early.detail.as_str()), (Some(6), ""));
    let known = bid_after(90, trusted);
    // 300 / (50 / 0.7 * 0.9) pods, rounded up.
    assert_eq!(known.replicas, Some(5));
    assert_eq!(
        known.load_rps,
        Some(300.0),
        "what was measured is what is told"
    );
    assert!(known.detail.contains("reserve"), "{}", known.detail);
}

#[test]
fn without_a_forecast_every_peak_is_held_at_the_target() {
    let none = |_| ForecastInput::Missing(Reason::InsufficientHistory);
    assert_eq!(bid_after(90, none).replicas, Some(6));
}
