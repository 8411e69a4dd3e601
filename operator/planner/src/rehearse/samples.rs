//! Points of a chart: the whole rehearsal in even spans, and the time around one T0 in short ones.

use floodgate_forecast::UnixMillis;
use floodgate_words::Level;
use serde::Serialize;

use crate::{
    rehearse::{fleet::Fleet, rehearsal::Rehearsal},
    sale::phases,
};

/// Points of the whole rehearsal, at most.
const SAMPLES: i64 = 1_200;
/// The time around a T0: from so long before to so long after it, seconds, and one point of it.
const BEFORE_S: i64 = 600;
const AFTER_S: i64 = 3_000;
const NEAR_S: i64 = 10;
/// After a T0 its load is looked at for so long, seconds.
const HARD_S: i64 = 900;

/// One point of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// When.
    pub at: UnixMillis,
    /// Largest load in the span of the point, requests/s.
    pub load_rps: f64,
    /// Pods that were warm at its end.
    pub warm: u32,
    /// Most pods that existed.
    pub pods: u32,
    /// Minutes of it that violated the objective; 1 in a span within such a minute.
    pub bad_minutes: u32,
    /// Highest level that was imposed.
    pub level: Level,
}

impl Rehearsal {
    /// The T0, announced or not, after which the most comes: what a chart shows from near. `None`
    /// where nothing happens at a known time.
    pub fn hardest_t0(&self) -> Option<UnixMillis> {
        let (from, end) = (self.traffic.rehearsed_from(), self.traffic.end());
        let announced = phases(&self.sales).map(|(_, phase)| phase.t0);
        let surges = self.traffic.surges().iter().map(|surge| surge.t0);
        let inside = announced.chain(surges).filter(|t0| from < *t0 && *t0 < end);
        let peak_rps = |t0: UnixMillis| {
            let after = (0..=HARD_S).step_by(10);
            after
                .map(|after_s| self.traffic.rate_at(t0.plus_s(after_s)))
                .fold(0.0, f64::max)
        };
        let harder = |best: (UnixMillis, f64), other: (UnixMillis, f64)| {
            if other.1 > best.1 { other } else { best }
        };
        let all = inside.map(|t0| (t0, peak_rps(t0)));
        all.reduce(harder).map(|(t0, _)| t0)
    }

    /// What is shown from near: from before the hardest T0 to after it.
    pub fn hardest_span(&self) -> Option<(UnixMillis, UnixMillis)> {
        let t0 = self.hardest_t0()?;
        Some((t0.plus_s(-BEFORE_S), t0.plus_s(AFTER_S)))
    }
}

/// Takes samples of one span.
pub(super) struct Sampler {
    from: UnixMillis,
    until: UnixMillis,
    each_s: i64,
    done: Vec<Sample>,
    open: Option<Sample>,
}

impl Sampler {
    /// All of the rehearsal.
    pub(super) fn of_all(rehearsal: &Rehearsal) -> Self {
        let traffic = &rehearsal.traffic;
        Self {
            from: traffic.rehearsed_from(),
            until: traffic.end(),
            each_s: (traffic.rehearsed_s() / SAMPLES).max(60),
            done: Vec::new(),
            open: None,
        }
    }

    /// The time around the hardest T0; nothing where there is none.
    pub(super) fn of_t0(rehearsal: &Rehearsal) -> Self {
        let never = (rehearsal.traffic.end(), rehearsal.traffic.end());
        let (from, until) = rehearsal.hardest_span().unwrap_or(never);
        Self {
            from,
            until,
            each_s: NEAR_S,
            done: Vec::new(),
            open: None,
        }
    }

    /// Takes one step that began at `at`.
    pub(super) fn step(&mut self, at: UnixMillis, load_rps: f64, fleet: &Fleet, level: Level) {
        if at < self.from || at >= self.until {
            return;
        }
        let due = |sample: &mut Sample| at.seconds_since(sample.at) >= self.each_s;
        self.done.extend(self.open.take_if(due));
        let pods = fleet.pods();
        let sample = self.open.get_or_insert(Sample {
            at,
            load_rps,
            warm: 0,
            pods,
            bad_minutes: 0,
            level,
        });
        sample.load_rps = sample.load_rps.max(load_rps);
        sample.pods = sample.pods.max(pods);
        sample.warm = fleet.warm();
        sample.level = sample.level.max(level);
    }

    /// The minute that ends at `until` violated the objective.
    pub(super) fn bad_minute(&mut self, until: UnixMillis) {
        if until <= self.from || until > self.until {
            return;
        }
        if self.each_s >= 60 {
            self.open.iter_mut().for_each(|open| open.bad_minutes += 1);
            return;
        }
        let within = |sample: &&mut Sample| until.seconds_since(sample.at) <= 60;
        let newest = self.open.iter_mut().chain(self.done.iter_mut().rev());
        newest
            .take_while(within)
            .for_each(|sample| sample.bad_minutes = 1);
    }

    /// Every sample.
    pub(super) fn samples(mut self) -> Vec<Sample> {
        self.done.extend(self.open);
        self.done
    }
}
