//! Live accuracy: what was promised at the lead time against what came, beside seasonal naive on
//! the same points; the gate that decides whether a forecast may bid.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// Points needed before a verdict.
const POINTS_MIN: usize = 12;
/// Points remembered: a day at one promise per five minutes.
const POINTS_MAX: usize = 288;
/// Promises that wait for their truth.
const PENDING_MAX: usize = 1_024;
/// The forecast loses its say when it errs this much more than seasonal naive.
const TOLERANCE: f64 = 1.10;

/// How fast the widening follows: a miss widens the band by about this share, in log space.
const WIDENING_RATE: f64 = 0.05;
/// Bounds of the widening.
const WIDENING_RANGE: (f64, f64) = (0.8, 4.0);

/// Rolling error and coverage of one forecast at one lead time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    pending: VecDeque<Promise>,
    kept: VecDeque<Outcome>,
}

/// What was said about one instant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    /// The instant it is about.
    pub at: UnixMillis,
    /// Median, requests/s.
    pub p50_rps: f64,
    /// Upper quantile, requests/s.
    pub upper_rps: f64,
    /// What seasonal naive says, requests/s.
    pub naive_rps: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    actual_rps: f64,
    error_rps: f64,
    naive_error_rps: f64,
    covered: bool,
}

/// Whether the forecast may bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Too few points to say; the validation of the fit stands.
    Unproven,
    /// At least as good as seasonal naive.
    Trusted,
    /// Worse than seasonal naive on the same points.
    Untrusted,
}

impl Accuracy {
    /// Remembers what was promised; promises that are not numbers are dropped.
    pub fn promise(&mut self, promise: Promise) {
        let Promise {
            at: _,
            p50_rps,
            upper_rps,
            naive_rps,
        } = promise;
        if ![p50_rps, upper_rps, naive_rps]
            .iter()
            .all(|rate| rate.is_finite())
        {
            return;
        }
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(promise);
    }

    /// Settles every promise about `at` or within `tolerance_s` before it with the load that came.
    /// Older promises never got a truth and are dropped: missing is not an error of the forecast.
    pub fn observe(&mut self, at: UnixMillis, actual_rps: f64, tolerance_s: u32) {
        let oldest = at.plus_s(-i64::from(tolerance_s));
        let due: Vec<Promise> = self
            .pending
            .iter()
            .copied()
            .filter(|p| p.at <= at)
            .collect();
        self.pending.retain(|promise| promise.at > at);
        if !actual_rps.is_finite() || actual_rps < 0.0 {
            return;
        }
        for promise in due.into_iter().filter(|promise| promise.at >= oldest) {
            if self.kept.len() >= POINTS_MAX {
                self.kept.pop_front();
            }
            self.kept.push_back(Outcome {
                actual_rps,
                error_rps: (promise.p50_rps - actual_rps).abs(),
                naive_error_rps: (promise.naive_rps - actual_rps).abs(),
                covered: actual_rps <= promise.upper_rps,
            });
        }
    }

    /// What came due alone, without the promises that still wait for their truth.
    #[must_use]
    pub fn settled(&self) -> Self {
        Self {
            pending: VecDeque::new(),
            kept: self.kept.clone(),
        }
    }

    /// Puts what came due under an earlier process before what came due under this one.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let Self { pending, kept } = self;
        let mut kept: VecDeque<Outcome> = earlier.kept.into_iter().chain(kept).collect();
        kept.drain(..kept.len().saturating_sub(POINTS_MAX));
        Self { pending, kept }
    }

    /// Points behind the figures.
    pub fn points(&self) -> usize {
        self.kept.len()
    }

    /// Absolute error over load, 0 is perfect; `None` without load.
    pub fn wape(&self) -> Option<f64> {
        self.share(|outcome| outcome.error_rps)
    }

    /// The same for seasonal naive.
    pub fn wape_naive(&self) -> Option<f64> {
        self.share(|outcome| outcome.naive_error_rps)
    }

    /// Share of points at or below the upper quantile, 0..=1; `None` without points.
    pub fn coverage(&self) -> Option<f64> {
        let covered = self.kept.iter().filter(|outcome| outcome.covered).count();
        (!self.kept.is_empty()).then(|| covered as f64 / self.kept.len() as f64)
    }

    /// Factor on the distance between median and upper quantile that brings live coverage back to
    /// `quantile_percent`, 0.8..=4: each miss widens it, each hit narrows it by so much less that
    /// both balance at the wanted coverage (adaptive conformal inference). 1 without points.
    pub fn widening(&self, quantile_percent: u8) -> f64 {
        let missed_wanted = 1.0 - f64::from(quantile_percent.min(100)) / 100.0;
        let (least, most) = WIDENING_RANGE;
        let factor = self.kept.iter().fold(0.0_f64, |log, outcome| {
            let missed = if outcome.covered { 0.0 } else { 1.0 };
            (log + WIDENING_RATE * (missed - missed_wanted)).clamp(least.ln(), most.ln())
        });
        factor.exp()
    }

    /// Whether the forecast may bid.
    pub fn verdict(&self) -> Verdict {
        if self.kept.len() < POINTS_MIN {
            return Verdict::Unproven;
        }
        match (self.wape(), self.wape_naive()) {
            (Some(wape), Some(naive)) if wape > naive * TOLERANCE => Verdict::Untrusted,
            _ => Verdict::Trusted,
        }
    }

    fn share(&self, error: impl Fn(&Outcome) -> f64) -> Option<f64> {
        let load: f64 = self.kept.iter().map(|outcome| outcome.actual_rps).sum();
        (load > 0.0).then(|| self.kept.iter().map(error).sum::<f64>() / load)
    }
}
