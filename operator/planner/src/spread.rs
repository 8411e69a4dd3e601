//! How far the load strays upward from its own level: what the reserve of a pod has to hold.
//!
//! Requests come by chance, so a load of a few per second strays by a large share of itself and a
//! load of thousands by a small one; the variance of a count is a multiple of its mean, and that
//! multiple is learned. Only deviations upward count, so that a higher load never asks for fewer
//! pods.
//!
//! Invariant: two decisions in the same instant learn nothing twice.

use floodgate_forecast::UnixMillis;
use serde::{Deserialize, Serialize};

/// The level follows the load within this time, seconds: slower than chance, faster than an evening
/// rises; a rise that it does not follow would be learned for chance.
const LEVEL_S: f64 = 300.0;
/// The spread is forgotten over this time, seconds: two days, because what it measures is the kind of
/// traffic, and one evening must not stand for it.
const SPREAD_S: f64 = 172_800.0;
/// Before so much was seen nothing is concluded, seconds.
const SEEN_S_MIN: f64 = 3_600.0;
/// Longest pause between two decisions that still counts as seen, seconds.
const PAUSE_S_MAX: f64 = 60.0;
/// Standard deviations that the pods must hold when full; about two moments in a thousand have more,
/// and for those there are the bids of what is measured.
const DEVIATIONS: f64 = 2.9;
/// Standard deviations that the pods must hold when full and one of them is lost: a loss and a rare
/// moment do not come together.
const USUAL_DEVIATIONS: f64 = 0.8;
/// Standard deviations that chance brings to one moment in a thousand.
const UNUSUAL_DEVIATIONS: f64 = 3.0;

/// Level and upward spread of the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoadSpread {
    at: Option<UnixMillis>,
    seen_s: f64,
    level_rps: f64,
    /// Variance over level, requests/s.
    dispersion_rps: f64,
}

impl LoadSpread {
    /// Takes the rate of this moment; not while a sale runs, whose load has a plan of its own.
    pub(crate) fn observe(&mut self, now: UnixMillis, rps: f64) {
        let Some(before) = self.at else {
            self.at = Some(now);
            self.level_rps = rps;
            return;
        };
        let pause_s = ((now.0 - before.0) as f64 / 1_000.0).clamp(0.0, PAUSE_S_MAX);
        if pause_s <= 0.0 {
            return;
        }
        let above = (rps - self.level_rps).clamp(0.0, self.level_rps);
        // One half of a symmetric distribution; the other one is taken to be alike. What is more than
        // double the level is no chance and teaches nothing about it.
        let dispersion = 2.0 * above * above / self.level_rps.max(1.0);
        self.seen_s = (self.seen_s + pause_s).min(SPREAD_S);
        self.dispersion_rps += pause_s / self.seen_s * (dispersion - self.dispersion_rps);
        self.level_rps += (1.0 - (-pause_s / LEVEL_S).exp()) * (rps - self.level_rps);
        self.at = Some(now);
    }

    /// The rate that the load exceeds in rare moments only, requests/s; `None` while too little was
    /// seen to say.
    pub(crate) fn upper_rps(&self) -> Option<f64> {
        self.above_level(DEVIATIONS)
    }

    /// The rate above which a load is no chance, requests/s; `None` likewise.
    pub(crate) fn unusual_rps(&self) -> Option<f64> {
        self.above_level(UNUSUAL_DEVIATIONS)
    }

    /// The rate that the load exceeds now and then, requests/s; `None` likewise.
    pub(crate) fn usual_rps(&self) -> Option<f64> {
        self.above_level(USUAL_DEVIATIONS)
    }

    fn above_level(&self, deviations: f64) -> Option<f64> {
        let deviation = (self.dispersion_rps * self.level_rps).sqrt();
        (self.seen_s >= SEEN_S_MIN).then_some(self.level_rps + deviations * deviation)
    }
}
