//! KEDA: an HPA on the request rate in Prometheus (`AverageValue` of the capacity of a pod), and a
//! cron trigger for every announced phase, opened five minutes before T0; the larger one wins.
//!
//! An answer with an error stops the HPA's metric, so nothing moves then but what cron asks for.

use crate::rehearse::{
    policies::hpa::{Behaviour, SYNC_S, wish_average},
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

/// Cron triggers open this long before T0.
const CRON_LEAD_S: i64 = 300;

pub(super) struct Keda<'a> {
    scenario: &'a Scenario<'a>,
    behaviour: Behaviour,
}

impl<'a> Keda<'a> {
    pub(super) fn new(scenario: &'a Scenario<'a>) -> Self {
        Self {
            scenario,
            behaviour: Behaviour::default(),
        }
    }
}

impl Policy for Keda<'_> {
    fn tick_s(&self) -> i64 {
        SYNC_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let cron = self.scenario.calendar.floor(seen.now, CRON_LEAD_S);
        if seen.metrics_lost {
            return Order::replicas(seen.desired.max(cron));
        }
        let capacity_rps = self.scenario.rehearsal.settings.scaling.capacity_rps;
        let rate = wish_average(seen.desired, seen.stored_rps() / capacity_rps);
        Order::replicas(self.behaviour.apply(seen, rate.max(cron)))
    }
}
