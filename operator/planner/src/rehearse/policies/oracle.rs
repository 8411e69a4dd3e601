//! Knows every request to come: pods for the largest load between now and the end of their start,
//! and none beyond it. A bound for the others, not a policy anyone can have.

use crate::rehearse::{
    policy::{Order, Policy, Seen},
    scenario::Scenario,
    world::START_SPREAD,
};

const TICK_S: i64 = 10;
/// Looked at beyond the start of a pod, seconds.
const MARGIN_S: i64 = 30;

pub(super) struct Oracle<'a> {
    scenario: &'a Scenario<'a>,
    ahead_s: i64,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(scenario: &'a Scenario<'a>) -> Self {
        let world = &scenario.rehearsal.world;
        let start_s = (world.ready_s + world.warm_s) * (1.0 + START_SPREAD);
        Self {
            scenario,
            ahead_s: start_s.ceil() as i64 + TICK_S + MARGIN_S,
        }
    }
}

impl Policy for Oracle<'_> {
    fn tick_s(&self) -> i64 {
        TICK_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let traffic = &self.scenario.rehearsal.traffic;
        let ahead = (0..=self.ahead_s / 5).map(|step| traffic.rate_at(seen.now.plus_s(step * 5)));
        let load_rps = ahead.fold(0.0, f64::max);
        let scaling = &self.scenario.rehearsal.settings.scaling;
        Order::replicas(scaling.replicas_for(load_rps).unwrap_or(u32::MAX))
    }
}
