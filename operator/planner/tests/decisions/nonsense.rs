//! F18: whatever a model makes of the future, a decision comes of it.

use std::sync::Arc;

use floodgate_planner::{
    Baseline, ForecastInput, ForecastPath, ForecastTrust, LeadTime, PlanInput, Scaling, UnixMillis,
    plan, sale_plan,
};
use floodgate_words::Reason;
use proptest::option;
use proptest::prelude::*;

use crate::fleet::{NOW, sale};
use crate::promises::{CASES, any_load};
use crate::strategies::{nonsense_rate, overrides, situation};

/// Levels that no traffic has, and those that it has.
fn level() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..3_000.0_f64,
        1 => Just(0.0),
        1 => Just(f64::MIN_POSITIVE),
        1 => Just(f64::MAX),
        1 => 1e-300..1e-9_f64,
        1 => 1e9..1e300_f64,
    ]
}

/// Paths of one step and of many, of steps of a second and of a century, far in the past and in the
/// future; each quantile anything that a path admits.
fn path() -> impl Strategy<Value = ForecastPath> {
    let starts = vec![i64::MIN, 0, NOW.0 - 1, NOW.0, NOW.0 + 1, i64::MAX];
    let start = prop_oneof![
        prop::sample::select(starts),
        (-600_000..600_000_i64).prop_map(|ms| NOW.0 + ms)
    ];
    let step_s = prop_oneof![Just(1), 1_u32..3_600, Just(u32::MAX)];
    let steps = prop::collection::vec((level(), level(), level()), 1..12);
    (start, step_s, any::<u8>(), steps, any::<bool>()).prop_map(
        |(start, step_s, quantile_percent, steps, far)| {
            let upper = |(p50, upper, _): &(f64, f64, f64)| p50.max(*upper);
            let p99 = steps.iter().map(|step| upper(step).max(step.2)).collect();
            let uppers = steps.iter().map(upper).collect();
            let p50 = steps.iter().map(|(p50, ..)| *p50).collect();
            let start = UnixMillis(start);
            let path = ForecastPath::new(
                start,
                step_s,
                quantile_percent,
                "any".to_owned(),
                p50,
                uppers,
            )
            .expect("finite levels with upper at least p50 are sound");
            if far {
                path.with_p99(p99)
                    .expect("a p99 at least as large as the upper quantile is sound")
            } else {
                path
            }
        },
    )
}

fn instant() -> impl Strategy<Value = UnixMillis> {
    let edges = vec![i64::MIN, i64::MIN + 1, -1, 0, NOW.0, i64::MAX - 1, i64::MAX];
    prop::sample::select(edges).prop_map(UnixMillis)
}

fn peak() -> impl Strategy<Value = Option<f64>> {
    option::of(prop_oneof![level(), nonsense_rate()])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f18_no_path_stops_a_decision(
        input in situation(any_load(), overrides()),
        path in path(),
        trusted in any::<bool>(),
        observed_peak_rps in peak(),
        cap_percent in any::<u32>(),
        now in prop_oneof![2 => Just(NOW), 1 => instant()],
    ) {
        let trust = if trusted {
            ForecastTrust::Trusted
        } else {
            ForecastTrust::Muted(Reason::ErrorAboveGate)
        };
        let path = Arc::new(path);
        let forecast = ForecastInput::Path { path, trust, observed_peak_rps };
        let mut input = PlanInput { now, forecast, ..input };
        input.scaling.forecast_cap_percent = cap_percent;
        // Twice, so that what it leaves in its memory is read again.
        for _ in 0..2 {
            let decision = plan(&input);
            let max = input.scaling.replicas_max.max(input.replicas.desired.unwrap_or(0));
            let bounds = input.scaling.replicas_min..=max.max(input.scaling.replicas_min);
            prop_assert!(bounds.contains(&decision.replicas), "{}", decision.explain);
            prop_assert!(decision.bids.iter().all(|bid| bid.load_rps.is_none_or(f64::is_finite)));
            input.memory = decision.memory;
        }
    }

    #[test]
    fn f18_no_path_stops_a_plan_ahead(
        path in path(),
        observed_peak_rps in peak(),
        measured_rps in peak(),
        uplift in prop_oneof![100_u32..2_000, Just(0), Just(u32::MAX)],
        t0 in prop_oneof![Just(NOW), instant()],
        length_s in prop_oneof![1_i64..10_000, Just(i64::MAX)],
    ) {
        let baseline = Baseline { path: Some(&path), measured_rps, observed_peak_rps };
        let event = sale("any", t0, length_s, uplift);
        let scaling = Scaling::default();
        let planned = sale_plan(&event, baseline, &scaling, &LeadTime::default());
        let bounds = scaling.replicas_min..=scaling.replicas_max;
        prop_assert!(planned.replicas.is_none_or(|pods| bounds.contains(&pods)));
        let foreseen = path.p50_rps_max(event.start, event.end).is_some();
        prop_assert!(!foreseen || planned.replicas.is_some(), "a forecast came to no plan");
    }
}
