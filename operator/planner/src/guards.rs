//! The guards: rules that may change the winning number, in a fixed order, each with its reason.
//!
//! Invariant: the chain has no gap. The first guard starts at the winning number, each next one
//! where the last ended, and a guard that changes nothing leaves no entry.

use crate::aftercare::Cap;
use crate::bids::Auction;
use crate::{BidSource, Guard, Memory, Reason, Situation};

/// The number after all guards.
pub(crate) struct Outcome {
    pub(crate) replicas: u32,
    pub(crate) guards: Vec<Guard>,
    pub(crate) notes: Vec<Reason>,
}

struct Chain {
    replicas: u32,
    guards: Vec<Guard>,
    notes: Vec<Reason>,
}

impl Chain {
    fn set(&mut self, reason: Reason, to: u32) {
        if to != self.replicas {
            self.guards.push(Guard {
                reason,
                from: self.replicas,
                to,
            });
            self.replicas = to;
        }
    }

    fn at_least(&mut self, reason: Reason, least: u32) {
        self.set(reason, self.replicas.max(least));
    }

    fn at_most(&mut self, reason: Reason, most: u32) {
        self.set(reason, self.replicas.min(most));
    }
}

/// Runs every guard over the winning number.
pub(crate) fn run(
    situation: &Situation<'_>,
    memory: &mut Memory,
    auction: &Auction,
    cap: Option<Cap>,
) -> Outcome {
    let Auction {
        winner,
        replicas_wanted,
        bids: _,
        replicas_lowest: _,
        sale_floor: _,
        demanded: _,
    } = *auction;
    let mut chain = Chain {
        replicas: replicas_wanted,
        guards: Vec::new(),
        notes: Vec::new(),
    };
    let pinned = winner == BidSource::Override && situation.overrides.pin.is_some();
    if pinned {
        if let Some(floor) = situation.overrides.floor {
            chain.at_least(Reason::OverrideConflict, floor.value);
        }
        memory.recommend(situation, chain.replicas);
    } else {
        automatic(&mut chain, situation, memory, auction, cap);
    }
    paused(&mut chain, situation);
    bounds(&mut chain, situation);
    let Chain {
        replicas,
        guards,
        notes,
    } = chain;
    Outcome {
        replicas,
        guards,
        notes,
    }
}

/// Guards that an SRE's pin is above.
fn automatic(
    chain: &mut Chain,
    situation: &Situation<'_>,
    memory: &mut Memory,
    auction: &Auction,
    cap: Option<Cap>,
) {
    let present = situation.input.replicas.desired;
    let wanted = chain.replicas.max(auction.replicas_lowest);
    // What a sale or an SRE demands is above what became of the last raise.
    let least = auction.demanded.max(auction.sale_floor.unwrap_or(0));
    let cap = cap.map(|cap| Cap {
        most: cap.most.max(least),
        ..cap
    });
    if let Some(cap) = cap {
        chain.at_most(cap.reason, cap.most);
    }
    if let Some(present) = present.filter(|_| !situation.may_lower()) {
        chain.at_least(Reason::SignalNotFresh, present);
    }
    if let Some(plan) = auction.sale_floor {
        chain.at_least(Reason::SaleWindow, plan);
    }
    let stable = memory.recommend(situation, chain.replicas.max(wanted));
    if let Some(present) = present {
        // The window holds what stands; it never raises above it, nor holds what did harm.
        let most = cap.map_or(u32::MAX, |cap| cap.most);
        chain.at_least(Reason::Stabilising, stable.min(present).min(most));
    }
    steps(chain, situation, memory);
    caps(chain, situation);
}

fn steps(chain: &mut Chain, situation: &Situation<'_>, memory: &Memory) {
    let scaling = &situation.input.scaling;
    let now = situation.input.now;
    if situation.input.replicas.desired.is_none() {
        return;
    }
    if let Some(step) = scaling.scale_down_step
        && let Some(most) = memory.standing_since(now, step.period_s.max(1)).max()
    {
        let least = most.saturating_sub(step.pods_of(most));
        let present = situation.input.replicas.desired.unwrap_or(least);
        chain.at_least(Reason::ScaleDownStep, least.min(present));
    }
    if let Some(step) = scaling.scale_up_step
        && let Some(least) = memory.standing_since(now, step.period_s.max(1)).min()
    {
        let present = situation.input.replicas.desired.unwrap_or(0);
        let most = least.saturating_add(step.pods_of(least));
        chain.at_most(Reason::ScaleUpStep, most.max(present));
    }
}

fn caps(chain: &mut Chain, situation: &Situation<'_>) {
    // A Deployment that does not exist yet has no pods that could be in the way.
    let Some(present) = situation.input.replicas.desired else {
        return;
    };
    if let Some(quota) = situation.input.caps.quota_replicas_max {
        chain.at_most(Reason::QuotaExceeded, quota.max(present));
    }
    if situation
        .input
        .caps
        .unschedulable_pods
        .is_some_and(|pods| pods > 0)
    {
        chain.at_most(Reason::PodsUnschedulable, present);
    }
}

fn paused(chain: &mut Chain, situation: &Situation<'_>) {
    let stops = situation
        .overrides
        .pause
        .is_some_and(|pause| pause.value.stops_scaling());
    let Some(present) = situation.input.replicas.desired.filter(|_| stops) else {
        return;
    };
    // A pin or a floor beside a pause contradicts it; what keeps more pods is safest.
    let demanded = [situation.overrides.pin, situation.overrides.floor]
        .into_iter()
        .flatten()
        .map(|word| word.value)
        .max();
    match demanded.filter(|demanded| *demanded > present) {
        Some(demanded) => chain.set(Reason::OverrideConflict, demanded),
        None => chain.set(Reason::Paused, present),
    }
    chain.notes.push(Reason::Paused);
}

fn bounds(chain: &mut Chain, situation: &Situation<'_>) {
    let scaling = &situation.input.scaling;
    if let Some(ceiling) = situation.overrides.ceiling {
        chain.at_most(Reason::ReplicasCeiling, ceiling.value);
    }
    chain.at_most(
        Reason::AtMaximum,
        scaling.replicas_max.max(scaling.replicas_min),
    );
    chain.at_least(Reason::AtMinimum, scaling.replicas_min);
}
