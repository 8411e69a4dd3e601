//! Knative's autoscaler on requests per second, with its defaults: a tick of 2 s, a stable window
//! of 60 s, a panic window of 6 s entered at 200 % and left 60 s after the last panic; up at most
//! a thousandfold and down at most to half a tick; never down in panic.

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

const TICK_S: i64 = 2;
const STABLE_S: i64 = 60;
const PANIC_S: i64 = 6;
const PANIC_SHARE: f64 = 2.0;

pub(super) struct Kpa {
    capacity_rps: f64,
    panic_since: Option<UnixMillis>,
    panic_replicas: u32,
}

impl Kpa {
    pub(super) fn new(scenario: &Scenario<'_>) -> Self {
        Self {
            capacity_rps: scenario.rehearsal.settings.scaling.capacity_rps,
            panic_since: None,
            panic_replicas: 0,
        }
    }
}

impl Policy for Kpa {
    fn tick_s(&self) -> i64 {
        TICK_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let pods = |window_s| {
            let worth = seen.sensors.rate_rps(window_s, 0) / self.capacity_rps;
            (worth - 1e-9).ceil().max(0.0)
        };
        let ready = f64::from(seen.ready.max(1));
        let least = (ready / 2.0).floor();
        let stable = pods(STABLE_S).clamp(least, ready * 1_000.0) as u32;
        let urgent = pods(PANIC_S).clamp(least, ready * 1_000.0) as u32;
        if f64::from(urgent) / ready >= PANIC_SHARE {
            self.panic_since = Some(seen.now);
        } else if (self.panic_since).is_some_and(|since| seen.now.seconds_since(since) > STABLE_S) {
            self.panic_since = None;
            self.panic_replicas = 0;
        }
        if self.panic_since.is_none() {
            return Order::replicas(stable);
        }
        // In panic the number may only grow.
        self.panic_replicas = self.panic_replicas.max(urgent).max(seen.desired);
        Order::replicas(self.panic_replicas.max(stable))
    }
}
