//! Sales: phases with a T0 to the second, and what stands planned for them.

use floodgate_forecast::{ForecastPath, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::chance::BaselineRps;
use crate::{Chance, LeadTime, Level, Scaling};

/// A sale that selects this cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    /// Name of the `SaleEvent`.
    pub name: String,
    /// The sale runs from here.
    pub start: UnixMillis,
    /// The sale is over from here.
    pub end: UnixMillis,
    /// Highest level that planned degradation may impose while a phase runs, from what the sale
    /// protects.
    pub level_max: Level,
    /// Its phases; with none, the sale changes nothing.
    pub phases: Vec<SalePhase>,
}

/// One phase of a sale, `[t0, until)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SalePhase {
    /// Name of the phase, unique within the sale.
    pub name: String,
    /// The second at which the load steps up.
    pub t0: UnixMillis,
    /// The phase is over from here.
    pub until: UnixMillis,
    /// Expected load as a share of the baseline forecast, percent: 1000 is tenfold.
    pub uplift_percent: u32,
    /// How sure the plan must be, and how uncertain the uplift is.
    pub chance: Chance,
    /// Replicas that were published ahead for this phase, where they were.
    pub planned_replicas: Option<u32>,
}

impl Sale {
    /// The sale whose phases ask for `quantile_percent` (`spec.forecast.quantilePercent` of the
    /// cluster) where they name no chance of their own.
    #[must_use]
    pub fn with_usual_chance(mut self, quantile_percent: u8) -> Self {
        for phase in &mut self.phases {
            phase
                .chance
                .quantile_percent
                .get_or_insert(quantile_percent);
        }
        self
    }
}

/// Load that would come without the sale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline<'a> {
    /// The forecast, when it is trusted.
    pub path: Option<&'a ForecastPath>,
    /// Load measured outside any sale, requests/s, for when there is no forecast.
    pub measured_rps: Option<f64>,
    /// Largest load ever observed, requests/s, against which an exploded path is capped by
    /// [`Scaling::forecast_rps_max`].
    pub observed_peak_rps: Option<f64>,
}

/// What is planned for a sale on one cluster, ahead of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SalePlan {
    /// One plan per phase, in the order of the sale.
    pub phases: Vec<PhasePlan>,
    /// The largest number of replicas of all phases, within min and max; `None` while no baseline
    /// is known.
    pub replicas: Option<u32>,
    /// The instant at which the first raise begins.
    pub prescale_at: Option<UnixMillis>,
    /// Pods that some phase needs beyond the maximum.
    pub replicas_short: u32,
}

/// What is planned for one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhasePlan {
    /// Name of the phase.
    pub name: String,
    /// Its T0.
    pub t0: UnixMillis,
    /// When the raise for it begins: T0 minus lead time and margin.
    pub prescale_at: UnixMillis,
    /// Baseline at its busiest, upper quantile, requests/s.
    pub baseline_rps: Option<f64>,
    /// Load that the phase stays below with the chance asked for, requests/s.
    pub expected_rps: Option<f64>,
    /// Replicas within min and max; `None` while no baseline is known.
    pub replicas: Option<u32>,
    /// Replicas it would need without a maximum.
    pub replicas_needed: Option<u32>,
}

/// Plans a sale ahead of time: replicas per phase and the start of the pre-scale.
pub fn sale_plan(
    sale: &Sale,
    baseline: Baseline<'_>,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> SalePlan {
    let phases: Vec<PhasePlan> = sale
        .phases
        .iter()
        .map(|phase| phase_plan(phase, baseline, scaling, lead_time))
        .collect();
    let short = |plan: &PhasePlan| Some(plan.replicas_needed?.saturating_sub(plan.replicas?));
    SalePlan {
        replicas: phases.iter().filter_map(|plan| plan.replicas).max(),
        prescale_at: phases.iter().map(|plan| plan.prescale_at).min(),
        replicas_short: phases.iter().filter_map(short).max().unwrap_or(0),
        phases,
    }
}

fn phase_plan(
    phase: &SalePhase,
    baseline: Baseline<'_>,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> PhasePlan {
    let known = baseline.path.and_then(|path| forecast(path, phase));
    let cap_rps = scaling.forecast_rps_max(baseline.observed_peak_rps);
    let known = known.map(|known| known.capped(cap_rps));
    let known = known.or(baseline.measured_rps.map(BaselineRps::certain));
    let expected_rps = known.map(|known| phase.expected_rps(known));
    let replicas_needed = expected_rps.and_then(|rps| scaling.replicas_for(rps));
    let replicas_max = scaling.replicas_max.max(scaling.replicas_min);
    PhasePlan {
        name: phase.name.clone(),
        t0: phase.t0,
        prescale_at: phase.t0.plus_s(-lead_time.horizon_s()),
        baseline_rps: known.map(|known| known.upper_rps),
        expected_rps,
        replicas: replicas_needed.map(|pods| pods.clamp(scaling.replicas_min, replicas_max)),
        replicas_needed,
    }
}

/// The forecast of a phase at its busiest. A phase beyond the end of the path takes the same time
/// of day on the last day that the path knows.
fn forecast(path: &ForecastPath, phase: &SalePhase) -> Option<BaselineRps> {
    let beyond_s = phase.t0.seconds_since(path.end()).max(0);
    let days = beyond_s / 86_400 + i64::from(beyond_s % 86_400 > 0);
    let shift_s = days.saturating_mul(-86_400);
    BaselineRps::of(path, phase.t0.plus_s(shift_s), phase.until.plus_s(shift_s))
}
