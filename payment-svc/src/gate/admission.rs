//! How many requests per second fit, and so how far down the line of positions the cursor is.
//!
//! While requests queue longer than the target, what the pod completes is what it can do, and no
//! more than that is let in; while they do not, the allowance grows until everything is in again.
//! The allowance is a rate and not a position: when load doubles, the cursor moves at the next tick
//! without waiting for the queue to say so.
//! Behind it a limit on requests being worked on, by Little's law, holds bursts shorter than a tick.
//! Invariant: the cursor never closes completely, so that the pod always learns what it can do.
//! Invariant: more important positions are let in first; a position is in only if all before it are.

use std::collections::VecDeque;
use std::time::Duration;

use floodgate_contract::Class;

use super::arrivals::{Arrivals, POSITIONS, SUB_LEVELS};

/// Share by which the allowance falls per target of delay above the target.
const FALL_PER_TARGET: f64 = 0.15;
/// Least share of the completions that is let in while requests queue.
const FALL_FLOOR: f64 = 0.5;
/// Growth of the allowance in 100 ms without any queue.
const GROWTH_PER_100_MS: f64 = 0.06;
/// Completions are averaged over this time, and the best such mean of the last two counts.
const DRAIN_WINDOW_S: f64 = 1.0;
/// Least limit on requests being worked on.
const LIMIT_FLOOR: f64 = 8.0;
/// Bound on requests being worked on when nothing queues; some kilobytes each.
pub(super) const LIMIT_OPEN: u32 = 4_096;
/// Positions that are always let in.
const CURSOR_FLOOR: u32 = 8;
/// Share of the CPU below which lateness is the machine's, not the pod's.
const OWN_CPU_SHARE: f64 = 0.5;

/// What the last tick saw.
#[derive(Clone, Debug)]
pub(super) struct Window<'a> {
    /// Time since the tick before.
    pub dt: Duration,
    /// Mean queueing delay.
    pub wait: Duration,
    /// Wait in the store beyond the commit under way, over its own target; 0 when idle.
    pub store_ratio: f64,
    /// Admitted requests that ended.
    pub completions: u32,
    /// Sum of their times in the service.
    pub latency: Duration,
    /// Requests being worked on now.
    pub in_flight: u32,
    /// CPU used as a share of the limit.
    pub cpu_share: f64,
    /// Arrivals by position.
    pub arrivals: &'a [u32],
}

/// What holds until the next tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    /// Positions below this one are let in.
    pub cursor: u32,
    /// Most requests that may be worked on at once.
    pub limit: u32,
    /// Queueing delay over its target; 0 when the delay is not the pod's own.
    pub queue_ratio: f64,
}

impl Setting {
    /// Most important class of which something is refused.
    pub(super) fn shed_from(&self) -> Option<Class> {
        Class::ALL.get(self.cursor as usize / SUB_LEVELS).copied()
    }

    /// Whether the cursor cannot go lower.
    pub(super) fn at_floor(&self) -> bool {
        self.cursor <= CURSOR_FLOOR
    }
}

/// The controller.
#[derive(Debug)]
pub(super) struct Admission {
    target_s: f64,
    /// Time in which requests pile up although the controller does its best: two throttled periods,
    /// or the queue it aims for on the way in and again on the way back from the store.
    burst_s: f64,
    arrivals: Arrivals,
    allowed_rps: Option<f64>,
    drained: VecDeque<(f64, f64)>,
    base_latency_s: f64,
    last_ratio: f64,
}

impl Admission {
    /// A controller that holds queueing delay at `target`; `period` is that of the CPU quota.
    pub(super) fn new(target: Duration, period: Duration) -> Self {
        Self {
            target_s: target.as_secs_f64(),
            burst_s: 2.0 * period.max(target).as_secs_f64(),
            arrivals: Arrivals::default(),
            allowed_rps: None,
            drained: VecDeque::new(),
            base_latency_s: 0.0,
            last_ratio: 0.0,
        }
    }

    /// Mean time in the service while nothing queues.
    pub(super) fn base_latency(&self) -> Duration {
        Duration::from_secs_f64(self.base_latency_s)
    }

    /// Takes in one tick and says what holds until the next.
    pub(super) fn tick(&mut self, window: &Window<'_>) -> Setting {
        self.arrivals.tick(window.dt, window.arrivals);
        let drain_rps = self.drain_rps(window);
        let ratio = self.queue_ratio(window, drain_rps).max(window.store_ratio);
        // While everything is let in, a queue that was not there a tick ago is a stall of the
        // machine until the estimate settles: what came meanwhile is worked off, and refusing does not help.
        let last_ratio = std::mem::replace(&mut self.last_ratio, ratio);
        let queue_ratio = match self.allowed_rps {
            None => ratio.min(last_ratio),
            Some(_) => ratio,
        };
        self.learn_base_latency(window, queue_ratio);
        if queue_ratio > 1.0 {
            let share = (1.0 - FALL_PER_TARGET * (queue_ratio - 1.0)).clamp(FALL_FLOOR, 1.0);
            self.allowed_rps = Some((drain_rps * share).max(1.0));
        } else {
            self.grow(window, queue_ratio);
        }
        Setting {
            cursor: self.cursor(),
            limit: self.limit(drain_rps),
            queue_ratio,
        }
    }

    fn cursor(&self) -> u32 {
        match self.allowed_rps {
            None => POSITIONS as u32,
            Some(rps) => self.arrivals.position_of(rps).max(CURSOR_FLOOR),
        }
    }

    fn limit(&self, drain_rps: f64) -> u32 {
        if self.allowed_rps.is_none() {
            return LIMIT_OPEN;
        }
        let held = 1.3 * drain_rps * (self.base_latency_s + self.burst_s);
        (held.max(LIMIT_FLOOR) as u32).min(LIMIT_OPEN)
    }

    fn grow(&mut self, window: &Window<'_>, queue_ratio: f64) {
        let Some(rps) = self.allowed_rps else { return };
        let ticks = window.dt.as_secs_f64() / 0.1;
        let total_rps = self.arrivals.total_rps();
        // An allowance far above what comes says nothing about what the pod can do.
        let grown = rps.min(1.2 * total_rps.max(1.0))
            * (1.0 + GROWTH_PER_100_MS * (1.0 - queue_ratio) * ticks);
        // A closed cursor moves by two positions at least, however few requests come.
        let two_more = self.arrivals.below_rps(self.cursor() + 2);
        let next = grown.max(two_more);
        let open = next > 1.15 * total_rps && queue_ratio < 0.5;
        self.allowed_rps = (!open).then_some(next);
    }

    fn drain_rps(&mut self, window: &Window<'_>) -> f64 {
        let dt_s = window.dt.as_secs_f64().max(1e-3);
        self.drained
            .push_front((dt_s, f64::from(window.completions)));
        let held_s: f64 = self.drained.iter().map(|(dt_s, _)| dt_s).sum();
        if held_s - self.drained.back().map_or(0.0, |(dt_s, _)| *dt_s) > 2.0 * DRAIN_WINDOW_S {
            self.drained.pop_back();
        }
        (0..self.drained.len())
            .filter_map(|from| mean_rps(self.drained.iter().skip(from)))
            .fold(0.0, f64::max)
    }

    fn queue_ratio(&self, window: &Window<'_>, drain_rps: f64) -> f64 {
        let expected = drain_rps * (self.base_latency_s + self.burst_s);
        let backlog = f64::from(window.in_flight) > LIMIT_FLOOR + 2.0 * expected;
        if window.cpu_share < OWN_CPU_SHARE && !backlog {
            return 0.0;
        }
        window.wait.as_secs_f64() / self.target_s
    }

    fn learn_base_latency(&mut self, window: &Window<'_>, queue_ratio: f64) {
        // Learnt only while nothing queues: a baseline taken under load drifts upwards for ever.
        if queue_ratio >= 0.5 || window.completions < 10 {
            return;
        }
        let mean_s = window.latency.as_secs_f64() / f64::from(window.completions);
        self.base_latency_s = if self.base_latency_s > 0.0 {
            0.95 * self.base_latency_s + 0.05 * mean_s
        } else {
            mean_s
        };
    }
}

/// Mean over the window that starts with the iterator's first tick, if it is covered.
fn mean_rps<'a>(ticks: impl Iterator<Item = &'a (f64, f64)>) -> Option<f64> {
    let mut time_s = 0.0;
    let mut completed = 0.0;
    for (dt_s, completions) in ticks {
        time_s += dt_s;
        completed += completions;
        if time_s >= DRAIN_WINDOW_S - 1e-6 {
            return Some(completed / time_s);
        }
    }
    // Right after the start there is less than a window; half of one is better than nothing.
    (time_s >= DRAIN_WINDOW_S / 2.0).then_some(completed / time_s)
}

#[cfg(test)]
mod tests;
