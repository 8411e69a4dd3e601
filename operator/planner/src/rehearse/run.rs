//! The loop of virtual time, and the policies side by side on threads.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use floodgate_forecast::UnixMillis;

use super::calendar::Calendar;
use super::chance;
use super::fleet::Fleet;
use super::outlook::Outlooks;
use super::policy::{PolicyKind, Seen};
use super::score::{Report, Tally};
use super::sensors::Sensors;
use super::service::Service;
use super::{Rehearsal, World};
use crate::Level;

/// Most threads; the result does not depend on it.
const THREADS_MAX: usize = 8;

/// Nobody decides earlier than this, seconds.
const SETTLE_S: i64 = 90;

/// What every policy meets alike, and what those that know more are given.
pub(super) struct Stage<'a> {
    pub(super) rehearsal: &'a Rehearsal,
    pub(super) calendar: &'a Calendar,
    pub(super) outlooks: &'a Outlooks,
    /// The world of the rehearsal with the seed of this run.
    world: World,
    /// Seconds after the start at which a pod dies, and at which the metrics store fails.
    pods_lost_s: Vec<i64>,
    metrics_lost_s: Vec<i64>,
}

/// Runs the policies, and the oracle in any case.
pub(super) fn all(
    rehearsal: &Rehearsal,
    kinds: &[PolicyKind],
    seeds: u32,
    progress: &(dyn Fn(f64) + Sync),
) -> Vec<Vec<Report>> {
    let calendar = Calendar::read(rehearsal);
    // What comes by chance is in no forecast, so one serves every seed.
    let outlooks = if kinds.contains(&PolicyKind::Floodgate) {
        Outlooks::make(rehearsal, &|share| progress(share / 2.0))
    } else {
        Outlooks::default()
    };
    let stages: Vec<Stage<'_>> = (0..u64::from(seeds.max(1)))
        .map(|after| Stage::new(rehearsal, &calendar, &outlooks, after))
        .collect();
    let mut wanted: Vec<PolicyKind> = kinds.to_vec();
    if !wanted.contains(&PolicyKind::Oracle) {
        wanted.push(PolicyKind::Oracle);
    }
    let done = AtomicUsize::new(0);
    let count = stages.len() * wanted.len();
    let mut reports = spread(count, |index| {
        let report = one(&stages[index / wanted.len()], wanted[index % wanted.len()]);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(0.5 + 0.5 * done as f64 / count as f64);
        report
    })
    .into_iter();
    let runs = stages.iter().map(|_| {
        let of_seed = reports.by_ref().take(wanted.len()).collect();
        against_oracle(of_seed, kinds)
    });
    runs.collect()
}

/// Fills in the shares against the oracle, and leaves it out where nobody asked for it.
fn against_oracle(mut reports: Vec<Report>, kinds: &[PolicyKind]) -> Vec<Report> {
    let oracle = PolicyKind::Oracle.name();
    let best = reports
        .iter()
        .find(|report| report.name == oracle)
        .map_or(0.0, |report| report.score.pod_hours);
    for report in &mut reports {
        if best > 0.0 {
            report.score.pod_hours_vs_oracle = report.score.pod_hours / best;
        }
    }
    reports.retain(|report| kinds.iter().any(|kind| kind.name() == report.name));
    reports
}

/// Does `count` pieces of work on as many threads as there are cores; results keep their order.
pub(super) fn spread<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(THREADS_MAX).min(count) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    let result = work(index);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Rehearses one policy.
fn one(stage: &Stage<'_>, kind: PolicyKind) -> Report {
    let rehearsal = stage.rehearsal;
    let (traffic, world) = (&rehearsal.traffic, &stage.world);
    let scaling = &rehearsal.settings.scaling;
    let (from, step_s) = (traffic.rehearsed_from(), rehearsal.step_s());
    let most = scaling.replicas_max.max(scaling.replicas_min);
    let replicas = scaling
        .replicas_for(traffic.rate_at(from))
        .unwrap_or(0)
        .clamp(scaling.replicas_min, most);
    let mut policy = kind.make(stage);
    let mut fleet = Fleet::new(*world, kind.prewarms(), replicas);
    let mut service = Service::new(*world, scaling.full_rps(), f64::from(step_s));
    let mut sensors = Sensors::new(world, step_s, from);
    let mut tally = Tally::new(rehearsal);
    let mut losses: VecDeque<i64> = stage.pods_lost_s.iter().copied().collect();
    let mut level = Level::NORMAL;
    let mut next_tick_s = SETTLE_S.max(sensors.filled_s());
    for elapsed_s in (0..traffic.rehearsed_s()).step_by(step_s as usize) {
        let at = from.plus_s(elapsed_s);
        fleet.advance(at);
        while losses.front().is_some_and(|lost_s| *lost_s <= elapsed_s) {
            losses.pop_front();
            fleet.lose_one(at);
        }
        let offered_rps = traffic.offered_at(at, step_s, world.seed);
        let outcome = service.step(at, offered_rps, &fleet, level);
        let now = at.plus_s(i64::from(step_s));
        sensors.record(now, outcome.offered, outcome.used);
        tally.step(at, &outcome, &fleet, level);
        if elapsed_s < next_tick_s {
            continue;
        }
        // Counted from when it was due, or a tick of 15 s would come each 16 at a step of 2 s.
        next_tick_s += policy.tick_s();
        fleet.advance(now);
        let order = policy.decide(&Seen {
            now,
            sensors: &sensors,
            metrics_lost: stage.metrics_lost(elapsed_s),
            desired: fleet.desired(),
            ready: fleet.ready(now),
            warm: fleet.warm(),
            pending: fleet.pending(),
        });
        let wanted = order.replicas.clamp(scaling.replicas_min, most);
        level = order.level;
        if wanted != fleet.desired() {
            tally.scaled(now, fleet.desired(), wanted);
            fleet.order(now, wanted);
        }
    }
    tally.report(kind.name())
}

impl<'a> Stage<'a> {
    /// The stage of the seed that is `after` that of the rehearsal.
    fn new(
        rehearsal: &'a Rehearsal,
        calendar: &'a Calendar,
        outlooks: &'a Outlooks,
        after: u64,
    ) -> Self {
        let world = World {
            seed: rehearsal.world.seed.wrapping_add(after),
            ..rehearsal.world
        };
        let span_s = rehearsal.traffic.rehearsed_s();
        let instants = |lane, per_day| chance::instants_s(world.seed, lane, per_day, span_s);
        Self {
            rehearsal,
            calendar,
            outlooks,
            world,
            pods_lost_s: instants(4, world.pods_lost_per_day),
            metrics_lost_s: instants(5, world.metric_losses_per_day),
        }
    }

    fn metrics_lost(&self, elapsed_s: i64) -> bool {
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
