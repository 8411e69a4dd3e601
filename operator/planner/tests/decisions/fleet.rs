//! A cluster in virtual time: decisions are applied at once, pods are warm after the lead time.

use std::sync::Arc;

use floodgate_planner::{
    Caps, Confidence, Decision, DegradationPolicy, ForecastInput, ForecastPath, ForecastTrust,
    LeadTime, Load, LoadLimits, LoadReading, Memory, Override, Overrides, PlanInput, PodHealth,
    ReplicaState, Sale, SalePhase, Scaling, UnixMillis, plan,
};
use floodgate_words::{Level, Reason};

/// Any instant will do.
pub const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

pub fn reading(at: UnixMillis, rate_rps_max: f64) -> Load {
    Load::Reading(LoadReading {
        rate_rps_max,
        burst_rps: None,
        observed_at: at,
    })
}

/// A cluster of `desired` warm pods of 50 req/s each, between 2 and 40, with a load.
pub fn input(desired: u32, load_rps: f64) -> PlanInput {
    PlanInput {
        now: NOW,
        scaling: Scaling {
            replicas_min: 2,
            replicas_max: 40,
            ..Scaling::default()
        },
        replicas: ReplicaState {
            desired: Some(desired),
            ready: desired,
            warm: desired,
        },
        health: PodHealth::default(),
        load: reading(NOW, load_rps),
        load_limits: LoadLimits::default(),
        forecast: ForecastInput::Missing(Reason::InsufficientHistory),
        sales: Vec::new(),
        overrides: Overrides::default(),
        lead_time: LeadTime::default(),
        degradation: DegradationPolicy::default(),
        caps: Caps::default(),
        memory: Memory::default(),
    }
}

/// A trusted forecast that stays at one level for a day around `at`.
pub fn flat_forecast(at: UnixMillis, p50_rps: f64, upper_rps: f64) -> ForecastInput {
    let path = ForecastPath::flat(at.plus_s(-3_600), 300, 400, p50_rps, upper_rps)
        .expect("a flat path of ordered finite levels is sound");
    ForecastInput::Path {
        path: Arc::new(path),
        trust: ForecastTrust::Trusted,
        observed_peak_rps: None,
    }
}

/// A trusted forecast that goes from one level to another at an instant.
pub fn rising_forecast(at: UnixMillis, before_rps: f64, after_rps: f64) -> ForecastInput {
    let level = |step: i32| if step < 360 { before_rps } else { after_rps };
    let path: Vec<f64> = (0..720).map(level).collect();
    let path = ForecastPath::new(
        at.plus_s(-3_600),
        10,
        95,
        "test".to_owned(),
        path.clone(),
        path,
    )
    .expect("a path of positive levels is sound");
    ForecastInput::Path {
        path: Arc::new(path),
        trust: ForecastTrust::Trusted,
        observed_peak_rps: None,
    }
}

/// A sale of one phase.
pub fn sale(name: &str, t0: UnixMillis, length_s: i64, uplift_percent: u32) -> Sale {
    let until = t0.plus_s(length_s);
    let phase = SalePhase {
        name: "main".to_owned(),
        t0,
        until,
        uplift_percent,
        confidence: Confidence::default(),
        planned_replicas: None,
        planned_later: Vec::new(),
    };
    Sale {
        name: name.to_owned(),
        start: t0,
        end: until,
        level_max: Level::Survive,
        phases: vec![phase],
    }
}

pub fn word<T>(value: T, until: UnixMillis) -> Override<T> {
    Override {
        value,
        until,
        reason: "test".to_owned(),
        by: None,
    }
}

/// Replays decisions over time.
pub struct Fleet {
    pub input: PlanInput,
    warming: Vec<(UnixMillis, u32)>,
}

impl Fleet {
    pub fn new(input: PlanInput) -> Self {
        Self {
            input,
            warming: Vec::new(),
        }
    }

    /// Lets `seconds` pass, then decides with a fresh reading of `load_rps` and applies it.
    pub fn tick(&mut self, seconds: i64, load_rps: f64) -> Decision {
        let now = self.input.now.plus_s(seconds);
        self.decide(now, reading(now, load_rps))
    }

    /// Decides at `now` with any load and applies it.
    pub fn decide(&mut self, now: UnixMillis, load: Load) -> Decision {
        self.input.now = now;
        self.input.load = load;
        self.warming.retain(|(due, pods)| {
            let warm = *due <= now;
            if warm {
                self.input.replicas.warm += pods;
            }
            !warm
        });
        let decision = plan(&self.input);
        let before = self.input.replicas.desired.unwrap_or(0);
        if decision.replicas > before {
            let due = now.plus_s(self.input.lead_time.total_s());
            self.warming.push((due, decision.replicas - before));
        }
        self.input.replicas.desired = Some(decision.replicas);
        self.input.replicas.warm = self.input.replicas.warm.min(decision.replicas);
        self.input.replicas.ready = self.input.replicas.warm;
        self.input.memory = decision.memory.clone();
        decision
    }
}
