//! Clusters that have nothing in common: load, forecast, sales, overrides, health and what each
//! remembers of its last decisions, all drawn from its number.
//!
//! Each owns a path of a day, so that ten thousand of them do not fit any cache.

use std::sync::Arc;

use floodgate_planner::{
    Caps, Confidence, DegradationPolicy, ForecastInput, ForecastPath, ForecastTrust, LeadTime,
    Load, LoadFault, LoadLimits, LoadReading, Memory, Override, Overrides, PlanInput, PodHealth,
    ReplicaState, Sale, SalePhase, Scaling, plan,
};
use floodgate_words::{Level, Pause, Reason};

use crate::NOW;

/// Steps of a path: a day at five minutes.
const STEPS: u16 = 288;
const STEP_S: u32 = 300;
/// Most decisions that a cluster remembers; one every ten seconds.
const PAST_MAX: f64 = 20.0;

/// A number in `0.0..=1.0`, another one for each cluster and each question.
fn share(cluster: u32, question: u32) -> f64 {
    let mut mixed = cluster.wrapping_mul(31).wrapping_add(question);
    for factor in [0x9E37_79B9_u32, 0x85EB_CA6B, 0xC2B2_AE35] {
        mixed = (mixed ^ (mixed >> 15)).wrapping_mul(factor);
    }
    f64::from(mixed ^ (mixed >> 16)) / f64::from(u32::MAX)
}

fn whole(value: f64) -> u32 {
    value.max(0.0).min(f64::from(u32::MAX)).round() as u32
}

/// The cluster of this number, with its memory, ready for one decision.
pub fn cluster(number: u32) -> PlanInput {
    // From ten requests/s to ten thousand, each decade as often as the other.
    let usual_rps = 10.0_f64.powf(1.0 + 3.0 * share(number, 0));
    let capacity_rps = 20.0 + 80.0 * share(number, 1);
    let desired = whole(usual_rps / capacity_rps * (0.8 + share(number, 2))).max(2);
    let warm = whole(f64::from(desired) * (0.7 + 0.3 * share(number, 3)));
    let mut input = PlanInput {
        now: NOW,
        scaling: Scaling {
            replicas_max: desired * 4 + 10,
            capacity_rps,
            ..Scaling::default()
        },
        replicas: ReplicaState {
            desired: Some(desired),
            ready: warm,
            warm,
        },
        health: PodHealth {
            own_levels: [warm, whole(3.0 * share(number, 4)), 0, 0, 0],
            failed_permille: Some(whole(20.0 * share(number, 5))),
        },
        load: Load::Missing(LoadFault::NoData),
        load_limits: LoadLimits::default(),
        forecast: forecast(number, usual_rps),
        sales: sales(number),
        overrides: overrides(number, desired),
        lead_time: LeadTime::default(),
        degradation: DegradationPolicy::default(),
        caps: Caps {
            quota_replicas_max: (share(number, 6) < 0.1).then_some(desired + 5),
            unschedulable_pods: (share(number, 7) < 0.02).then_some(2),
            node_replicas_max: None,
        },
        memory: Memory::default(),
    };
    let past = whole(PAST_MAX * share(number, 8));
    for tick in 0..=past {
        input.now = NOW.plus_s(10 * (i64::from(tick) - i64::from(past)));
        input.load = load(number, tick, usual_rps, &input);
        if tick < past {
            input.memory = plan(&input).memory;
        }
    }
    input
}

/// What is measured; one in twenty clusters has no load just now.
fn load(number: u32, tick: u32, usual_rps: f64, input: &PlanInput) -> Load {
    if share(number, 9) < 0.05 && input.now == NOW {
        return Load::Missing(LoadFault::Unavailable);
    }
    let noise = 0.7 + 0.6 * share(number, 100 + tick);
    Load::Reading(LoadReading {
        rate_rps_max: usual_rps * noise,
        burst_rps: (share(number, 10) < 0.8).then_some(usual_rps * noise * 0.95),
        observed_at: input.now.plus_s(-3),
    })
}

fn forecast(number: u32, usual_rps: f64) -> ForecastInput {
    let kind = share(number, 11);
    if kind < 0.1 {
        return ForecastInput::Missing(Reason::InsufficientHistory);
    }
    let phase = share(number, 12) * std::f64::consts::TAU;
    let swing = 0.8 * share(number, 13);
    let median_rps = |step: u16| {
        let day = f64::from(step) / f64::from(STEPS) * std::f64::consts::TAU;
        usual_rps * (1.0 + swing * (day + phase).sin())
    };
    let scaled = |factor: f64| (0..STEPS).map(|step| median_rps(step) * factor).collect();
    let start = NOW.plus_s(-600 - i64::from(whole(300.0 * share(number, 14))));
    let upper = 1.1 + 0.4 * share(number, 15);
    let (p50, upper, p99) = (scaled(1.0), scaled(upper), scaled(upper * 1.2));
    let path = ForecastPath::new(start, STEP_S, 95, format!("ridge-{number}"), p50, upper)
        .and_then(|path| path.with_p99(p99));
    let trust = if kind < 0.2 {
        ForecastTrust::Muted(Reason::ErrorAboveGate)
    } else {
        ForecastTrust::Trusted
    };
    path.map_or(
        ForecastInput::Missing(Reason::ForecastUnavailable),
        |path| ForecastInput::Path {
            path: Arc::new(path),
            trust,
            observed_peak_rps: Some(usual_rps * (1.0 + 3.0 * share(number, 16))),
        },
    )
}

/// Up to three sales of up to four phases within a day; every other cluster has none.
fn sales(number: u32) -> Vec<Sale> {
    let count = whole(6.0 * share(number, 17) - 3.0);
    let one = |index: u32| {
        let question = |offset: u32| share(number, 200 + 20 * index + offset);
        let start = NOW.plus_s(i64::from(whole(86_400.0 * question(0).powi(3))) - 1_800);
        let length_s = i64::from(whole(600.0 + 3_600.0 * question(1)));
        let phases = 1 + whole(3.0 * question(2));
        let phase = |phase: u32| SalePhase {
            name: format!("phase-{phase}"),
            t0: start.plus_s(length_s * i64::from(phase)),
            until: start.plus_s(length_s * i64::from(phase + 1)),
            uplift_percent: 150 + whole(1_500.0 * question(3 + phase)),
            confidence: Confidence::default(),
            planned_later: Vec::new(),
            planned_replicas: (question(8 + phase) < 0.5).then(|| whole(60.0 * question(12))),
        };
        Sale {
            level_max: Level::Survive,
            name: format!("sale-{number}-{index}"),
            start,
            end: start.plus_s(length_s * i64::from(phases)),
            phases: (0..phases).map(phase).collect(),
        }
    };
    (0..count).map(one).collect()
}

/// One cluster in ten has a floor, fewer the other words.
fn overrides(number: u32, desired: u32) -> Overrides {
    fn word<T>(number: u32, question: u32, part: f64, value: T) -> Option<Override<T>> {
        let until = NOW.plus_s(60 + i64::from(whole(7_200.0 * share(number, question + 1))));
        (share(number, question) < part).then(|| Override {
            value,
            until,
            reason: format!("incident {number}"),
            by: None,
        })
    }
    Overrides {
        pin: word(number, 300, 0.05, desired + 2),
        floor: word(number, 310, 0.1, desired + 4),
        by_hand: word(number, 320, 0.02, desired + 6),
        ceiling: word(number, 330, 0.05, desired + 8),
        degrade_floor: word(number, 340, 0.03, Level::Guard),
        degrade_pin: word(number, 350, 0.01, Level::Reduce),
        pause: word(number, 360, 0.03, Pause::Scaling),
    }
}
