//! The guards: rules that may change the winning number, in a fixed order, each with its reason.
//!
//! Invariant: the chain has no gap. The first guard starts at the winning number, each next one
//! where the last ended, and a guard that changes nothing leaves no entry.

use floodgate_words::Reason;

use crate::{
    bids::BidOutcome,
    decision::{BidSource, Guard},
    input::Caps,
    memory::Memory,
    raise_review::Cap,
    situation::Situation,
};

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
    bidding: &BidOutcome,
    cap: Option<Cap>,
) -> Outcome {
    let BidOutcome {
        winner,
        replicas_wanted,
        bids: _,
        replicas_lowest: _,
        sale_floor: _,
        demanded: _,
    } = *bidding;
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
        automatic(&mut chain, situation, memory, bidding, cap);
    }
    paused(&mut chain, situation, bidding);
    bounds(&mut chain, situation, memory);
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
    bidding: &BidOutcome,
    cap: Option<Cap>,
) {
    let present = situation.input.replicas.desired;
    let wanted = chain.replicas.max(bidding.replicas_lowest);
    // What a sale or an SRE demands is above what became of the last raise.
    let least = bidding.demanded.max(bidding.sale_floor.unwrap_or(0));
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
    if let Some(plan) = bidding.sale_floor {
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

/// The least replicas that the limit on becoming fewer leaves now, never above what stands; `None`
/// where there is no limit, or no Deployment.
fn step_least(situation: &Situation<'_>, memory: &Memory) -> Option<u32> {
    let present = situation.input.replicas.desired?;
    let step = situation.input.scaling.scale_down_step?;
    let period_s = step.period_s.max(1);
    let most = memory.replicas_since(situation.input.now, period_s).max()?;
    Some(most.saturating_sub(step.pods_of(most)).min(present))
}

fn steps(chain: &mut Chain, situation: &Situation<'_>, memory: &Memory) {
    let scaling = &situation.input.scaling;
    let now = situation.input.now;
    if situation.input.replicas.desired.is_none() {
        return;
    }
    if let Some(least) = step_least(situation, memory) {
        chain.at_least(Reason::ScaleDownStep, least);
    }
    if let Some(step) = scaling.scale_up_step
        && let Some(least) = memory.replicas_since(now, step.period_s.max(1)).min()
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
    let Caps {
        quota_replicas_max,
        node_replicas_max,
        unschedulable_pods,
    } = situation.input.caps;
    if let Some(quota) = quota_replicas_max {
        chain.at_most(Reason::QuotaExceeded, quota.max(present));
    }
    if let Some(room) = node_replicas_max {
        chain.at_most(Reason::NodesFull, room.max(present));
    }
    if unschedulable_pods.is_some_and(|pods| pods > 0) {
        chain.at_most(Reason::PodsUnschedulable, present);
    }
}

fn paused(chain: &mut Chain, situation: &Situation<'_>, bidding: &BidOutcome) {
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
    let stays = demanded.map_or(present, |demanded| demanded.max(present));
    // The word of this very night wins over a plan made ahead, and that is said (B17).
    let below_sale = bidding.sale_wants().is_some_and(|pods| pods > stays);
    let reason = match (stays > present, below_sale) {
        (true, _) => Reason::OverrideConflict,
        (false, true) => Reason::SalePaused,
        (false, false) => Reason::Paused,
    };
    chain.set(reason, stays);
    chain.notes.push(Reason::Paused);
    if below_sale {
        chain.notes.push(Reason::SalePaused);
    }
}

/// Ceiling, maximum and minimum. What stands above the maximum, because that was lowered, may only
/// fall, and no faster than anything else: a maximum lowered in the middle of a sale must not take
/// most of the fleet in one decision (B23). A ceiling is a word for this very night, and acts at once.
fn bounds(chain: &mut Chain, situation: &Situation<'_>, memory: &Memory) {
    let scaling = &situation.input.scaling;
    if let Some(ceiling) = situation.overrides.ceiling {
        chain.at_most(Reason::ReplicasCeiling, ceiling.value);
    }
    let before = chain.replicas;
    chain.at_most(
        Reason::AtMaximum,
        scaling.replicas_max.max(scaling.replicas_min),
    );
    if let Some(least) = step_least(situation, memory) {
        chain.at_least(Reason::ScaleDownStep, least.min(before));
    }
    chain.at_least(Reason::AtMinimum, scaling.replicas_min);
}
