//! What every policy meets alike: traffic, losses, and the calendar and forecasts they are given.

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    calendar::Calendar, forecasts::Forecasts, noise, rehearsal::Rehearsal, world::World,
};

/// What every policy meets alike, and what those that know more are given.
pub(super) struct Scenario<'a> {
    pub(super) rehearsal: &'a Rehearsal,
    pub(super) calendar: &'a Calendar,
    pub(super) forecasts: &'a Forecasts,
    /// The world of the rehearsal with the seed of this run.
    pub(super) world: World,
    /// Seconds after the start at which a pod dies, and at which the metrics store fails.
    pub(super) pods_lost_s: Vec<i64>,
    metrics_lost_s: Vec<i64>,
}

impl<'a> Scenario<'a> {
    /// The scenario of the seed that is `after` that of the rehearsal.
    pub(super) fn new(
        rehearsal: &'a Rehearsal,
        calendar: &'a Calendar,
        forecasts: &'a Forecasts,
        after: u64,
    ) -> Self {
        let world = World {
            seed: rehearsal.world.seed.wrapping_add(after),
            ..rehearsal.world
        };
        let span_s = rehearsal.traffic.rehearsed_s();
        let instants = |lane, per_day| noise::instants_s(world.seed, lane, per_day, span_s);
        Self {
            rehearsal,
            calendar,
            forecasts,
            world,
            pods_lost_s: instants(4, world.pods_lost_per_day),
            metrics_lost_s: instants(5, world.metric_losses_per_day),
        }
    }

    pub(super) fn metrics_lost(&self, elapsed_s: i64) -> bool {
        let length_s = i64::from(self.rehearsal.world.metric_loss_s);
        let begun = self
            .metrics_lost_s
            .partition_point(|lost| *lost <= elapsed_s);
        let last = begun.checked_sub(1).map(|index| self.metrics_lost_s[index]);
        last.is_some_and(|last| elapsed_s < last + length_s)
    }

    /// First instant of virtual time.
    pub(super) fn from(&self) -> UnixMillis {
        self.rehearsal.traffic.rehearsed_from()
    }
}
