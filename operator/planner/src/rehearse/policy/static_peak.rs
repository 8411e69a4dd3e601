//! As many pods as the peak of the rehearsal needs at target utilisation, from first to last.

use super::{Order, Policy, Seen};
use crate::rehearse::run::Stage;

pub(super) struct StaticPeak(u32);

impl StaticPeak {
    pub(super) fn new(stage: &Stage<'_>) -> Self {
        let rehearsal = stage.rehearsal;
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
