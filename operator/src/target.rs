//! What reconcile asks of the sample and forecast loops for one cluster.

use std::{ops::RangeInclusive, sync::Arc};

use floodgate_forecast::Mask;
use floodgate_planner::Scaling;
use floodgate_prometheus::Endpoint;
use floodgate_words::Level;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

/// What the loops shall ask and push; published anew by every pass, equal when nothing changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The Prometheus to ask.
    pub endpoint: Endpoint,
    /// PromQL of the cluster's own, when the shared query is not used.
    pub query: Option<String>,
    /// Bearer token of the pods' control port.
    pub control_token: Arc<str>,
    /// What capacity is learned against.
    pub capacity: CapacityTarget,
    /// What new pods load.
    pub warm: WarmTarget,
    /// What every pod is to do; none while nothing may be pushed (mode Recommend).
    pub policy: Option<PolicyTarget>,
    /// How the forecast is made.
    pub forecast: ForecastTarget,
}

/// What the capacity of a pod is learned against.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityTarget {
    pub declared: Scaling,
    /// Least and greatest capacity that may be learned, requests/s.
    pub bounds_rps: RangeInclusive<f64>,
    /// Planned with now, requests/s; learning starts from it.
    pub in_force_rps: f64,
}

/// What new pods load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmTarget {
    pub keys_max: usize,
    /// Score to reach, permille.
    pub min_score_permille: u32,
    /// Milliseconds from a pod's start after which it serves as partial.
    pub deadline_ms: u64,
    /// Keys that sales name, loaded first.
    pub sale_keys: Vec<String>,
}

/// The fleet policy, without the lease that every push adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTarget {
    /// When it was decided; its milliseconds are the version.
    pub decided_at: Timestamp,
    pub floor: Level,
    /// Exact level, by override.
    pub pin: Option<Level>,
    pub reason: String,
    /// When the override it follows lapses: then it is no longer renewed, whatever else goes on.
    pub until: Option<Timestamp>,
}

/// How the forecast is made.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastTarget {
    /// Whether it is made at all.
    pub enabled: bool,
    /// Namespace and name of the cluster, as the labels of a series say them.
    pub cluster: (String, String),
    /// Owner of what is stored of the forecast: the cluster.
    pub owner: OwnerReference,
    /// Load that the least replicas hold, requests/s: the scale of a forecast without any history.
    pub declared_rps: f64,
    /// Address of the store that the history comes from.
    pub source_url: String,
    /// PromQL of the history.
    pub query: String,
    /// Days of history.
    pub history_days: u32,
    /// Seconds between two samples of history.
    pub step_s: u32,
    /// Upper quantile, percent.
    pub quantile_percent: u8,
    /// Seconds between two paths.
    pub refresh_s: u32,
    /// Seconds between two fits.
    pub refit_s: u32,
    /// Seconds ahead at which promises are compared with what came.
    pub lead_s: u32,
    /// Sale phases, past and running: their load is neither learned nor held against the forecast.
    pub sales: Vec<(Timestamp, Timestamp)>,
    /// Windows that were declared no demand of customers.
    pub masks: Vec<Mask>,
}
