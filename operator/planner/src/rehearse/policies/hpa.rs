//! Kubernetes HPA, `autoscaling/v2`, on CPU utilisation with the defaults of `behavior`.
//!
//! Every 15 s: `ceil(current * value / target)` with a tolerance of 10 %, pods that are not Ready
//! counted as idle; up by at most the larger of 100 % and 4 pods in 15 s; down to the highest
//! recommendation of 300 s. CPU comes from the metrics server, which does not fail with Prometheus.

use std::collections::VecDeque;

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

pub(super) const SYNC_S: i64 = 15;
const TOLERANCE: f64 = 0.1;
const DOWN_WINDOW_S: i64 = 300;
const UP_PODS: u32 = 4;

pub(super) struct Hpa {
    target_use: f64,
    behaviour: Behaviour,
}

impl Hpa {
    pub(super) fn new(scenario: &Scenario<'_>) -> Self {
        let percent = scenario
            .rehearsal
            .settings
            .scaling
            .target_utilisation_percent;
        Self {
            target_use: f64::from(percent) / 100.0,
            behaviour: Behaviour::default(),
        }
    }

    /// What CPU alone asks for, before `behavior`.
    pub(super) fn wish(&self, seen: &Seen<'_>) -> u32 {
        let usage = seen.sensors.stored_use() * f64::from(seen.ready);
        wish(seen.desired, seen.ready, usage / self.target_use)
    }
}

impl Policy for Hpa {
    fn tick_s(&self) -> i64 {
        SYNC_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let wish = self.wish(seen);
        Order::replicas(self.behaviour.apply(seen, wish))
    }
}

/// The replica calculator: `pods_worth` is the metric over its target, in pods.
///
/// The ratio is taken over the pods that give metrics; growth is then judged again with pods that
/// are not Ready counted as idle.
fn wish(desired: u32, ready: u32, pods_worth: f64) -> u32 {
    if ready == 0 {
        return desired;
    }
    let ratio = pods_worth / f64::from(ready);
    if (ratio - 1.0).abs() <= TOLERANCE {
        return desired;
    }
    if ratio > 1.0 && desired > ready {
        let with_idle = pods_worth / f64::from(desired);
        if with_idle <= 1.0 + TOLERANCE {
            return desired;
        }
    }
    (pods_worth - 1e-9).ceil().max(0.0) as u32
}

/// The same for a metric with a target per pod (`AverageValue`): compared with all pods there are.
pub(super) fn wish_average(desired: u32, pods_worth: f64) -> u32 {
    let ratio = pods_worth / f64::from(desired.max(1));
    if (ratio - 1.0).abs() <= TOLERANCE {
        return desired;
    }
    (pods_worth - 1e-9).ceil().max(0.0) as u32
}

/// `spec.behavior` with its defaults.
#[derive(Default)]
pub(super) struct Behaviour {
    wishes: VecDeque<(UnixMillis, u32)>,
}

impl Behaviour {
    pub(super) fn apply(&mut self, seen: &Seen<'_>, wish: u32) -> u32 {
        let now = seen.now;
        while (self.wishes.front()).is_some_and(|(at, _)| now.seconds_since(*at) >= DOWN_WINDOW_S) {
            self.wishes.pop_front();
        }
        // Only falling values can ever be the maximum again.
        while self.wishes.back().is_some_and(|(_, kept)| *kept <= wish) {
            self.wishes.pop_back();
        }
        self.wishes.push_back((now, wish));
        let present = seen.desired;
        if wish > present {
            let most = (present * 2).max(present + UP_PODS);
            return wish.min(most);
        }
        let highest = self.wishes.front().map_or(wish, |(_, kept)| *kept);
        highest.min(present)
    }
}
