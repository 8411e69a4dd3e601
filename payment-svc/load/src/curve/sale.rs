//! The shape of a compressed sale day, as a rate curve.

use serde::{Deserialize, Serialize};

use super::{CurveError, RateCurve, RatePoint};

/// Base load, a step at T0, a second wave, and the way down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaleShape {
    /// Requests per second before and after the sale.
    pub base_rps: f64,
    /// Second of T0.
    pub t0_s: f64,
    /// Rate from T0 on, as a multiple of the base.
    pub step_factor: f64,
    /// Seconds the step lasts.
    pub step_s: f64,
    /// Rate of the second wave, requests per second.
    pub wave_rps: f64,
    /// Seconds the second wave lasts; it follows the step directly.
    pub wave_s: f64,
    /// Seconds of base load after the second wave.
    pub after_s: f64,
}

impl SaleShape {
    /// Rate inside the step, requests per second.
    pub fn step_rps(&self) -> f64 {
        self.base_rps * self.step_factor
    }

    /// Second at which the second wave begins.
    pub fn wave_from_s(&self) -> f64 {
        self.t0_s + self.step_s
    }

    /// Second at which the base load comes back.
    pub fn after_from_s(&self) -> f64 {
        self.wave_from_s() + self.wave_s
    }

    /// Second at which everything ends.
    pub fn end_s(&self) -> f64 {
        self.after_from_s() + self.after_s
    }

    /// The points of the curve, for a plan.
    pub fn points(&self) -> Vec<RatePoint> {
        vec![
            RatePoint::step(0.0, self.base_rps),
            RatePoint::step(self.t0_s, self.step_rps()),
            RatePoint::step(self.wave_from_s(), self.wave_rps),
            RatePoint::step(self.after_from_s(), self.base_rps),
        ]
    }

    /// The rate over the whole day.
    pub fn curve(&self) -> Result<RateCurve, CurveError> {
        RateCurve::new(self.points(), self.end_s())
    }
}
