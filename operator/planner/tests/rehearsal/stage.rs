//! A stage for rehearsals: four days of a daily wave, two of them history.

use floodgate_planner::rehearse::{
    ForecastSettings, PolicyKind, Rehearsal, Report, Settings, Traffic, World,
};
use floodgate_planner::{
    Confidence, DegradationPolicy, LoadLimits, Sale, SalePhase, Scaling, UnixMillis,
};
use floodgate_words::Level;

pub const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// Between 200 and 1,000 requests/s, once a day.
pub fn wave() -> Traffic {
    let rate = |minute: i64| {
        let angle = minute as f64 / 1_440.0 * std::f64::consts::TAU;
        Some(600.0 + 400.0 * angle.sin())
    };
    let samples: Vec<_> = (0..4 * 1_440)
        .map(|minute| (START.plus_s(minute * 60), rate(minute)))
        .collect();
    Traffic::new(60, &samples, 14 * 86_400).unwrap()
}

/// A world in which no pod and no metric is lost.
pub fn quiet_world() -> World {
    World {
        pods_lost_per_day: 0.0,
        metric_losses_per_day: 0.0,
        ..World::default()
    }
}

pub fn rehearsal(traffic: Traffic, sales: Vec<Sale>) -> Rehearsal {
    Rehearsal {
        traffic,
        settings: Settings {
            scaling: Scaling {
                replicas_max: 600,
                ..Scaling::default()
            },
            load_limits: LoadLimits::default(),
            degradation: DegradationPolicy::default(),
            forecast: ForecastSettings {
                active: true,
                quantile_percent: 95,
                margin_s: 60,
                refresh_s: 60,
                refit_s: 7_200,
                error_percent_max: 40,
                history_days: 14,
            },
            lead_s: 15..=600,
        },
        sales,
        world: World::default(),
    }
}

/// A sale of two hours.
pub fn announced(t0: UnixMillis, uplift_percent: u32) -> Sale {
    let phase = SalePhase {
        name: "opening".to_owned(),
        t0,
        until: t0.plus_s(7_200),
        uplift_percent,
        confidence: Confidence::default(),
        planned_replicas: None,
        planned_later: Vec::new(),
    };
    Sale {
        name: "sale".to_owned(),
        start: t0,
        end: t0.plus_s(7_200),
        level_max: Level::Survive,
        phases: vec![phase],
    }
}

pub fn report(stage: &Rehearsal, kind: PolicyKind) -> Report {
    stage.run(&[kind], &|_| {}).into_iter().next().unwrap()
}
