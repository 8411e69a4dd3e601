//! What becomes of the requests of one step: served, delayed, refused.
//!
//! A fluid model: requests are spread evenly over the Ready pods, as a Service does; what the warm
//! or the cold ones cannot take waits with them, and beyond the bound of the queue is refused.

use floodgate_forecast::UnixMillis;
use floodgate_words::Level;

use crate::rehearse::{fleet::Fleet, world::World};

/// Share of the requests that a level turns off, whatever the load: none, none, the least important
/// class (account reads), refunds too, everything but what was started. Which class a level turns off
/// is the contract's; the shares are those of the default mix of `payment-load`.
const OFF: [f64; 5] = [0.0, 0.0, 0.15, 0.20, 0.95];
/// Share of the least important class, which Guard thins out instead of turning it off.
const LEAST: f64 = 0.15;
/// CPU use from which Guard thins that class out, and the use beyond it at which all of it would
/// be refused: the ramp in the gate of `payment-svc`.
const RAMP_FROM: f64 = 0.95;
const RAMP_WIDTH: f64 = 0.20;

/// What became of one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Requests that came.
    pub(super) offered: f64,
    /// Requests that were refused.
    pub(super) refused: f64,
    /// Requests that were served too late.
    pub(super) late: f64,
    /// Longest wait, milliseconds.
    pub(super) delay_ms: f64,
    /// Mean CPU use of the Ready pods as a share of their limit, 0..=1.
    pub(super) used: f64,
}

/// Queues of the warm and of the cold pods.
#[derive(Clone, Debug)]
pub(super) struct Service {
    world: World,
    full_rps: f64,
    step_s: f64,
    warm_queue: f64,
    cold_queue: f64,
    /// CPU use of the last step, a share of the limit.
    used: f64,
}

impl Service {
    /// `full_rps` is what a warm pod holds at most.
    pub(super) const fn new(world: World, full_rps: f64, step_s: f64) -> Self {
        Self {
            world,
            full_rps,
            step_s,
            warm_queue: 0.0,
            cold_queue: 0.0,
            used: 0.0,
        }
    }

    /// Share of the requests that the pods refuse because a level is imposed on them.
    fn refused_by_plan(&self, level: Level) -> f64 {
        let thinned = if level == Level::Guard {
            LEAST * ((self.used - RAMP_FROM) / RAMP_WIDTH).clamp(0.0, 1.0)
        } else {
            0.0
        };
        OFF[usize::from(level.index())] + thinned
    }

    /// Serves one step.
    pub(super) fn step(
        &mut self,
        now: UnixMillis,
        offered_rps: f64,
        fleet: &Fleet,
        level: Level,
    ) -> Outcome {
        let offered = offered_rps * self.step_s;
        let planned = offered * self.refused_by_plan(level);
        let (cold, cold_worth) = fleet
            .cold(now)
            .fold((0, 0.0), |(pods, sum), (more, share)| {
                (pods + more, sum + f64::from(more) * share)
            });
        let ready = fleet.warm() + cold;
        if ready == 0 {
            self.warm_queue = 0.0;
            self.cold_queue = 0.0;
            return Outcome {
                offered,
                refused: offered,
                ..Outcome::default()
            };
        }
        let mut warm_queue = std::mem::take(&mut self.warm_queue);
        let mut cold_queue = std::mem::take(&mut self.cold_queue);
        if cold == 0 {
            warm_queue += std::mem::take(&mut cold_queue);
        }
        let each = (offered - planned) / f64::from(ready);
        let pods = f64::from(fleet.warm());
        let warm = self.serve(&mut warm_queue, each * pods, pods);
        let cold_pods = self.serve(&mut cold_queue, each * f64::from(cold), cold_worth);
        self.warm_queue = warm_queue;
        self.cold_queue = cold_queue;
        self.used = (warm.used * pods + cold_pods.used * f64::from(cold)) / f64::from(ready);
        Outcome {
            offered,
            refused: planned + warm.refused + cold_pods.refused,
            late: warm.late + cold_pods.late,
            delay_ms: warm.delay_ms.max(cold_pods.delay_ms),
            used: self.used,
        }
    }

    /// Serves `arriving` requests and those that wait, with pods worth `pods` warm ones.
    fn serve(&self, queue: &mut f64, arriving: f64, pods: f64) -> Outcome {
        let holds_rps = pods * self.full_rps;
        if holds_rps <= 0.0 {
            let refused = arriving + std::mem::take(queue);
            return Outcome {
                refused,
                ..Outcome::default()
            };
        }
        let holds = holds_rps * self.step_s;
        let work = *queue + arriving;
        let waiting = (work - holds).max(0.0);
        *queue = waiting.min(holds_rps * self.world.queue_s);
        let refused = waiting - *queue;
        let delay_ms = *queue / holds_rps * 1_000.0;
        let is_late = delay_ms > self.world.slo_delay_ms;
        Outcome {
            offered: arriving,
            refused,
            late: if is_late {
                (arriving - refused).max(0.0)
            } else {
                0.0
            },
            delay_ms,
            used: (work / holds).min(1.0),
        }
    }
}
