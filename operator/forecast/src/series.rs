//! A traffic series on a regular grid, with what is missing masked and what is absurd refused.
//!
//! Invariant: every kept value is finite and not negative, the first and the last slot hold a
//! value, and a masked slot is never read as zero.

use floodgate_trace::Trace;
use floodgate_words::{LOAD_RPS_MAX, is_plausible};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::UnixMillis;

/// A value this many times above the 90th percentile is a broken counter or a unit mix-up. A sale
/// of a hundredfold of the median stays below it on any daily curve.
const ABSURD_FACTOR: f64 = 100.0;
/// Slots of the longest series: a year at one minute and a little more.
const SLOTS_MAX: i64 = 600_000;

/// Why samples make no series.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SeriesError {
    /// The step is 0 or longer than a day.
    #[error("the step of a series must be between 1 s and 86400 s")]
    StepInvalid,
    /// No sample is a plausible rate.
    #[error("a series must have at least one plausible sample")]
    NoData,
    /// The samples span too many steps.
    #[error("a series must span at most 600000 steps")]
    TooLong,
}

/// How good a series is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Slots with a value.
    pub points: usize,
    /// Slots without one, between the first and the last value, that were not masked.
    pub missing: usize,
    /// Values left out because a window was declared an outage, a load test or a sale.
    pub masked: usize,
    /// Samples refused as NaN, infinite, negative or absurd.
    pub rejected: usize,
    /// Share of slots with a value, 0..=1, lowered by the share of refused samples. A masked slot has
    /// none: what is left out cannot be learned from, however good the reason.
    pub score: f64,
}

/// Offered load in requests/s on a regular grid; each value stands for the step that ends at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    start: UnixMillis,
    step_s: u32,
    /// NaN marks a masked slot; never handed out.
    values: Vec<f64>,
    rejected: usize,
    masked: usize,
    /// Windows without values, both ends within.
    masks: Vec<(UnixMillis, UnixMillis)>,
}

impl Series {
    /// What is known of a trace, in requests/s, at an instant: its samples up to and including `at`.
    pub fn known_at(trace: &Trace, at: UnixMillis) -> Result<Self, SeriesError> {
        let samples = trace.samples().iter();
        let known: Vec<(UnixMillis, f64)> = samples
            .map(|sample| (UnixMillis::from(sample.at), sample.value))
            .take_while(|(time, _)| *time <= at)
            .filter_map(|(time, value)| Some((time, value?)))
            .collect();
        Self::from_samples(trace.step_s(), &known)
    }

    /// Puts samples on a grid of `step_s`; samples may come in any order and with gaps, several in
    /// one slot are averaged, and implausible ones are masked and counted.
    pub fn from_samples(step_s: u32, samples: &[(UnixMillis, f64)]) -> Result<Self, SeriesError> {
        if step_s == 0 || step_s > 86_400 {
            return Err(SeriesError::StepInvalid);
        }
        let ceiling = absurd_above(samples);
        let kept = || {
            samples
                .iter()
                .filter(|(_, rate)| (0.0..=ceiling).contains(rate))
        };
        let step_ms = i64::from(step_s) * 1_000;
        // A sample describes the step that ends at it, so it belongs to the slot that ends next.
        let slot =
            |at: UnixMillis| at.0.div_euclid(step_ms) + i64::from(at.0.rem_euclid(step_ms) > 0);
        let first = kept()
            .map(|(at, _)| slot(*at))
            .min()
            .ok_or(SeriesError::NoData)?;
        let last = kept()
            .map(|(at, _)| slot(*at))
            .max()
            .ok_or(SeriesError::NoData)?;
        let slots = last.saturating_sub(first).saturating_add(1);
        if slots > SLOTS_MAX {
            return Err(SeriesError::TooLong);
        }
        let slots = usize::try_from(slots).map_err(|_| SeriesError::TooLong)?;
        let mut sums = vec![(0.0, 0_u32); slots];
        for (at, rate) in kept() {
            let index = usize::try_from(slot(*at) - first).map_err(|_| SeriesError::TooLong)?;
            let (sum, count) = &mut sums[index];
            *sum += rate;
            *count += 1;
        }
        let mean = |(sum, count): (f64, u32)| {
            if count == 0 {
                f64::NAN
            } else {
                sum / f64::from(count)
            }
        };
        Ok(Self {
            start: UnixMillis(first.saturating_mul(step_ms)),
            step_s,
            values: sums.into_iter().map(mean).collect(),
            rejected: samples.len() - kept().count(),
            masked: 0,
            masks: Vec::new(),
        })
    }

    /// The same series without the values in `[from, to]`: an outage, a load test, a past sale.
    /// `None` when nothing is left.
    #[must_use]
    pub fn masked(&self, from: UnixMillis, to: UnixMillis) -> Option<Self> {
        let mut values = self.values.clone();
        let mut masked = 0;
        for (index, value) in values.iter_mut().enumerate() {
            let at = self.at(index);
            if !value.is_nan() && from <= at && at <= to {
                *value = f64::NAN;
                masked += 1;
            }
        }
        let first = values.iter().position(|value| !value.is_nan())?;
        let last = values.iter().rposition(|value| !value.is_nan())?;
        Some(Self {
            start: self.at(first),
            values: values[first..=last].to_vec(),
            masked: self.masked + masked,
            masks: self.masks.iter().copied().chain([(from, to)]).collect(),
            step_s: self.step_s,
            rejected: self.rejected,
        })
    }

    /// Instant of the first value.
    pub const fn start(&self) -> UnixMillis {
        self.start
    }

    /// Instant of the last value.
    pub fn end(&self) -> UnixMillis {
        self.at(self.values.len().saturating_sub(1))
    }

    /// Seconds between two slots.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// From the first to the last value, seconds.
    pub fn span_s(&self) -> i64 {
        self.end().seconds_since(self.start)
    }

    /// Every value with its instant, oldest first; masked slots are left out.
    pub fn points(&self) -> impl Iterator<Item = (UnixMillis, f64)> {
        let seen = self
            .values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_nan());
        seen.map(|(index, value)| (self.at(index), *value))
    }

    /// Largest value, requests/s.
    pub fn peak_rps(&self) -> f64 {
        self.points().map(|(_, value)| value).fold(0.0, f64::max)
    }

    /// What seasonal naive says about `at`, requests/s: the value one week earlier, or one day where
    /// there is no week; `None` when neither was observed.
    pub fn seasonal_naive_rps(&self, at: UnixMillis) -> Option<f64> {
        [604_800, 86_400]
            .into_iter()
            .find_map(|lag_s| self.value_at(at.plus_s(-lag_s)))
    }

    /// Value of the slot that `at` falls in, requests/s.
    fn value_at(&self, at: UnixMillis) -> Option<f64> {
        let step_ms = i64::from(self.step_s).saturating_mul(1_000);
        let behind =
            at.0.saturating_sub(self.start.0)
                .saturating_add(step_ms - 1);
        let index = usize::try_from(behind.div_euclid(step_ms)).ok()?;
        self.values
            .get(index)
            .copied()
            .filter(|value| !value.is_nan())
    }

    /// How good the series is.
    pub fn quality(&self) -> Quality {
        let points = self.points().count();
        let slots = self.values.len();
        let seen = points as f64 / slots as f64;
        let refused = self.rejected as f64 / (points + self.rejected) as f64;
        Quality {
            points,
            missing: slots - points - self.masked_slots(),
            masked: self.masked,
            rejected: self.rejected,
            score: seen * (1.0 - refused),
        }
    }

    /// Slots between the first and the last value that lie in a masked window.
    fn masked_slots(&self) -> usize {
        let masked = |index: usize| {
            let at = self.at(index);
            self.masks
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&at))
        };
        let empty = self.values.iter().enumerate();
        empty
            .filter(|(index, value)| value.is_nan() && masked(*index))
            .count()
    }

    /// Slots, NaN where masked.
    pub(crate) fn slots(&self) -> &[f64] {
        &self.values
    }

    fn at(&self, index: usize) -> UnixMillis {
        let steps = i64::try_from(index).unwrap_or(i64::MAX);
        self.start
            .plus_s(i64::from(self.step_s).saturating_mul(steps))
    }
}

/// The bound above which a sample of this series is absurd, requests/s.
fn absurd_above(samples: &[(UnixMillis, f64)]) -> f64 {
    let mut rates: Vec<f64> = samples
        .iter()
        .map(|(_, rate)| *rate)
        .filter(|rate| is_plausible(*rate))
        .collect();
    if rates.is_empty() {
        return LOAD_RPS_MAX;
    }
    let rank = (rates.len() * 9 / 10).min(rates.len() - 1);
    let (_, high, _) = rates.select_nth_unstable_by(rank, f64::total_cmp);
    if *high > 0.0 {
        (*high * ABSURD_FACTOR).min(LOAD_RPS_MAX)
    } else {
        LOAD_RPS_MAX
    }
}
