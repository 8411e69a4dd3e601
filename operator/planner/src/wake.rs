//! When the answer may change although no input does.

use floodgate_forecast::UnixMillis;

use crate::{memory::Memory, sale::phases, situation::Situation};

/// The next instant worth deciding at: one interval ahead, or earlier when an override lapses or a
/// sale phase comes near, begins or ends.
pub(crate) fn next(situation: &Situation<'_>, memory: &Memory) -> UnixMillis {
    let input = situation.input;
    let horizon_s = input.lead_time.horizon_s();
    let edges = phases(&input.sales)
        .flat_map(|(_, phase)| [phase.t0.plus_s(-horizon_s), phase.t0, phase.until]);
    let interval_s = i64::from(input.lead_time.interval_s.max(1));
    edges
        .chain(input.overrides.next_lapse(input.now))
        .chain(memory.recommendation_lapse(situation))
        .chain(memory.raise_review.taken_back.map(|back| back.until))
        .filter(|at| *at > input.now)
        .chain([input.now.plus_s(interval_s)])
        .min()
        .unwrap_or(input.now)
}
