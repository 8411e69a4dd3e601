//! As many pods as the peak of the rehearsal needs at target utilisation, from first to last.

use crate::rehearse::{
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

pub(super) struct StaticPeak(u32);

impl StaticPeak {
    pub(super) fn new(scenario: &Scenario<'_>) -> Self {
        let rehearsal = scenario.rehearsal;
        let peak_rps = rehearsal.traffic.peak_rps();
        Self(
            rehearsal
                .settings
                .scaling
                .replicas_for(peak_rps)
                .unwrap_or(u32::MAX),
        )
    }
}

impl Policy for StaticPeak {
    fn tick_s(&self) -> i64 {
        60
    }

    fn decide(&mut self, _: &Seen<'_>) -> Order {
        Order::replicas(self.0)
    }
}
