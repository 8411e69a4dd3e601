//! Turns an observed and validated cluster into the planner's input and its answer into orders.
//! Pure: the time stands in what was observed.

use std::sync::Arc;

use floodgate_api::cluster::{forecast::ForecastMode, scaling::ScalingMode};
use floodgate_forecast::Masks;
use floodgate_planner::{
    Decision, DegradationPolicy, ForecastInput, ForecastTrust, HoldCause, LeadTime, Memory,
    PlanInput, ReplicaState, Scaling, protected_level,
};
use floodgate_words::Reason;
use jiff::Timestamp;

use crate::{
    clock::seconds_between,
    observe::Observed,
    overrides::OverridesRead,
    snapshot::{ColdScale, ForecastSnapshot, ForecastState, PATH_AGE_MAX_S},
    target::PolicyTarget,
    validate::ValidatedCluster,
};

mod limits;
mod load;
mod measured;
mod quota;
mod recommend;
mod sales;
mod words;

use floodgate_settings::ValidSale;
use limits::caps;
pub use limits::plan_limits;
pub use load::{LoadSeen, load_seen};
use measured::{capacity, health, lead_time};
use recommend::ordered;
pub use sales::sale_until;
use sales::{planner_sales, sales_of};

/// A decision and what carries it out.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The planner's answer.
    pub decision: Decision,
    /// Replicas to apply; in mode Recommend the ones that run.
    pub replicas: u32,
    /// In mode Recommend, what stood before an override moved the replicas.
    pub before_override: Option<u32>,
    /// Policy for the pods; none while nothing may be imposed.
    pub policy: Option<PolicyTarget>,
    /// The load as it was judged.
    pub load: LoadSeen,
    /// Whether the forecast may bid.
    pub trust: Trust,
    /// Lead time planned with.
    pub lead_time: LeadTime,
    /// Annotations as they were read.
    pub overrides: OverridesRead,
    /// Windows to leave out of the history, and what is no window.
    pub masks: Masks,
    /// Sales that hit this cluster.
    pub sales: Vec<ValidSale>,
    /// Pods that are Ready, and those that are also warm.
    pub replica_state: ReplicaState,
    /// Bounds and capacity planned with.
    pub scaling: Scaling,
    /// Measurements the capacity was learned from; none while it is the declared one.
    pub capacity_samples: Option<u32>,
}

/// Whether the forecast may bid, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It bids.
    Trusted,
    /// Computed, published, and not asked to bid.
    Shadow,
    /// Switched off.
    Off,
    /// No path yet.
    Pending,
    /// Less than a day of history; the wide guess of a cold start does not bid.
    ColdStart,
    /// The live error is above the gate.
    ErrorAboveGate,
    /// The live error is clearly above that of seasonal naive.
    WorseThanNaive,
    /// The path is old, because the history cannot be read.
    HistoryUnavailable,
}

/// What the last pass hands to this one.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The planner's memory; none right after the start of the operator.
    pub memory: Option<Memory>,
    /// Policy in force.
    pub policy: Option<PolicyTarget>,
    /// The loss of the history that was held for last.
    pub history_lost_at: Option<Timestamp>,
}

impl Before {
    /// What the planner remembers; held as it is where Prometheus lost its history since (F12).
    fn memory(&self, observed: &Observed) -> Memory {
        let lost_at = observed.forecast.history_lost_at;
        match self.memory.clone() {
            None => first_memory(observed),
            Some(memory) if lost_at.is_some() && lost_at != self.history_lost_at => {
                memory.hold(HoldCause::HistoryLost)
            }
            Some(memory) => memory,
        }
    }
}

/// Plans one cluster.
pub fn plan(observed: &Observed, cluster: &ValidatedCluster, before: &Before) -> Planned {
    let now = observed.now;
    let (overrides, masks) = words::read(observed, cluster);
    let sales = sales_of(observed);
    let trust = trust(cluster, &observed.forecast, now);
    let lead_time = lead_time(observed, cluster);
    let replica_state = replica_state(observed);
    let (scaling, capacity) = capacity(observed, cluster);
    let load = load_seen(
        observed,
        &scaling,
        cluster.load_limits,
        replica_state.desired,
    );
    let input = PlanInput {
        now: now.into(),
        scaling: scaling.clone(),
        replicas: replica_state,
        health: health(observed, cluster),
        load: load.load,
        load_limits: cluster.load_limits,
        forecast: forecast_input(&observed.forecast, trust, load.rps.is_some()),
        sales: planner_sales(observed, &sales, cluster),
        overrides: overrides.overrides.clone(),
        lead_time,
        degradation: cluster
            .degradation
            .clone()
            .unwrap_or_else(DegradationPolicy::never),
        caps: caps(observed, cluster),
        memory: before.memory(observed),
    };
    let decision = floodgate_planner::plan(&input);
    let policy = policy(&decision, cluster, &overrides, &sales, before, now);
    let kept = ordered(observed, cluster, &overrides.overrides, &decision);
    Planned {
        decision,
        replicas: kept.replicas,
        before_override: kept.before_override,
        policy,
        load,
        trust,
        lead_time,
        overrides,
        masks,
        sales,
        replica_state,
        scaling,
        capacity_samples: capacity,
    }
}

/// Memory of the first pass: a cluster whose Deployment exists is held as it is (S4).
fn first_memory(observed: &Observed) -> Memory {
    if observed.deployment.is_none() {
        return Memory::default();
    }
    let status = observed.cluster.status.as_ref();
    let floor = status
        .and_then(|status| status.level.as_ref())
        .map(|level| level.floor);
    Memory::held(observed.started_by).with_level(floor.unwrap_or_default())
}

/// Replicas the Deployment asks for now.
fn live_replicas(observed: &Observed) -> Option<u32> {
    let live = observed.deployment.as_ref()?;
    u32::try_from(live.spec.replicas.unwrap_or(1)).ok()
}

fn replica_state(observed: &Observed) -> ReplicaState {
    let live = live_replicas(observed);
    // What this process ordered counts more than what somebody else wrote over it.
    let ordered = observed
        .ordered
        .and_then(|ordered| u32::try_from(ordered).ok());
    let desired = ordered.filter(|_| live.is_some()).or(live);
    let pods = observed.pods.as_ref();
    ReplicaState {
        desired,
        ready: pods.map_or(0, |pods| pods.ready()),
        warm: pods.map_or(0, |pods| pods.warm()),
    }
}

fn trust(cluster: &ValidatedCluster, forecast: &ForecastSnapshot, now: Timestamp) -> Trust {
    let gate = cluster.forecast.error_percent_max;
    let live = forecast.live;
    let above_gate = live.proven && live.error_percent.is_some_and(|error| error > gate);
    let age_s = forecast
        .made_at
        .map_or(f64::INFINITY, |at| seconds_between(at, now));
    match (cluster.forecast.mode, &forecast.state) {
        (ForecastMode::Off, _) | (_, ForecastState::Off) => Trust::Off,
        (_, ForecastState::Pending) => Trust::Pending,
        (_, ForecastState::ColdStart(_)) => Trust::ColdStart,
        (_, ForecastState::HistoryUnavailable(_)) if age_s > PATH_AGE_MAX_S => {
            Trust::HistoryUnavailable
        }
        _ if forecast.history_hours < 24 => Trust::ColdStart,
        _ if above_gate => Trust::ErrorAboveGate,
        _ if live.loses => Trust::WorseThanNaive,
        (ForecastMode::Shadow, _) => Trust::Shadow,
        (ForecastMode::Active, _) => Trust::Trusted,
    }
}

/// The forecast as the planner takes it. A guess from the declared base is none beside a load that
/// was measured: a sale multiplies the larger of both.
fn forecast_input(forecast: &ForecastSnapshot, trust: Trust, measured: bool) -> ForecastInput {
    if measured && forecast.state == ForecastState::ColdStart(ColdScale::Declared) {
        return ForecastInput::Missing(Reason::ColdStart);
    }
    let trust = match trust {
        Trust::Trusted => ForecastTrust::Trusted,
        Trust::Shadow => ForecastTrust::Muted(Reason::ForecastShadow),
        Trust::Off => return ForecastInput::Missing(Reason::ForecastOff),
        Trust::Pending => return ForecastInput::Missing(Reason::InsufficientHistory),
        Trust::HistoryUnavailable => {
            return ForecastInput::Missing(Reason::ForecastUnavailable);
        }
        Trust::ColdStart => ForecastTrust::Muted(Reason::ColdStart),
        Trust::ErrorAboveGate => ForecastTrust::Muted(Reason::ErrorAboveGate),
        Trust::WorseThanNaive => ForecastTrust::Muted(Reason::WorseThanNaive),
    };
    match &forecast.path {
        Some(path) => ForecastInput::Path {
            path: Arc::clone(path),
            trust,
            observed_peak_rps: forecast.peak_rps,
        },
        None => ForecastInput::Missing(Reason::ForecastUnavailable),
    }
}

/// What the pods are told. An equal policy keeps its version, so that it is renewed, not changed.
fn policy(
    decision: &Decision,
    cluster: &ValidatedCluster,
    overrides: &OverridesRead,
    sales: &[ValidSale],
    before: &Before,
    now: Timestamp,
) -> Option<PolicyTarget> {
    let words = &overrides.overrides;
    let ordered = words.degrade_floor.is_some() || words.degrade_pin.is_some();
    if cluster.mode == ScalingMode::Recommend && !ordered {
        return None;
    }
    let mut floor = decision.level.floor;
    // What a sale protects only a word may switch off, and only as far as the word goes.
    let given = sales.iter().map(|valid| &valid.sale);
    if let Some(most) = protected_level(given, now.into()) {
        let word = words.degrade_floor.as_ref().map(|word| word.value);
        floor = floor.min(most.max(word.unwrap_or_default()));
    }
    let pin = decision.level.pin;
    let reason = decision.level.reason.as_str().to_owned();
    let ends = [&words.degrade_floor, &words.degrade_pin];
    let until = ends
        .into_iter()
        .flatten()
        .filter_map(|word| word.until.timestamp());
    let until = until.max();
    let unchanged =
        |old: &&PolicyTarget| old.floor == floor && old.pin == pin && old.until == until;
    match before.policy.as_ref().filter(unchanged) {
        Some(old) => Some(old.clone()),
        None => Some(PolicyTarget {
            decided_at: now,
            floor,
            pin,
            reason,
            until,
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
