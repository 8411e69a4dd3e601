//! The loop of virtual time, and the policies side by side on threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use floodgate_words::Level;

use crate::rehearse::{
    calendar::Calendar,
    fleet::Fleet,
    forecasts::Forecasts,
    parallel::in_parallel,
    policies::PolicyKind,
    policy::Seen,
    rehearsal::Rehearsal,
    scenario::Scenario,
    score::{Report, Tally},
    sensors::Sensors,
    service::Service,
};

/// Nobody decides earlier than this, seconds.
const SETTLE_S: i64 = 90;

impl Rehearsal {
    /// Runs each policy and gives its report, in the order asked for.
    ///
    /// The oracle always runs, because the others are measured against it.
    pub fn run(&self, kinds: &[PolicyKind], progress: &(dyn Fn(f64) + Sync)) -> Vec<Report> {
        let mut runs = self.run_seeds(kinds, 1, progress);
        runs.pop().unwrap_or_default()
    }

    /// The same with `seeds` seeds, that of the world and those after it: what happens by chance
    /// differs, what comes and what is forecast does not.
    pub fn run_seeds(
        &self,
        kinds: &[PolicyKind],
        seeds: u32,
        progress: &(dyn Fn(f64) + Sync),
    ) -> Vec<Vec<Report>> {
        all(self, kinds, seeds, progress)
    }
}

/// Runs the policies, and the oracle in any case.
fn all(
    rehearsal: &Rehearsal,
    kinds: &[PolicyKind],
    seeds: u32,
    progress: &(dyn Fn(f64) + Sync),
) -> Vec<Vec<Report>> {
    let calendar = Calendar::read(rehearsal);
    // What comes by chance is in no forecast, so one serves every seed.
    let forecasts = if kinds.contains(&PolicyKind::Floodgate) {
        Forecasts::make(rehearsal, &|share| progress(share / 2.0))
    } else {
        Forecasts::default()
    };
    let scenarios: Vec<Scenario<'_>> = (0..u64::from(seeds.max(1)))
        .map(|after| Scenario::new(rehearsal, &calendar, &forecasts, after))
        .collect();
    let mut wanted: Vec<PolicyKind> = kinds.to_vec();
    if !wanted.contains(&PolicyKind::Oracle) {
        wanted.push(PolicyKind::Oracle);
    }
    let done = AtomicUsize::new(0);
    let count = scenarios.len() * wanted.len();
    let mut reports = in_parallel(count, |index| {
        let report = one(
            &scenarios[index / wanted.len()],
            wanted[index % wanted.len()],
        );
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(0.5 + 0.5 * done as f64 / count as f64);
        report
    })
    .into_iter();
    let runs = scenarios.iter().map(|_| {
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

/// Rehearses one policy.
fn one(scenario: &Scenario<'_>, kind: PolicyKind) -> Report {
    let rehearsal = scenario.rehearsal;
    let (traffic, world) = (&rehearsal.traffic, &scenario.world);
    let scaling = &rehearsal.settings.scaling;
    let (from, step_s) = (traffic.rehearsed_from(), rehearsal.step_s());
    let most = scaling.replicas_max.max(scaling.replicas_min);
    let replicas = scaling
        .replicas_for(traffic.rate_at(from))
        .unwrap_or(0)
        .clamp(scaling.replicas_min, most);
    let mut policy = kind.make(scenario);
    let mut fleet = Fleet::new(*world, kind.prewarms(), replicas);
    let mut service = Service::new(*world, scaling.full_rps(), f64::from(step_s));
    let mut sensors = Sensors::new(world, step_s, from);
    let mut tally = Tally::new(rehearsal);
    let mut losses: VecDeque<i64> = scenario.pods_lost_s.iter().copied().collect();
    let mut level = Level::Normal;
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
        let ready = fleet.ready(now);
        let order = policy.decide(&Seen {
            now,
            sensors: &sensors,
            metrics_lost: scenario.metrics_lost(elapsed_s),
            desired: fleet.desired(),
            ready,
            scraped: ready.saturating_sub(world.unscraped_pods),
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
