//! What planning costs: one plan, ten thousand different clusters, and a year rehearsed with every
//! policy.
//!
//! `cargo bench -p floodgate-planner --bench planner` prints each figure beside its mark, writes
//! `target/bench/planner.json`. A missed mark is said and fails nothing: it also depends on who else
//! uses the machine. The year is made up: a day and a week, a growth, chance of minutes, and a sale
//! a month.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusters::cluster;
use criterion::Criterion;
use floodgate_planner::rehearse::{
    ForecastSettings, PolicyKind, Rehearsal, Settings, Surge, Traffic, World,
};
use floodgate_planner::{
    Caps, Confidence, DegradationPolicy, ForecastInput, ForecastPath, ForecastTrust, LeadTime,
    Load, LoadLimits, LoadReading, Memory, Overrides, PlanInput, PodHealth, ReplicaState, Sale,
    SalePhase, Scaling, UnixMillis, plan,
};
use floodgate_words::Level;

#[path = "planner/clusters.rs"]
mod clusters;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// One plan, microseconds.
const PLAN_US_MAX: f64 = 50.0;
/// Ten thousand clusters on one core, seconds.
const FLEET_S_MAX: f64 = 1.0;
/// A year with every policy, seconds.
const YEAR_S_MAX: f64 = 60.0;
const CLUSTERS: u32 = 10_000;

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .without_plots()
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut input = busy_cluster();
    criterion.bench_function("plan", |bencher| {
        bencher.iter(|| {
            input.now = input.now.plus_s(2);
            input.load = load(input.now);
            let decision = plan(black_box(&input));
            input.memory = decision.memory;
        });
    });
    let plan_us = timed_s(|| one_cluster(CLUSTERS)) * 1e6 / f64::from(CLUSTERS);
    let (fleet_s, plan_p99_us) = fleet(CLUSTERS);
    let year = year();
    let year_s = timed_s(|| {
        black_box(year.run(&PolicyKind::ALL, &|_| {}));
    });
    let figures = [
        ("plan_us", plan_us, PLAN_US_MAX),
        ("plan_p99_us", plan_p99_us, PLAN_US_MAX),
        ("plans_10000_s", fleet_s, FLEET_S_MAX),
        ("rehearse_year_s", year_s, YEAR_S_MAX),
    ];
    for (name, value, mark) in figures {
        let met = if value <= mark { "reached" } else { "short" };
        println!("{name}: {value:.3} (mark {mark}, {met})");
    }
    if let Err(error) = write(&figures) {
        eprintln!("cannot write target/bench/planner.json: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn timed_s(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Decides once for each of many clusters, none like another: seconds for all of them, and the 99th
/// percentile of one, microseconds. The decisions are kept to the end, as an operator keeps them.
fn fleet(clusters: u32) -> (f64, f64) {
    let inputs: Vec<PlanInput> = (0..clusters).map(cluster).collect();
    let mut decisions = Vec::with_capacity(inputs.len());
    let mut each_us = Vec::with_capacity(inputs.len());
    let fleet_s = timed_s(|| {
        for input in &inputs {
            let one_s = timed_s(|| decisions.push(plan(black_box(input))));
            each_us.push(one_s * 1e6);
        }
    });
    each_us.sort_by(f64::total_cmp);
    let p99_us = each_us.get(each_us.len() * 99 / 100);
    (fleet_s, p99_us.copied().unwrap_or(0.0))
}

/// Decides for one busy cluster many times.
fn one_cluster(plans: u32) {
    let mut input = busy_cluster();
    for _ in 0..plans {
        input.now = input.now.plus_s(2);
        input.load = load(input.now);
        input.memory = black_box(plan(black_box(&input))).memory;
    }
}

fn load(at: UnixMillis) -> Load {
    let wave = (at.0 as f64 / 60_000.0).sin();
    Load::Reading(LoadReading {
        rate_rps_max: 900.0 + 300.0 * wave,
        burst_rps: Some(880.0 + 320.0 * wave),
        observed_at: at,
    })
}

/// A cluster with a forecast of a day and a sale of two phases near.
fn busy_cluster() -> PlanInput {
    let path = ForecastPath::flat(NOW, 300, 313, 800.0, 1_000.0);
    let forecast = path.map(|path| ForecastInput::Path {
        path: Arc::new(path),
        trust: ForecastTrust::Trusted,
        observed_peak_rps: Some(1_500.0),
    });
    PlanInput {
        now: NOW,
        scaling: Scaling {
            replicas_max: 400,
            ..Scaling::default()
        },
        replicas: ReplicaState {
            desired: Some(20),
            ready: 20,
            warm: 20,
        },
        health: PodHealth::default(),
        load: load(NOW),
        load_limits: LoadLimits::default(),
        forecast: forecast.unwrap_or(ForecastInput::Missing(
            floodgate_words::Reason::ForecastUnavailable,
        )),
        sales: vec![
            sale(NOW.plus_s(60), "near"),
            sale(NOW.plus_s(40_000), "far"),
        ],
        overrides: Overrides::default(),
        lead_time: LeadTime::default(),
        degradation: DegradationPolicy::default(),
        caps: Caps::default(),
        memory: Memory::default(),
    }
}

fn sale(t0: UnixMillis, name: &str) -> Sale {
    let phase = |name: &str, from_s: i64, uplift_percent| SalePhase {
        name: name.to_owned(),
        t0: t0.plus_s(from_s),
        until: t0.plus_s(from_s + 3_600),
        uplift_percent,
        confidence: Confidence::default(),
        planned_replicas: None,
        planned_later: Vec::new(),
    };
    Sale {
        name: name.to_owned(),
        start: t0,
        end: t0.plus_s(7_200),
        level_max: Level::Survive,
        phases: vec![phase("opening", 0, 1_000), phase("tail", 3_600, 300)],
    }
}

/// A year of minutes after two weeks of history.
fn year() -> Rehearsal {
    let minutes = (365 + 14) * 1_440;
    let samples = (0..minutes).map(|minute| {
        let day = f64::from(minute) / 1_440.0;
        let daily = 1.0 + 0.6 * (day * std::f64::consts::TAU).sin();
        let weekly = 1.0 + 0.2 * (day / 7.0 * std::f64::consts::TAU).sin();
        let growth = 1.0 + day / 365.0;
        let chance =
            1.0 + 0.1 * (f64::from(minute) * 12.989_8).sin() * (f64::from(minute) * 78.233).cos();
        let at = NOW.plus_s(i64::from(minute) * 60);
        (at, Some(300.0 * daily * weekly * growth * chance))
    });
    let samples: Vec<(UnixMillis, Option<f64>)> = samples.collect();
    let mut traffic =
        Traffic::new(60, &samples, 14 * 86_400).expect("a year of positive rates is a trace");
    let mut sales = Vec::new();
    for month in 1..=12 {
        let t0 = traffic.rehearsed_from().plus_s(month * 30 * 86_400);
        traffic = traffic.with_surge(Surge { t0, factor: 10.0 });
        sales.push(sale(t0, &format!("month-{month}")));
    }
    Rehearsal {
        traffic,
        settings: Settings {
            scaling: Scaling {
                replicas_max: 400,
                ..Scaling::default()
            },
            load_limits: LoadLimits::default(),
            degradation: DegradationPolicy::default(),
            forecast: ForecastSettings {
                active: true,
                quantile_percent: 95,
                margin_s: 60,
                refresh_s: 60,
                refit_s: 900,
                error_percent_max: 40,
                history_days: 14,
            },
            lead_s: 15..=600,
        },
        sales,
        world: World::default(),
    }
}

fn write(figures: &[(&str, f64, f64)]) -> std::io::Result<()> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let folder = target.unwrap_or(Path::new("target")).join("bench");
    std::fs::create_dir_all(&folder)?;
    let rows: serde_json::Map<String, serde_json::Value> = figures
        .iter()
        .map(|(name, value, mark)| {
            let row = serde_json::json!({ "value": value, "mark": mark, "met": value <= mark });
            ((*name).to_owned(), row)
        })
        .collect();
    let text = serde_json::to_string_pretty(&rows)?;
    std::fs::write(folder.join("planner.json"), text + "\n")
}
