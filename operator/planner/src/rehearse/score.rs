//! What is counted, minute by minute, and what comes of it.

use floodgate_forecast::UnixMillis;
use floodgate_words::Level;
use serde::Serialize;

use crate::{
    rehearse::{
        fleet::Fleet,
        rehearsal::Rehearsal,
        samples::{Sample, Sampler},
        service::Outcome,
    },
    sale::phases,
};

/// A minute in which more than this share of requests is refused or late violates the objective.
const BAD_SHARE: f64 = 0.01;
/// Seconds before T0 that belong to an event: capacity that waits for it is not idle.
const EVENT_LEAD_S: i64 = 900;

/// Figures of one policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Minutes in which more than 1 % of the requests were refused or waited too long.
    pub slo_violation_minutes: u32,
    /// Requests refused over requests offered.
    pub unserved_ratio: f64,
    /// Longest wait in a queue, milliseconds.
    pub worst_queue_delay_ms: f64,
    /// Pods that existed, times hours.
    pub pod_hours: f64,
    /// The same over what the oracle used.
    pub pod_hours_vs_oracle: f64,
    /// Times the desired replicas changed.
    pub scale_actions: u32,
    /// Changes of direction within a stabilisation window of the last change.
    pub reversals: u32,
    /// Most of them within one stabilisation window.
    pub reversals_per_window_max: u32,
    /// Warm pods at T0 over the pods that the load of the first minute needs, at most 1; the mean
    /// over all announced phases. `None` without one.
    pub warm_share_at_t0: Option<f64>,
    /// The least of them.
    pub warm_share_at_t0_least: Option<f64>,
    /// Pods beyond what the load needs at target utilisation over all pods, outside events.
    pub idle_ratio: f64,
}

/// The outcome of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the policy.
    pub name: &'static str,
    /// Its figures.
    pub score: Score,
    /// For a chart.
    pub samples: Vec<Sample>,
    /// The time around the hardest T0 for another; empty without one.
    pub around_t0: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    offered: f64,
    bad: f64,
}

/// Counts one policy.
pub(super) struct Tally<'a> {
    rehearsal: &'a Rehearsal,
    step_s: f64,
    score: Score,
    minute: Minute,
    offered: f64,
    refused: f64,
    idle_pods: f64,
    all_pods: f64,
    /// Phases that lie ahead, the next one last, and the shares of those that began.
    ahead: Vec<UnixMillis>,
    shares: Vec<f64>,
    /// Spans that belong to events, sorted, and the first that is not over.
    events: Vec<(UnixMillis, UnixMillis)>,
    event: usize,
    /// Last scale action: when, and whether it went up.
    action: Option<(UnixMillis, bool)>,
    reversals: Vec<UnixMillis>,
    samples: [Sampler; 2],
}

impl<'a> Tally<'a> {
    pub(super) fn new(rehearsal: &'a Rehearsal) -> Self {
        let from = rehearsal.traffic.rehearsed_from();
        let announced = || phases(&rehearsal.sales).map(|(_, phase)| phase);
        let mut ahead: Vec<UnixMillis> = announced()
            .map(|phase| phase.t0)
            .filter(|t0| *t0 > from && *t0 < rehearsal.traffic.end())
            .collect();
        ahead.sort_unstable();
        ahead.dedup();
        ahead.reverse();
        let surges = rehearsal.traffic.surges().iter();
        let mut events: Vec<(UnixMillis, UnixMillis)> = announced()
            .map(|phase| (phase.t0, phase.until))
            .chain(surges.map(|surge| (surge.t0, surge.until())))
            .map(|(t0, until)| (t0.plus_s(-EVENT_LEAD_S), until))
            .collect();
        events.sort_unstable();
        Self {
            rehearsal,
            step_s: f64::from(rehearsal.step_s()),
            score: Score::default(),
            minute: Minute::default(),
            offered: 0.0,
            refused: 0.0,
            idle_pods: 0.0,
            all_pods: 0.0,
            ahead,
            shares: Vec::new(),
            events,
            event: 0,
            action: None,
            reversals: Vec::new(),
            samples: [Sampler::of_all(rehearsal), Sampler::of_t0(rehearsal)],
        }
    }

    /// Takes one step that began at `at`, with the level imposed in it.
    pub(super) fn step(&mut self, at: UnixMillis, outcome: &Outcome, fleet: &Fleet, level: Level) {
        let pods = fleet.pods();
        self.score.pod_hours += f64::from(pods) * self.step_s / 3_600.0;
        let load_rps = outcome.offered / self.step_s;
        if self.rehearsal.traffic.is_observed(at) {
            self.offered += outcome.offered;
            self.refused += outcome.refused;
            self.minute.offered += outcome.offered;
            self.minute.bad += outcome.refused + outcome.late;
            self.score.worst_queue_delay_ms = self.score.worst_queue_delay_ms.max(outcome.delay_ms);
            self.idle(at, load_rps, pods);
        }
        while self.ahead.last().is_some_and(|t0| *t0 <= at) {
            self.ahead.pop();
            self.at_t0(at, fleet.warm());
        }
        for samples in &mut self.samples {
            samples.step(at, load_rps, fleet, level);
        }
        let step_ms = (self.step_s * 1_000.0) as i64;
        if at.0.rem_euclid(60_000) + step_ms >= 60_000 {
            self.end_minute(UnixMillis(at.0 + step_ms));
        }
    }

    fn idle(&mut self, at: UnixMillis, load_rps: f64, pods: u32) {
        while self
            .events
            .get(self.event)
            .is_some_and(|(_, until)| *until <= at)
        {
            self.event += 1;
        }
        // Events may overlap; a later one can begin before an earlier one ends.
        let near = self.events[self.event..].iter().take(8);
        if near.clone().any(|(from, until)| *from <= at && at < *until) {
            return;
        }
        let scaling = &self.rehearsal.settings.scaling;
        let needed = scaling.replicas_for(load_rps).unwrap_or(0);
        let needed = needed.max(scaling.replicas_min);
        self.idle_pods += f64::from(pods.saturating_sub(needed));
        self.all_pods += f64::from(pods);
    }

    fn at_t0(&mut self, t0: UnixMillis, warm: u32) {
        let first_minute = (0..=60).map(|second| self.rehearsal.traffic.rate_at(t0.plus_s(second)));
        let load_rps = first_minute.fold(0.0, f64::max);
        let needed = (load_rps / self.rehearsal.settings.scaling.full_rps()).ceil();
        self.shares.push(if needed > 0.0 {
            (f64::from(warm) / needed).min(1.0)
        } else {
            1.0
        });
    }

    fn end_minute(&mut self, at: UnixMillis) {
        let Minute { offered, bad } = std::mem::take(&mut self.minute);
        if offered > 0.0 && bad > offered * BAD_SHARE {
            self.score.slo_violation_minutes += 1;
            for samples in &mut self.samples {
                samples.bad_minute(at);
            }
        }
    }

    /// Notes that the desired replicas changed.
    pub(super) fn scaled(&mut self, at: UnixMillis, from: u32, to: u32) {
        let up = to > from;
        self.score.scale_actions += 1;
        let window_s =
            i64::from(self.rehearsal.settings.scaling.scale_down_stabilisation_s).max(60);
        if let Some((last, was_up)) = self.action
            && was_up != up
            && at.seconds_since(last) < window_s
        {
            self.score.reversals += 1;
            self.reversals.push(at);
            self.reversals
                .retain(|one| at.seconds_since(*one) < window_s);
            let now = u32::try_from(self.reversals.len()).unwrap_or(u32::MAX);
            self.score.reversals_per_window_max = self.score.reversals_per_window_max.max(now);
        }
        self.action = Some((at, up));
    }

    /// The report; the share against the oracle is filled in when all are known.
    pub(super) fn report(mut self, name: &'static str) -> Report {
        self.end_minute(self.rehearsal.traffic.end());
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let count = self.shares.len() as f64;
        let known = !self.shares.is_empty();
        let score = Score {
            unserved_ratio: ratio(self.refused, self.offered),
            idle_ratio: ratio(self.idle_pods, self.all_pods),
            warm_share_at_t0: known.then(|| self.shares.iter().sum::<f64>() / count),
            warm_share_at_t0_least: self.shares.iter().copied().reduce(f64::min),
            ..self.score
        };
        let [samples, around_t0] = self.samples.map(Sampler::samples);
        Report {
            name,
            score,
            samples,
            around_t0,
        }
    }
}
