//! What is planned for a sale ahead of it: replicas per phase and the start of the pre-scale.

use floodgate_forecast::{ForecastPath, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::{
    confidence::BaselineRps,
    input::{LeadTime, Scaling},
    profile::BaselineProfile,
    sale::{Sale, SalePhase},
};

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
    /// Baseline at T0, upper quantile, requests/s.
    pub baseline_rps: Option<f64>,
    /// Load that the phase stays below from T0 on with the chance asked for, requests/s.
    pub expected_rps: Option<f64>,
    /// Replicas at T0, within min and max; `None` while no baseline is known.
    pub replicas: Option<u32>,
    /// Replicas it would need then without a maximum.
    pub replicas_needed: Option<u32>,
    /// Where the usual load, and so the plan, becomes another later in the phase; in order.
    pub later: Vec<PlannedStep>,
}

/// What is planned from a moment of a phase on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// When it begins.
    pub from: UnixMillis,
    /// Load that the phase stays below, requests/s.
    pub expected_rps: f64,
    /// Replicas within min and max.
    pub replicas: u32,
    /// Replicas it would need without a maximum.
    pub replicas_needed: u32,
}

impl PhasePlan {
    /// The most replicas of the phase, and the most it would need without a maximum.
    pub fn replicas_most(&self) -> Option<(u32, u32)> {
        let later = || self.later.iter();
        let replicas = later().map(|step| step.replicas).max().unwrap_or(0);
        let needed = later().map(|step| step.replicas_needed).max().unwrap_or(0);
        Some((
            self.replicas?.max(replicas),
            self.replicas_needed?.max(needed),
        ))
    }
}

/// Steps that differ by at most one pod in so many are planned as one.
const ALIKE_SHARE: u32 = 20;

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
    let most = || phases.iter().filter_map(PhasePlan::replicas_most);
    let short = most().map(|(replicas, needed)| needed.saturating_sub(replicas));
    SalePlan {
        replicas: most().map(|(replicas, _)| replicas).max(),
        prescale_at: phases.iter().map(|plan| plan.prescale_at).min(),
        replicas_short: short.max().unwrap_or(0),
        phases,
    }
}

fn phase_plan(
    phase: &SalePhase,
    baseline: Baseline<'_>,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> PhasePlan {
    let cap_rps = scaling.forecast_rps_max(baseline.observed_peak_rps);
    let path = baseline.path;
    let known = path.and_then(|path| BaselineProfile::of(path, phase, cap_rps));
    let measured_rps = baseline.measured_rps;
    let plausible = measured_rps.filter(|rps| rps.is_finite() && *rps >= 0.0);
    let measured = plausible.map(BaselineRps::certain);
    let known = known.or(measured.map(BaselineProfile::flat));
    let steps = known.iter().flat_map(|known| steps(phase, known, scaling));
    let mut steps = alike_as_one(steps).into_iter();
    let first = steps.next();
    PhasePlan {
        name: phase.name.clone(),
        t0: phase.t0,
        prescale_at: phase.t0.plus_s(-lead_time.horizon_s()),
        baseline_rps: known.map(|known| known.at_t0_upper_rps()),
        expected_rps: first.map(|step| step.expected_rps),
        replicas: first.map(|step| step.replicas),
        replicas_needed: first.map(|step| step.replicas_needed),
        later: steps.collect(),
    }
}

/// Steps that need nearly as many pods as the one before, with the most that any of them needs: a
/// fleet that turns by one pod in forty every quarter of an hour serves nobody.
fn alike_as_one(steps: impl Iterator<Item = PlannedStep>) -> Vec<PlannedStep> {
    // Each with the least that any of its steps needs.
    let mut groups: Vec<(PlannedStep, u32)> = Vec::new();
    for step in steps {
        let needed = step.replicas_needed;
        if let Some((group, least)) = groups.last_mut() {
            let (low, high) = (needed.min(*least), needed.max(group.replicas_needed));
            if high - low <= high / ALIKE_SHARE {
                *least = low;
                if step.expected_rps > group.expected_rps {
                    let from = group.from;
                    *group = PlannedStep { from, ..step };
                }
                continue;
            }
        }
        groups.push((step, needed));
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// What each step of a phase needs.
fn steps<'a>(
    phase: &'a SalePhase,
    known: &'a BaselineProfile,
    scaling: &'a Scaling,
) -> impl Iterator<Item = PlannedStep> + 'a {
    let replicas_max = scaling.replicas_max.max(scaling.replicas_min);
    known.begins(phase).filter_map(move |from| {
        let expected_rps = known.expected_rps(phase, from, from);
        let replicas_needed = scaling.replicas_for(expected_rps)?;
        Some(PlannedStep {
            from,
            expected_rps,
            replicas: replicas_needed.clamp(scaling.replicas_min, replicas_max),
            replicas_needed,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_one_where_they_need_nearly_the_same_and_no_shortage_is_lost_in_the_maximum() {
        let step = |index: i64, needed: u32| PlannedStep {
            from: UnixMillis(index * 900_000),
            expected_rps: f64::from(needed) * 50.0,
            replicas: needed.min(50),
            replicas_needed: needed,
        };
        let needs = [40, 41, 40, 60, 90, 12, 13];
        let merged = alike_as_one((0..).zip(needs).map(|(index, needed)| step(index, needed)));
        let told: Vec<(i64, u32, u32)> = merged
            .iter()
            .map(|one| (one.from.0 / 900_000, one.replicas, one.replicas_needed))
            .collect();
        let wanted = [
            (0, 41, 41),
            (3, 50, 60),
            (4, 50, 90),
            (5, 12, 12),
            (6, 13, 13),
        ];
        assert_eq!(told, wanted);
    }
}
