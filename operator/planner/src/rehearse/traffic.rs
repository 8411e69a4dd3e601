//! The load that comes: a trace, its part before the rehearsal, and surges laid over it.
//!
//! Invariant: every value is finite and not negative; steps the trace did not observe carry a
//! filled value, so that virtual time goes on, and are never scored.

use floodgate_forecast::UnixMillis;
use thiserror::Error;

use crate::rehearse::noise;

/// Gaps up to this are bridged by a straight line, seconds; longer ones take the day before.
const BRIDGE_S: u32 = 1_800;
/// Requests come in clusters: their variance is this many times that of independent ones.
const OVERDISPERSION: f64 = 2.0;
/// Most steps: two years of minutes.
const STEPS_MAX: i64 = 2 * 366 * 1_440;
/// A surge is at its height this long after T0, seconds.
const SURGE_RAMP_S: i64 = 10;
/// A surge stays at its height until this long after T0, seconds.
const SURGE_HOLD_S: i64 = 900;
/// Then what is above the usual load halves in each such time, seconds.
const SURGE_HALF_LIFE_S: f64 = 900.0;
/// A surge is over this long after T0, seconds.
const SURGE_S: i64 = 7_200;

/// Why a trace cannot be rehearsed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TrafficError {
    /// Too few observations.
    #[error("the trace spans {hours} h; must span at least 2 h")]
    TooShort {
        /// What it spans.
        hours: i64,
    },
    /// Too many steps.
    #[error("the trace has {steps} steps; must have at most {STEPS_MAX}")]
    TooLong {
        /// What it has.
        steps: i64,
    },
    /// Nothing to rehearse with.
    #[error("the trace has no load above 0")]
    Idle,
}

/// A load that an event multiplies: up within seconds of T0, level for a quarter of an hour, then
/// halving every quarter of an hour until two hours after T0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surge {
    /// The second at which it starts.
    pub t0: UnixMillis,
    /// How many times the usual load comes at its height; at least 1.
    pub factor: f64,
}

impl Surge {
    /// When it is over.
    pub const fn until(&self) -> UnixMillis {
        self.t0.plus_s(SURGE_S)
    }

    /// Times the usual load, at an instant.
    pub fn factor_at(&self, at: UnixMillis) -> f64 {
        let since_s = (at.0 - self.t0.0) as f64 / 1_000.0;
        if since_s < 0.0 || since_s >= SURGE_S as f64 {
            return 1.0;
        }
        let ramp_s = SURGE_RAMP_S as f64;
        let hold_s = SURGE_HOLD_S as f64;
        let share = if since_s < ramp_s {
            since_s / ramp_s
        } else if since_s < hold_s {
            1.0
        } else {
            0.5_f64.powf((since_s - hold_s) / SURGE_HALF_LIFE_S)
        };
        1.0 + (self.factor - 1.0) * share
    }
}

/// Offered load over the whole trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    start: UnixMillis,
    step_s: u32,
    rps: Vec<f64>,
    observed: Vec<bool>,
    /// Steps that are history.
    history: usize,
    surges: Vec<Surge>,
}

impl Traffic {
    /// Puts rates on a grid; the first `history_s` seconds, at most half, are history.
    pub fn new(
        step_s: u32,
        samples: &[(UnixMillis, Option<f64>)],
        history_s: i64,
    ) -> Result<Self, TrafficError> {
        let (Some((first, _)), Some((last, _))) = (samples.first(), samples.last()) else {
            return Err(TrafficError::TooShort { hours: 0 });
        };
        let span_s = last.seconds_since(*first);
        if span_s < 7_200 {
            let hours = span_s / 3_600;
            return Err(TrafficError::TooShort { hours });
        }
        let steps = span_s / i64::from(step_s.max(1)) + 1;
        if steps > STEPS_MAX {
            return Err(TrafficError::TooLong { steps });
        }
        let mut rps = vec![f64::NAN; usize::try_from(steps).unwrap_or(0)];
        for (at, rate) in samples {
            let index = at.seconds_since(*first) / i64::from(step_s.max(1));
            let slot = usize::try_from(index).ok().and_then(|at| rps.get_mut(at));
            if let (Some(slot), Some(rate)) = (slot, rate.filter(|rate| rate.is_finite())) {
                *slot = rate.max(0.0);
            }
        }
        if !rps.iter().any(|rate| *rate > 0.0) {
            return Err(TrafficError::Idle);
        }
        let observed: Vec<bool> = rps.iter().map(|rate| !rate.is_nan()).collect();
        fill(&mut rps, step_s.max(1));
        let half = rps.len() / 2;
        let history = usize::try_from(history_s / i64::from(step_s.max(1))).unwrap_or(half);
        Ok(Self {
            start: *first,
            step_s: step_s.max(1),
            rps,
            observed,
            history: history.min(half),
            surges: Vec::new(),
        })
    }

    /// The same load with a surge laid over it.
    #[must_use]
    pub fn with_surge(mut self, surge: Surge) -> Self {
        self.surges.push(surge);
        self
    }

    /// The same load, each rate multiplied.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for rate in &mut self.rps {
            *rate *= factor;
        }
        self
    }

    /// The same load, moved in time.
    #[must_use]
    pub fn moved(mut self, seconds: i64) -> Self {
        self.start = self.start.plus_s(seconds);
        for surge in &mut self.surges {
            surge.t0 = surge.t0.plus_s(seconds);
        }
        self
    }

    /// First instant of the trace.
    pub const fn start(&self) -> UnixMillis {
        self.start
    }

    /// First instant that is rehearsed.
    pub fn rehearsed_from(&self) -> UnixMillis {
        self.at(self.history)
    }

    /// End of the rehearsal.
    pub fn end(&self) -> UnixMillis {
        self.at(self.rps.len())
    }

    /// Length of the rehearsal, seconds.
    pub fn rehearsed_s(&self) -> i64 {
        self.end().seconds_since(self.rehearsed_from())
    }

    /// Seconds of one step of the trace.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// Surges laid over it.
    pub fn surges(&self) -> &[Surge] {
        &self.surges
    }

    /// Largest rate of the rehearsed part, surges included, requests/s.
    pub fn peak_rps(&self) -> f64 {
        let steps = self.history..self.rps.len();
        let plain = steps.map(|index| self.rps[index] * self.surge_at(self.at(index)));
        let at_surges = self.surges.iter().map(|surge| {
            let top = surge.t0.plus_s(SURGE_RAMP_S);
            self.rate_at(top)
        });
        plain.chain(at_surges).fold(0.0, f64::max)
    }

    /// Rate offered at an instant without chance, surges included, requests/s.
    pub fn rate_at(&self, at: UnixMillis) -> f64 {
        self.usual_at(at) * self.surge_at(at)
    }

    /// Rate offered at an instant without surges and chance, requests/s.
    pub fn usual_at(&self, at: UnixMillis) -> f64 {
        let step_ms = i64::from(self.step_s) * 1_000;
        let since = (at.0 - self.start.0).max(0);
        let last = self.rps.len() - 1;
        let index = usize::try_from(since / step_ms).unwrap_or(last).min(last);
        let next = (index + 1).min(last);
        let share = (since % step_ms) as f64 / step_ms as f64;
        self.rps[index] * (1.0 - share) + self.rps[next] * share
    }

    /// Rate that comes in a step of `step_s` at `at`: requests come by chance, more evenly the more
    /// there are.
    pub(super) fn offered_at(&self, at: UnixMillis, step_s: u32, seed: u64) -> f64 {
        let rate = self.rate_at(at);
        let requests = (rate * f64::from(step_s)).max(1e-9);
        let index = u64::try_from(at.0 / 1_000).unwrap_or(0);
        let spread = (OVERDISPERSION / requests).sqrt();
        (rate * (1.0 + noise::noise(seed, 1, index) * spread)).max(0.0)
    }

    /// Whether the trace observed an instant.
    pub(super) fn is_observed(&self, at: UnixMillis) -> bool {
        let since_s = at.seconds_since(self.start);
        let index = usize::try_from(since_s / i64::from(self.step_s)).ok();
        index
            .and_then(|index| self.observed.get(index))
            .copied()
            .unwrap_or(false)
    }

    /// Steps in `(from, until]` as a metrics store keeps them: the end of the step and its rate.
    pub(super) fn recorded(
        &self,
        from: UnixMillis,
        until: UnixMillis,
    ) -> impl Iterator<Item = (UnixMillis, f64)> + '_ {
        let step_s = i64::from(self.step_s);
        let index = |at: UnixMillis| {
            usize::try_from(at.seconds_since(self.start) / step_s)
                .unwrap_or(0)
                .min(self.rps.len())
        };
        (index(from)..index(until)).map(move |index| {
            let rate = self.rps[index] * self.surge_at(self.at(index).plus_s(step_s / 2));
            (self.at(index + 1), rate)
        })
    }

    fn surge_at(&self, at: UnixMillis) -> f64 {
        self.surges
            .iter()
            .map(|surge| surge.factor_at(at))
            .fold(1.0, f64::max)
    }

    fn at(&self, index: usize) -> UnixMillis {
        let steps = i64::try_from(index).unwrap_or(i64::MAX);
        self.start
            .plus_s(steps.saturating_mul(i64::from(self.step_s)))
    }
}

/// Fills steps that were not observed.
fn fill(rps: &mut [f64], step_s: u32) {
    let day = usize::try_from(86_400 / step_s).unwrap_or(1).max(1);
    let bridge = usize::try_from(BRIDGE_S / step_s).unwrap_or(1);
    let mut index = 0;
    while index < rps.len() {
        if !rps[index].is_nan() {
            index += 1;
            continue;
        }
        let gap = rps[index..].iter().take_while(|rate| rate.is_nan()).count();
        let before = index.checked_sub(1).map(|at| rps[at]);
        let after = rps.get(index + gap).copied();
        for offset in 0..gap {
            let yesterday = (index + offset).checked_sub(day).map(|at| rps[at]);
            rps[index + offset] = match (before, after, yesterday) {
                (Some(left), Some(right), _) if gap <= bridge => {
                    left + (right - left) * (offset + 1) as f64 / (gap + 1) as f64
                }
                (_, _, Some(rate)) => rate,
                (left, right, None) => left.or(right).unwrap_or(0.0),
            };
        }
        index += gap;
    }
}
