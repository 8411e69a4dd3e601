//! Arbitrary inputs: plausible ones for the promises, nonsense for the numbers that come from
//! outside.

use std::sync::Arc;

use floodgate_planner::{
    Caps, Confidence, ForecastInput, ForecastPath, ForecastTrust, Load, LoadFault, LoadReading,
    Memory, Overrides, PlanInput, PodHealth, ReplicaState, Sale, StepLimit, UnixMillis, plan,
};
use floodgate_words::{Level, Pause, Reason};
use proptest::option;
use proptest::prelude::*;

use crate::fleet::{NOW, input, reading, sale, word};

/// A rate that must never be believed.
pub fn nonsense_rate() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(1e308),
        Just(f64::MIN),
        -1e9..-1e-9_f64,
        1e9..1e300_f64,
    ]
}

/// A load signal without a valid number.
pub fn invalid_load() -> impl Strategy<Value = Load> {
    let at = |rate: f64, age_s: i64, burst_rps| {
        let observed_at = NOW.plus_s(-age_s);
        Load::Reading(LoadReading {
            rate_rps_max: rate,
            burst_rps,
            observed_at,
        })
    };
    prop_oneof![
        prop::sample::select(vec![
            LoadFault::Unavailable,
            LoadFault::NoData,
            LoadFault::ShapeInvalid,
            LoadFault::Stale,
            LoadFault::NotPlausible,
            LoadFault::ClockSkew,
        ])
        .prop_map(Load::Missing),
        (nonsense_rate(), option::of(0.0..1e4_f64)).prop_map(move |(rate, b)| at(rate, 0, b)),
        (0.0..1e4_f64, 31_i64..1_000_000).prop_map(move |(rate, age_s)| at(rate, age_s, None)),
        (0.0..1e4_f64, -1_000_000_i64..-6).prop_map(move |(rate, age_s)| at(rate, age_s, None)),
    ]
}

/// A fresh and plausible load, with a burst rate that may be nonsense.
pub fn valid_load() -> impl Strategy<Value = Load> {
    let burst = option::of(prop_oneof![0.0..3_000.0_f64, nonsense_rate()]);
    (0.0..3_000.0_f64, burst, 0_i64..30).prop_map(|(rate_rps_max, burst_rps, age_s)| {
        let observed_at = NOW.plus_s(-age_s);
        Load::Reading(LoadReading {
            rate_rps_max,
            burst_rps,
            observed_at,
        })
    })
}

/// The largest load ever observed, which may be as wrong as any other number from outside.
fn observed_peak() -> impl Strategy<Value = Option<f64>> {
    option::of(prop_oneof![6 => 0.0..2_000.0_f64, 1 => nonsense_rate(), 1 => 1e-300..1e-3_f64])
}

pub fn forecast() -> impl Strategy<Value = ForecastInput> {
    let steps = prop::collection::vec((0.0..3_000.0_f64, 1.0..3.0_f64), 1..40);
    let path = (steps, -600_i64..600, any::<bool>(), observed_peak()).prop_map(
        |(steps, offset_s, trusted, observed_peak_rps)| {
            let upper = steps.iter().map(|(p50, factor)| p50 * factor).collect();
            let p50 = steps.iter().map(|(p50, _)| *p50).collect();
            let start = NOW.plus_s(offset_s);
            let path = ForecastPath::new(start, 60, 95, "any".to_owned(), p50, upper)
                .expect("finite levels with upper at least p50 are sound");
            let muted = ForecastTrust::Muted(Reason::ErrorAboveGate);
            let trust = if trusted {
                ForecastTrust::Trusted
            } else {
                muted
            };
            ForecastInput::Path {
                path: Arc::new(path),
                trust,
                observed_peak_rps,
            }
        },
    );
    prop_oneof![
        Just(ForecastInput::Missing(Reason::InsufficientHistory)),
        path
    ]
}

pub fn sales() -> impl Strategy<Value = Vec<Sale>> {
    let uplift = prop_oneof![8 => 100_u32..2_000, 1 => Just(0), 1 => Just(u32::MAX)];
    let error = prop_oneof![8 => 0_u32..60, 1 => Just(u32::MAX)];
    let one = (
        -900_i64..900,
        1_i64..900,
        uplift,
        option::of(0_u32..60),
        (option::of(50_u8..100), error),
    );
    prop::collection::vec(one, 0..4).prop_map(|drawn| {
        drawn
            .into_iter()
            .enumerate()
            .map(|(index, (offset_s, length_s, uplift, planned, chance))| {
                let name = format!("sale-{index}");
                let mut sale = sale(&name, NOW.plus_s(offset_s), length_s, uplift);
                sale.phases[0].planned_replicas = planned;
                sale.phases[0].confidence = Confidence {
                    quantile_percent: chance.0,
                    uplift_error_percent: chance.1,
                };
                sale
            })
            .collect()
    })
}

fn until() -> impl Strategy<Value = UnixMillis> {
    (-5_000_i64..600_000).prop_map(|ms| UnixMillis(NOW.0 + ms))
}

/// Overrides that can only keep or add pods.
pub fn raising_overrides() -> impl Strategy<Value = Overrides> {
    let count = || option::of((0_u32..60, until()));
    let level = option::of((prop::sample::select(Level::ALL.to_vec()), until()));
    let drawn = (count(), count(), level, option::of(until()));
    drawn.prop_map(|(floor, by_hand, level, pause)| Overrides {
        floor: floor.map(|(value, until)| word(value, until)),
        by_hand: by_hand.map(|(value, until)| word(value, until)),
        degrade_floor: level.map(|(value, until)| word(value, until)),
        pause: pause.map(|until| word(Pause::Scaling, until)),
        ..Overrides::default()
    })
}

/// Overrides of every kind.
pub fn overrides() -> impl Strategy<Value = Overrides> {
    let count = || option::of((0_u32..60, until()));
    let level = || option::of((prop::sample::select(Level::ALL.to_vec()), until()));
    let pauses = vec![Pause::Scaling, Pause::Degradation, Pause::All];
    let pause = option::of((prop::sample::select(pauses), until()));
    let counts = (count(), count(), count(), count());
    (counts, level(), level(), pause).prop_map(
        |((pin, floor, by_hand, ceiling), degrade_floor, degrade_pin, pause)| {
            let count = |drawn: Option<(u32, _)>| drawn.map(|(value, at)| word(value, at));
            let level = |drawn: Option<(Level, _)>| drawn.map(|(value, at)| word(value, at));
            Overrides {
                pin: count(pin),
                floor: count(floor),
                by_hand: count(by_hand),
                ceiling: count(ceiling),
                degrade_floor: level(degrade_floor),
                degrade_pin: level(degrade_pin),
                pause: pause.map(|(value, at)| word(value, at)),
            }
        },
    )
}

fn step() -> impl Strategy<Value = Option<StepLimit>> {
    let limit = (0_u32..200, 0_u32..20, 0_u32..300);
    option::of(limit.prop_map(|(percent, pods, period_s)| StepLimit {
        percent,
        pods,
        period_s,
    }))
}

fn caps() -> impl Strategy<Value = Caps> {
    let drawn = (
        option::of(0_u32..60),
        option::of(0_u32..60),
        option::of(0_u32..5),
    );
    drawn.prop_map(|(quota, nodes, unschedulable)| Caps {
        quota_replicas_max: quota,
        node_replicas_max: nodes,
        unschedulable_pods: unschedulable,
    })
}

fn health() -> impl Strategy<Value = PodHealth> {
    let level = || prop_oneof![2 => Just(0_u32), 1 => 0_u32..20];
    let levels = (0_u32..20, level(), level(), level(), level());
    (levels, option::of(0_u32..1_000)).prop_map(|((a, b, c, d, e), failed_permille)| PodHealth {
        own_levels: [a, b, c, d, e],
        failed_permille,
    })
}

/// The memory left by a few decisions on other loads just before `NOW`.
fn memory() -> impl Strategy<Value = Memory> {
    let drawn = (1_i64..200, 0.0..3_000.0_f64, 2_u32..40, 0_u32..40, health());
    prop::collection::vec(drawn, 0..6).prop_map(|drawn| {
        let mut past = input(2, 0.0);
        past.now = NOW.plus_s(-drawn.iter().map(|(gap_s, ..)| *gap_s).sum::<i64>());
        for (gap_s, load_rps, desired, ready, health) in drawn {
            past.health = health;
            past.load = reading(past.now, load_rps);
            past.replicas = ReplicaState {
                desired: Some(desired),
                ready: ready.min(desired),
                warm: ready.min(desired),
            };
            past.memory = plan(&past).memory;
            past.now = past.now.plus_s(gap_s);
        }
        past.memory
    })
}

/// Any situation at `NOW`, with the Deployment mostly between its bounds.
pub fn situation(
    load: impl Strategy<Value = Load>,
    overrides: impl Strategy<Value = Overrides>,
) -> impl Strategy<Value = PlanInput> {
    // Below 0 and above 1 the Deployment stands outside of the bounds.
    let place = prop_oneof![5 => 0.0..1.0_f64, 1 => -0.5..0.0_f64, 1 => 1.0..2.0_f64];
    let bounds = (1_u32..20, 0_u32..40, place, 0_u32..40);
    let scaling = (bounds, 1.0..200.0_f64, 0_u32..600, step(), step());
    (
        scaling,
        load,
        forecast(),
        sales(),
        overrides,
        caps(),
        (memory(), health()),
    )
        .prop_map(
            |(scaling, load, forecast, sales, overrides, caps, (memory, health))| {
                let ((min, span, place, warm), capacity_rps, window_s, down, up) = scaling;
                let desired = (f64::from(min) + f64::from(span) * place).max(0.0) as u32;
                let mut input = input(desired, 0.0);
                input.scaling.replicas_min = min;
                input.scaling.replicas_max = min + span;
                input.scaling.capacity_rps = capacity_rps;
                input.scaling.scale_down_stabilisation_s = window_s;
                input.scaling.scale_down_step = down;
                input.scaling.scale_up_step = up;
                input.replicas.warm = warm.min(desired);
                input.replicas.ready = input.replicas.warm;
                PlanInput {
                    load,
                    forecast,
                    sales,
                    overrides,
                    caps,
                    memory,
                    health,
                    ..input
                }
            },
        )
}
