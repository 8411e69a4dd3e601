//! The sale bid: baseline times uplift for every phase that is near or runs, from T0 minus the lead
//! time on.
//!
//! Invariant: a baseline is never taken from load or from a forecast of a running phase.

use floodgate_forecast::ForecastPath;
use floodgate_words::Reason;

use super::no_bid;
use crate::{
    confidence::BaselineRps,
    decision::{Bid, BidSource},
    input::ForecastInput,
    memory::{Memory, PhaseBaseline},
    profile::BaselineProfile,
    sale::{Sale, SalePhase, phases},
    situation::Situation,
};

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
        .filter_map(|(_, phase)| phase.planned_within(input.now.max(phase.t0), situation.horizon))
        .max();
    let needs: Vec<PhaseNeed<'_>> = near
        .iter()
        .map(|(sale, phase)| need(situation, memory, sale, phase))
        .collect();
    let Some(most) = needs.iter().max_by_key(|need| need.replicas) else {
        return (no_bid(BidSource::Sale, Reason::NoSale), None);
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
    let open: Vec<(&Sale, &SalePhase)> = input
        .sales
        .iter()
        .flat_map(|sale| to_freeze(situation, sale))
        .filter(|(sale, phase)| memory.baseline_of(sale, phase).is_none())
        .collect();
    let in_sale = phases(&input.sales).any(|(_, other)| other.runs_at(input.now));
    // What stood before this decision, and not what it finds on the way: the order in which sales
    // come must not matter, nor a second decision in the same instant.
    let kept = memory.largest_baseline().filter(|_| in_sale);
    let mut orphans = Vec::new();
    for (sale, phase) in open {
        match kept.clone().or_else(|| evidence(situation, phase, in_sale)) {
            Some(baseline) => memory.freeze(sale, phase, baseline),
            None => orphans.push((sale, phase)),
        }
    }
    let Some(baseline) = memory.largest_baseline().filter(|_| in_sale) else {
        return;
    };
    for (sale, phase) in orphans {
        memory.freeze(sale, phase, baseline.clone());
    }
}

/// Phases of a sale that has come near and are near themselves, or that a trusted forecast covers;
/// one whose plan was published already needs no baseline.
fn to_freeze<'a>(
    situation: &Situation<'_>,
    sale: &'a Sale,
) -> impl Iterator<Item = (&'a Sale, &'a SalePhase)> {
    let (now, horizon) = (situation.input.now, situation.horizon);
    let is_near = move |phase: &SalePhase| phase.t0 <= horizon && now < phase.until;
    let begun = sale.phases.iter().any(is_near);
    let known_until = situation.trusted_path().map(ForecastPath::end);
    let left = sale.phases.iter().filter(move |phase| {
        let foreseen = known_until.is_some_and(|end| phase.t0 <= end);
        begun
            && now < phase.until
            && phase.planned_replicas.is_none()
            && (is_near(phase) || foreseen)
    });
    left.map(move |phase| (sale, phase))
}

fn need<'a>(
    situation: &Situation<'_>,
    memory: &Memory,
    sale: &'a Sale,
    phase: &'a SalePhase,
) -> PhaseNeed<'a> {
    let (from, until) = (situation.input.now.max(phase.t0), situation.horizon);
    let load_rps = memory
        .baseline_of(sale, phase)
        .map(|baseline| baseline.expected_rps(phase, from, until));
    let computed = load_rps.and_then(|rps| situation.input.scaling.replicas_for(rps));
    PhaseNeed {
        sale,
        phase,
        replicas: computed.or_else(|| phase.planned_within(from, until)),
        load_rps,
    }
}

/// Load that would come in the phase without the sale, from what is known outside any sale.
///
/// Load that is measured while a phase runs is the sale's own and gives no baseline. A forecast
/// that is far below the load of this very moment is not believed alone (F17), nor is one that
/// lost its trust; the measured load then stands beside it.
fn evidence(
    situation: &Situation<'_>,
    phase: &SalePhase,
    in_sale: bool,
) -> Option<BaselineProfile> {
    let input = situation.input;
    let measured_rps = situation
        .load
        .ok()
        .filter(|_| !in_sale)
        .map(|load| load.rate_rps_max());
    let cap_rps = situation.forecast_rps_max();
    let (forecast, believed) = match (situation.trusted_path(), &input.forecast) {
        (Some(path), _) => {
            let now_rps = path.upper_rps_max(input.now, input.now);
            let plausible = measured_rps
                .zip(now_rps)
                .is_none_or(|(now, upper)| upper >= now / 2.0);
            (BaselineProfile::of(path, phase, cap_rps), plausible)
        }
        (None, ForecastInput::Path { path, .. }) => {
            let p50_rps = path.p50_rps_max(phase.t0, phase.until);
            let capped = p50_rps.map(|rps| rps.min(cap_rps));
            let baseline = capped.map(BaselineRps::certain);
            (baseline.map(BaselineProfile::flat), false)
        }
        (None, ForecastInput::Missing(_)) => (None, false),
    };
    let doubt = measured_rps
        .filter(|_| !believed || forecast.is_none())
        .map(BaselineRps::certain)
        .map(BaselineProfile::flat);
    forecast
        .into_iter()
        .chain(doubt)
        .reduce(BaselineProfile::larger)
}

impl Memory {
    /// The frozen baseline of a phase.
    pub(crate) fn baseline_of(&self, sale: &Sale, phase: &SalePhase) -> Option<&BaselineProfile> {
        let matches = |kept: &&PhaseBaseline| {
            kept.sale == sale.name && kept.phase == phase.name && kept.t0 == phase.t0
        };
        self.baselines
            .iter()
            .find(matches)
            .map(|kept| &kept.baseline)
    }

    /// The busiest moment of all that is kept, as the baseline of phases nobody knows one for.
    fn largest_baseline(&self) -> Option<BaselineProfile> {
        self.baselines
            .iter()
            .map(|kept| kept.baseline.busiest())
            .reduce(BaselineRps::larger)
            .map(BaselineProfile::flat)
    }

    fn freeze(&mut self, sale: &Sale, phase: &SalePhase, baseline: BaselineProfile) {
        self.baselines.push(PhaseBaseline {
            sale: sale.name.clone(),
            phase: phase.name.clone(),
            t0: phase.t0,
            baseline,
        });
    }
}
