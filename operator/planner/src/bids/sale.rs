//! The sale bid: baseline times uplift for every phase that is near or runs, from T0 minus the lead
//! time on.
//!
//! Invariant: a baseline is never taken from load or from a forecast of a running phase.

use floodgate_forecast::UnixMillis;

use super::silent;
use crate::memory::PhaseBaseline;
use crate::{Bid, BidSource, ForecastInput, Memory, Reason, Sale, SalePhase, Situation};

/// One phase that is near or runs, with what it asks for.
struct PhaseNeed<'a> {
    sale: &'a Sale,
    phase: &'a SalePhase,
    replicas: Option<u32>,
    load_rps: Option<f64>,
}

/// The bid, and the largest number of replicas published for the phases it covers.
pub(super) fn bid(situation: &Situation<'_>, memory: &mut Memory) -> (Bid, Option<u32>) {
    let input = situation.input;
    let near: Vec<(&Sale, &SalePhase)> = phases(&input.sales)
        .filter(|(_, phase)| phase.t0 <= situation.horizon && input.now < phase.until)
        .collect();
    freeze_baselines(situation, memory);
    let published = near
        .iter()
        .filter_map(|(_, phase)| phase.planned_replicas)
        .max();
    let needs: Vec<PhaseNeed<'_>> = near
        .iter()
        .map(|(sale, phase)| need(situation, memory, sale, phase))
        .collect();
    let Some(most) = needs.iter().max_by_key(|need| need.replicas) else {
        return (silent(BidSource::Sale, Reason::NoSale), None);
    };
    let reason = match most.replicas {
        None => Reason::SaleBaselineUnknown,
        Some(_) if input.now < most.phase.t0 => Reason::SalePrescale,
        Some(_) => Reason::SaleRunning,
    };
    let bid = Bid {
        source: BidSource::Sale,
        replicas: most.replicas,
        reason,
        load_rps: most.load_rps,
        muted: None,
        detail: format!("{}/{}", most.sale.name, most.phase.name),
    };
    (bid, published)
}

/// Freezes the baseline of every phase of a sale when its first phase comes near.
///
/// Once a phase runs, neither the measured load nor a forecast made from it shows what would have
/// come without the sale; multiplied again by an uplift it would ask for the square of the sale.
fn freeze_baselines(situation: &Situation<'_>, memory: &mut Memory) {
    let input = situation.input;
    memory.baselines.retain(|kept| {
        phases(&input.sales).any(|(sale, phase)| {
            kept.sale == sale.name && (input.now < sale.end || input.now < phase.until)
        })
    });
    for sale in &input.sales {
        let is_near = |phase: &SalePhase| phase.t0 <= situation.horizon && input.now < phase.until;
        if !sale.phases.iter().any(is_near) {
            continue;
        }
        for phase in sale.phases.iter().filter(|phase| input.now < phase.until) {
            let known =
                memory.baseline_of(sale, phase).is_some() || phase.planned_replicas.is_some();
            let foreseen = situation
                .trusted_path()
                .is_some_and(|path| phase.t0 <= path.end());
            if known || !(is_near(phase) || foreseen) {
                continue;
            }
            if let Some(baseline_rps) = baseline(situation, memory, phase) {
                memory.baselines.push(PhaseBaseline {
                    sale: sale.name.clone(),
                    phase: phase.name.clone(),
                    baseline_rps,
                });
            }
        }
    }
}

fn need<'a>(
    situation: &Situation<'_>,
    memory: &Memory,
    sale: &'a Sale,
    phase: &'a SalePhase,
) -> PhaseNeed<'a> {
    let uplift = f64::from(phase.uplift_percent) / 100.0;
    let load_rps = memory
        .baseline_of(sale, phase)
        .map(|baseline_rps| baseline_rps * uplift);
    let computed = load_rps.and_then(|rps| situation.input.scaling.replicas_for(rps));
    PhaseNeed {
        sale,
        phase,
        replicas: computed.or(phase.planned_replicas),
        load_rps,
    }
}

/// Load that would come in the phase without the sale, requests/s.
///
/// Load that is measured while a phase runs is the sale's own and gives no baseline. A forecast
/// that is far below the load of this very moment is not believed alone (F17), nor is one that
/// lost its trust; the measured load then stands beside it.
fn baseline(situation: &Situation<'_>, memory: &Memory, phase: &SalePhase) -> Option<f64> {
    let input = situation.input;
    let in_sale = phases(&input.sales).any(|(_, other)| other.runs_at(input.now));
    let kept_rps = memory
        .baselines
        .iter()
        .map(|kept| kept.baseline_rps)
        .reduce(f64::max);
    if let Some(kept_rps) = kept_rps.filter(|_| in_sale) {
        return Some(kept_rps);
    }
    let measured_rps = situation
        .load
        .ok()
        .filter(|_| !in_sale)
        .map(|load| load.rate_rps_max());
    let (forecast_rps, believed) = match (situation.trusted_path(), &input.forecast) {
        (Some(path), _) => {
            let now_rps = path.upper_rps_max(input.now, input.now);
            let plausible = measured_rps
                .zip(now_rps)
                .is_none_or(|(now, upper)| upper >= now / 2.0);
            (path.upper_rps_max(phase.t0, phase.until), plausible)
        }
        (None, ForecastInput::Path { path, .. }) => {
            (path.p50_rps_max(phase.t0, phase.until), false)
        }
        (None, ForecastInput::Missing(_)) => (None, false),
    };
    let doubt_rps = if believed && forecast_rps.is_some() {
        None
    } else {
        measured_rps
    };
    forecast_rps.into_iter().chain(doubt_rps).reduce(f64::max)
}

/// Every phase of every sale.
pub(crate) fn phases(sales: &[Sale]) -> impl Iterator<Item = (&Sale, &SalePhase)> {
    sales
        .iter()
        .flat_map(|sale| sale.phases.iter().map(move |phase| (sale, phase)))
}

impl SalePhase {
    pub(crate) fn runs_at(&self, now: UnixMillis) -> bool {
        self.t0 <= now && now < self.until
    }
}
