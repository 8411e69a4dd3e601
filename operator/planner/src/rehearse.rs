//! Rehearsal: a recorded or invented sale in virtual time, under several policies.
//!
//! The policy `floodgate` is [`crate::plan`] itself, fed the way the operator feeds it; the others
//! are written from the documented rules of the autoscalers they stand for. All of them meet the
//! same requests, the same pods, the same losses of metrics and pods, second by second.
//!
//! Pure and deterministic: no clock, no I/O; the same input gives the same report, bit for bit.
//! Invariant: no policy but `oracle` and `static-peak` is shown anything of the future.

mod calendar;
mod chance;
mod fleet;
mod outlook;
mod policy;
mod run;
mod samples;
mod score;
mod sensors;
mod service;
mod traffic;

use std::ops::RangeInclusive;

use serde::Serialize;

pub use policy::PolicyKind;
pub use samples::Sample;
pub use score::{Report, Score};
pub use traffic::{Surge, Traffic, TrafficError};

use crate::{DegradationPolicy, LeadTime, LoadLimits, Sale, Scaling};

/// Seconds between two decisions of the operator, at most.
const INTERVAL_S: u32 = 2;

/// Everything a rehearsal is made of.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The load that comes, and the history before it.
    pub traffic: Traffic,
    /// The cluster, as its spec says.
    pub settings: Settings,
    /// Announced sales. Every policy that can take a calendar is given them.
    pub sales: Vec<Sale>,
    /// What pods and metrics are like.
    pub world: World,
}

/// What of a `PaymentCluster` decides.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Bounds, capacity and limits.
    pub scaling: Scaling,
    /// What makes a reading valid.
    pub load_limits: LoadLimits,
    /// Thresholds of the levels.
    pub degradation: DegradationPolicy,
    /// How the forecast is made.
    pub forecast: ForecastSettings,
    /// Least and greatest lead time planned with, seconds.
    pub lead_s: RangeInclusive<u32>,
}

/// How the forecast is made.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ForecastSettings {
    /// Whether it bids.
    pub active: bool,
    /// The upper quantile, percent.
    pub quantile_percent: u8,
    /// Look-ahead beyond the lead time, seconds.
    pub margin_s: u32,
    /// Between two paths, seconds.
    pub refresh_s: u32,
    /// Between two fits, seconds.
    pub refit_s: u32,
    /// Live error above which it does not bid, percent.
    pub error_percent_max: u32,
    /// History it learns from, days.
    pub history_days: u32,
}

/// What pods and metrics are like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct World {
    /// Seed of everything that happens by chance.
    pub seed: u64,
    /// From creation to Ready without warm-up, seconds; each pod takes 0.8 to 1.2 of it.
    pub ready_s: f64,
    /// Warm-up before Ready, seconds, where a warm-up is ordered; 0.8 to 1.2 of it.
    pub warm_s: f64,
    /// What a pod with a cold cache holds at first, percent of a warm one; it grows evenly.
    pub cold_percent: u32,
    /// Until a cold pod has become warm by the requests it serves, seconds.
    pub cold_s: f64,
    /// Most requests wait this long, seconds; what comes beyond is refused.
    pub queue_s: f64,
    /// A request that waits longer than this, milliseconds, has missed its objective.
    pub slo_delay_ms: f64,
    /// Pods that die, per day.
    pub pods_lost_per_day: f64,
    /// Losses of the metrics store, per day.
    pub metric_losses_per_day: f64,
    /// How long each of them lasts, seconds.
    pub metric_loss_s: u32,
    /// Seconds between two scrapes of the metrics store and of the metrics server, 1 to 60.
    pub scrape_s: u32,
    /// Seconds from a scrape until its sample can be read, at most 120.
    pub metric_delay_s: u32,
    /// Most pods the quota admits; more are not created.
    pub quota_replicas_max: Option<u32>,
    /// Most pods the nodes have room for; more are created and stay Pending.
    pub node_room_pods: Option<u32>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            seed: 1,
            ready_s: 30.0,
            // Measured on `payment-svc` with real PostgreSQL, Redis and NATS: 0.4 s from the start
            // of the process until pools, self-test and hot keys were there, in three starts of
            // three; the order comes within the operator's round of a second.
            warm_s: 2.0,
            // Measured likewise: in its first five seconds a pod that was told no hot key spent no
            // more CPU a request than later or than one that was told (300 requests/s, 20,000
            // users, three pods each), and answered as much of 2,500 requests/s. Its money path
            // reads no cache. Other services lose more; Sentinel's warm-up rule takes a third.
            cold_percent: 100,
            cold_s: 60.0,
            queue_s: 1.0,
            slo_delay_ms: 250.0,
            pods_lost_per_day: 2.0,
            metric_losses_per_day: 0.5,
            metric_loss_s: 120,
            scrape_s: 15,
            metric_delay_s: 1,
            quota_replicas_max: None,
            node_room_pods: None,
        }
    }
}

impl World {
    /// The same world with pods as they were measured: `ready_p99_s` from creation to Ready, the
    /// warm-up in it, and `warm_p99_s` for the warm-up alone, 99th percentiles in seconds.
    ///
    /// A start is drawn evenly from 0.8 to 1.2 of its middle. The slowest one takes what was
    /// measured (99 of 100 take 1.196 or less), so the lead time planned with is the measured one.
    /// A percentile of the rest alone is not known: it takes what the warm-up leaves.
    #[must_use]
    pub fn with_measured_starts(self, ready_p99_s: u32, warm_p99_s: u32) -> Self {
        let slowest = 1.0 + fleet::START_SPREAD;
        let ready_p99_s = ready_p99_s.max(1);
        let warm_p99_s = warm_p99_s.min(ready_p99_s - 1);
        Self {
            ready_s: f64::from(ready_p99_s - warm_p99_s) / slowest,
            warm_s: f64::from(warm_p99_s) / slowest,
            ..self
        }
    }
}

impl Rehearsal {
    /// Runs each policy and gives its report, in the order asked for.
    ///
    /// The oracle always runs, because the others are measured against it.
    pub fn run(&self, kinds: &[PolicyKind], progress: &(dyn Fn(f64) + Sync)) -> Vec<Report> {
        let mut runs = self.run_seeds(kinds, 1, progress);
        runs.pop().unwrap_or_default()
    }

    /// The same with `seeds` seeds, that of the world and those after it: what happens by chance
    /// differs, what comes and what is forecast does not.
    pub fn run_seeds(
        &self,
        kinds: &[PolicyKind],
        seeds: u32,
        progress: &(dyn Fn(f64) + Sync),
    ) -> Vec<Vec<Report>> {
        run::all(self, kinds, seeds, progress)
    }

    /// Lead time the operator has measured: the slowest starts of this world, within the bounds.
    pub fn lead_time(&self) -> LeadTime {
        let World {
            ready_s, warm_s, ..
        } = self.world;
        let start_s = (ready_s + warm_s) * (1.0 + fleet::START_SPREAD);
        // A start of whole seconds must not become one longer through rounding.
        let total_s = ((start_s - 1e-9).ceil() as u32)
            .saturating_add(INTERVAL_S)
            .clamp(*self.settings.lead_s.start(), *self.settings.lead_s.end());
        LeadTime {
            ready_p99_s: total_s.saturating_sub(INTERVAL_S),
            warm_p99_s: 0,
            interval_s: INTERVAL_S.min(total_s),
            margin_s: self.settings.forecast.margin_s,
        }
    }

    /// Seconds between two forecasts and between two fits of the model: those of the settings, or
    /// longer ones where a long rehearsal would take minutes otherwise.
    pub fn forecast_pace_s(&self) -> (i64, i64) {
        let outlook::Pace { refresh_s, refit_s } = outlook::Pace::of(self);
        (refresh_s, refit_s)
    }

    /// Seconds of one step of virtual time: coarser for spans beyond a quarter of a year.
    pub fn step_s(&self) -> u32 {
        if self.traffic.rehearsed_s() > 100 * 86_400 {
            5
        } else {
            2
        }
    }
}
