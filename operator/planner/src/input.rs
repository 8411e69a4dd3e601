//! Everything a decision is made of, as one value.
//!
//! The caller has validated the object and the annotations; what it could not know (a reading, a
//! forecast, a replica count) is an explicit absence here and never a zero.

use std::sync::Arc;

use floodgate_forecast::{ForecastPath, UnixMillis};
use floodgate_words::Reason;
use serde::{Deserialize, Serialize};

use crate::{
    health::PodHealth,
    level::DegradationPolicy,
    load::{Load, LoadLimits},
    memory::Memory,
    overrides::Overrides,
    sale::Sale,
};

/// The input of [`crate::plan`]: a snapshot of one cluster at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanInput {
    /// The instant for which to decide; the planner has no other clock.
    pub now: UnixMillis,
    /// Bounds, capacity and limits of `spec.scaling`.
    pub scaling: Scaling,
    /// Pods as they are.
    pub replicas: ReplicaState,
    /// What the pods say of themselves.
    pub health: PodHealth,
    /// The load signal as it was sampled; judged by the planner itself.
    pub load: Load,
    /// What makes a reading valid.
    pub load_limits: LoadLimits,
    /// The traffic forecast, or why there is none.
    pub forecast: ForecastInput,
    /// Every sale that selects this cluster; sales that are over are ignored.
    pub sales: Vec<Sale>,
    /// An SRE's word, already validated; expiry is judged here against `now`.
    pub overrides: Overrides,
    /// Time from the decision to warm pods.
    pub lead_time: LeadTime,
    /// Thresholds of the degradation levels.
    pub degradation: DegradationPolicy,
    /// Limits that come from the Kubernetes cluster.
    pub caps: Caps,
    /// What the last decision handed over ([`crate::Decision::memory`]), or
    /// [`Memory::held`] after a restart, a takeover or a lost history.
    pub memory: Memory,
}

/// Bounds and limits of scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Least replicas, at least 1.
    pub replicas_min: u32,
    /// Most replicas; when below `replicas_min` it is taken as equal to it. What stands above it falls
    /// to it as fast as `scale_down_step` allows.
    pub replicas_max: u32,
    /// Requests/s that one warm pod holds at the target utilisation.
    pub capacity_rps: f64,
    /// Utilisation, 1..=100 percent, at which `capacity_rps` was declared. A pod is full at
    /// `capacity_rps * 100 / target_utilisation_percent`.
    pub target_utilisation_percent: u32,
    /// A decrease needs the need to have stayed below for this long, seconds.
    pub scale_down_stabilisation_s: u32,
    /// How fast replicas may fall; `None` does not limit it.
    pub scale_down_step: Option<StepLimit>,
    /// How fast replicas may rise; `None` (the default) does not limit it.
    pub scale_up_step: Option<StepLimit>,
    /// A forecast counts for at most this many times the load ever observed, in percent.
    pub forecast_cap_percent: u32,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            replicas_min: 2,
            replicas_max: 10,
            capacity_rps: 50.0,
            target_utilisation_percent: 70,
            scale_down_stabilisation_s: 300,
            scale_down_step: Some(StepLimit {
                percent: 10,
                pods: 1,
                period_s: 60,
            }),
            scale_up_step: None,
            forecast_cap_percent: 300,
        }
    }
}

impl Scaling {
    /// Requests/s at which one warm pod is full.
    pub fn full_rps(&self) -> f64 {
        let share = f64::from(self.target_utilisation_percent.clamp(1, 100)) / 100.0;
        self.capacity_rps / share
    }

    /// The most that a forecast counts for, requests/s: `forecast_cap_percent` of the largest load
    /// ever observed (requests/s); `f64::INFINITY` while none is known.
    pub fn forecast_rps_max(&self, observed_peak_rps: Option<f64>) -> f64 {
        let peak_rps = observed_peak_rps.filter(|peak| peak.is_finite() && *peak > 0.0);
        peak_rps.map_or(f64::INFINITY, |peak| {
            peak * f64::from(self.forecast_cap_percent) / 100.0
        })
    }

    /// Whether `capacity_rps` can be divided by.
    pub fn has_capacity(&self) -> bool {
        self.capacity_rps.is_finite() && self.capacity_rps > 0.0
    }

    /// Pods that hold `load_rps` at target utilisation: `ceil(load / capacity)`.
    ///
    /// Bounded by `u32::MAX`; `None` for a load or a capacity that is no positive finite number
    /// (a load of 0 needs 0 pods).
    pub fn replicas_for(&self, load_rps: f64) -> Option<u32> {
        if !self.has_capacity() || !load_rps.is_finite() || load_rps < 0.0 {
            return None;
        }
        // A load that is an exact multiple must not cost one more pod through rounding.
        let pods = (load_rps / self.capacity_rps - 1e-9).ceil().max(0.0);
        Some(pods.min(f64::from(u32::MAX)) as u32)
    }
}

/// A change of at most the larger of both amounts within each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLimit {
    /// Percent of the replicas that stood at the start of the period.
    pub percent: u32,
    /// Pods.
    pub pods: u32,
    /// Length of the period, seconds.
    pub period_s: u32,
}

impl StepLimit {
    /// Pods by which a count of `replicas` may change within one period; at least 1.
    pub fn pods_of(&self, replicas: u32) -> u32 {
        let share = u64::from(replicas)
            .saturating_mul(u64::from(self.percent))
            .div_ceil(100);
        u32::try_from(share)
            .unwrap_or(u32::MAX)
            .max(self.pods)
            .max(1)
    }
}

/// Pods as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaState {
    /// `spec.replicas` of the Deployment; `None` while it does not exist.
    pub desired: Option<u32>,
    /// Pods that are Ready.
    pub ready: u32,
    /// Pods that are Ready and warm.
    pub warm: u32,
}

/// The forecast, or its absence.
#[derive(Clone, Debug, PartialEq)]
pub enum ForecastInput {
    /// A path that covers at least the lead time.
    Path {
        /// Quantiles of the offered load.
        path: Arc<ForecastPath>,
        /// Whether its live error is good enough to bid with.
        trust: ForecastTrust,
        /// Largest load ever observed, requests/s, against which an exploded path is capped.
        observed_peak_rps: Option<f64>,
    },
    /// No path, and why (`InsufficientHistory`, `ForecastUnavailable`, ...).
    Missing(Reason),
}

/// Whether a forecast may bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForecastTrust {
    /// It bids.
    Trusted,
    /// It is shown and does not bid, for this reason.
    Muted(Reason),
}

/// Time from a decision to warm pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadTime {
    /// 99th percentile of create-to-Ready without warm-up, seconds.
    pub ready_p99_s: u32,
    /// 99th percentile of the warm-up, seconds.
    pub warm_p99_s: u32,
    /// Interval between two decisions, seconds.
    pub interval_s: u32,
    /// Added before the pods must be warm, seconds.
    pub margin_s: u32,
}

impl Default for LeadTime {
    fn default() -> Self {
        Self {
            ready_p99_s: 30,
            warm_p99_s: 20,
            interval_s: 10,
            margin_s: 30,
        }
    }
}

impl LeadTime {
    /// From a decision to warm pods, seconds, without the margin.
    pub fn total_s(&self) -> i64 {
        i64::from(self.ready_p99_s) + i64::from(self.warm_p99_s) + i64::from(self.interval_s)
    }

    /// How far ahead a decision looks, seconds: the lead time and the margin.
    pub fn horizon_s(&self) -> i64 {
        self.total_s() + i64::from(self.margin_s)
    }
}

/// Limits that come from the Kubernetes cluster; `None` where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Most replicas that the quota admits.
    pub quota_replicas_max: Option<u32>,
    /// Most replicas that the nodes hold: those that stand and those that still fit.
    pub node_replicas_max: Option<u32>,
    /// Pods that the scheduler could not place; more of them are not asked for.
    pub unschedulable_pods: Option<u32>,
}
