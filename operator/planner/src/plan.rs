//! The order of the steps of one decision.

use crate::{
    bids, decision::Decision, degradation, explain, guards, input::PlanInput, raise_review,
    situation::Situation, wake,
};

/// Decides how many replicas to run and which level floor to impose.
///
/// Deterministic and total: every input, however absurd, gives a decision within the bounds of the
/// spec, or on its way down to a maximum that was lowered below what stands; the same input gives the
/// same decision.
pub fn plan(input: &PlanInput) -> Decision {
    let situation = Situation::read(input);
    let mut memory = input.memory.clone();
    memory.observe(&situation);
    let bidding = bids::collect(&situation, &mut memory);
    let cap = raise_review::check(&situation, &mut memory);
    let outcome = guards::run(&situation, &mut memory, &bidding, cap);
    memory.note_replicas(input, outcome.replicas);
    let level = degradation::decide(&situation, &mut memory);
    let next_wake = wake::next(&situation, &memory);
    let mut decision = Decision {
        at: input.now,
        replicas: outcome.replicas,
        replicas_before: input.replicas.desired,
        bids: bidding.bids,
        winner: bidding.winner,
        replicas_wanted: bidding.replicas_wanted,
        guards: outcome.guards,
        notes: outcome.notes,
        level,
        load_fault: situation.load.err(),
        next_wake,
        explain: String::new(),
        memory,
    };
    decision.explain = explain::sentence(&decision);
    decision
}
