//! What a rehearsal is made of.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::{
    input::{LeadTime, Scaling},
    level::DegradationPolicy,
    load::LoadLimits,
    rehearse::{
        traffic::Traffic,
        world::{START_SPREAD, World},
    },
    sale::Sale,
};

/// Seconds between two decisions of the operator, at most.
pub(super) const INTERVAL_S: u32 = 2;

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

impl Rehearsal {
    /// Lead time the operator has measured: the slowest starts of this world, within the bounds.
    pub fn lead_time(&self) -> LeadTime {
        let World {
            ready_s, warm_s, ..
        } = self.world;
        let start_s = (ready_s + warm_s) * (1.0 + START_SPREAD);
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

    /// Seconds of one step of virtual time: coarser for spans beyond a quarter of a year.
    pub fn step_s(&self) -> u32 {
        if self.traffic.rehearsed_s() > 100 * 86_400 {
            5
        } else {
            2
        }
    }
}
