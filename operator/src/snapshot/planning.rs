//! What the sale controller plans a sale with. Pure.

use std::sync::Arc;

use floodgate_api::cluster::scaling::NodeSupply;
use floodgate_planner::{ForecastPath, LeadTime, Scaling};
use floodgate_words::{Level, Reason};

/// What a sale is planned with; left in the cell for the sale controller.
#[derive(Clone, Debug)]
pub struct PlanningFacts {
    /// Bounds and capacity.
    pub scaling: Scaling,
    pub lead_time: LeadTime,
    /// Confidence of a phase that names none, percent.
    pub quantile_percent: u8,
    /// The path, when it may bid.
    pub path: Option<Arc<ForecastPath>>,
    /// Load measured now, requests/s.
    pub measured_rps: Option<f64>,
    /// The same while no sale runs; what may serve as a baseline, requests/s.
    pub baseline_rps: Option<f64>,
    /// Largest load ever observed, requests/s, against which the path is capped.
    pub observed_peak_rps: Option<f64>,
    /// Largest replica count in force.
    pub replicas: u32,
    /// Highest level in force on the fleet.
    pub level: Level,
    /// Pods that exist.
    pub pods: u32,
    /// Why the last raise was taken back, while it is not tried again.
    pub raise_taken_back: Option<Reason>,
    /// What may keep a plan from coming true.
    pub limits: PlanLimits,
}

/// What may keep a plan from coming true.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlanLimits {
    /// Most pods that the quotas admit.
    pub quota_replicas_max: Option<u32>,
    /// Whether decisions are only published.
    pub recommend: bool,
    /// Whether scaling is paused.
    pub paused: bool,
    /// Most pods that a pin or a ceiling in force allows.
    pub overridden_to: Option<u32>,
    /// Whether nodes are added for pods that find none.
    pub nodes: NodeSupply,
    /// Cores that a pod requests.
    pub cpu_request: f64,
    /// Bytes of memory that a pod requests.
    pub memory: f64,
}
