//! Rate curves: how many requests per second are sent when, and at which instants.
//!
//! A curve is piecewise step or linear; its integral is the number of requests, and the inverse of
//! the integral gives the instant of each. Pure: no clock, no I/O.
//! Invariant: with even spacing the number of instants is the rounded integral of the curve.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// How the rate goes from one point to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ramp {
    /// Hold the rate until the next point.
    #[default]
    Step,
    /// Go in a straight line to the rate of the next point; the last point holds.
    Linear,
}

/// The rate at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatePoint {
    /// Seconds since the start of the run.
    pub t_s: f64,
    /// Requests per second from here on.
    pub rps: f64,
    /// How the rate goes on to the next point.
    #[serde(default)]
    pub ramp: Ramp,
}

impl RatePoint {
    /// A point whose rate holds until the next one.
    pub const fn step(t_s: f64, rps: f64) -> Self {
        Self {
            t_s,
            rps,
            ramp: Ramp::Step,
        }
    }
}

/// Why points do not make a curve.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CurveError {
    /// No point was given.
    #[error("the rate curve must have at least one point")]
    Empty,
    /// A time is negative, not finite or not after the one before.
    #[error(
        "point {index} of the rate curve: `t_s` must be finite, at least 0 and greater than the one before"
    )]
    Time {
        /// Index of the point, from 0.
        index: usize,
    },
    /// A rate is negative or not finite.
    #[error("point {index} of the rate curve: `rps` must be finite and at least 0")]
    Rate {
        /// Index of the point, from 0.
        index: usize,
    },
    /// The curve ends before its last point.
    #[error("the rate curve must end after its last point: end {end_s} s, last point {last_s} s")]
    End {
        /// The end that was given, in seconds.
        end_s: f64,
        /// The time of the last point, in seconds.
        last_s: f64,
    },
}

/// A rate over time, from second 0 to its end; zero before its first point.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    points: Vec<RatePoint>,
    end_s: f64,
    /// Requests sent before each point; the last element is the total.
    cumulative: Vec<f64>,
}

impl RateCurve {
    /// A curve through `points` that ends at `end_s` seconds.
    pub fn new(points: Vec<RatePoint>, end_s: f64) -> Result<Self, CurveError> {
        let last_s = points.last().ok_or(CurveError::Empty)?.t_s;
        let mut before_s = -1.0;
        for (index, point) in points.iter().enumerate() {
            if !point.t_s.is_finite() || point.t_s < 0.0 || point.t_s <= before_s {
                return Err(CurveError::Time { index });
            }
            if !point.rps.is_finite() || point.rps < 0.0 {
                return Err(CurveError::Rate { index });
            }
            before_s = point.t_s;
        }
        if !end_s.is_finite() || end_s <= last_s {
            return Err(CurveError::End { end_s, last_s });
        }
        let mut curve = Self {
            points,
            end_s,
            cumulative: vec![0.0],
        };
        for index in 0..curve.points.len() {
            let total = curve.cumulative[index] + curve.segment_area(index, f64::INFINITY);
            curve.cumulative.push(total);
        }
        Ok(curve)
    }

    /// The end of the curve in seconds.
    pub fn end_s(&self) -> f64 {
        self.end_s
    }

    /// Requests over the whole curve: its integral.
    pub fn total(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// The highest rate of the curve, requests per second.
    pub fn peak_rps(&self) -> f64 {
        self.points
            .iter()
            .map(|point| point.rps)
            .fold(0.0, f64::max)
    }

    /// Rate at `t_s`, requests per second; zero outside the curve.
    pub fn rps_at(&self, t_s: f64) -> f64 {
        if t_s >= self.end_s {
            return 0.0;
        }
        match self.points.partition_point(|point| point.t_s <= t_s) {
            0 => 0.0,
            after => {
                let (point, slope, _) = self.segment(after - 1);
                point.rps + slope * (t_s - point.t_s)
            }
        }
    }

    /// Requests sent before `t_s`.
    pub fn requests_until(&self, t_s: f64) -> f64 {
        match self.points.partition_point(|point| point.t_s <= t_s) {
            0 => 0.0,
            after => self.cumulative[after - 1] + self.segment_area(after - 1, t_s),
        }
    }

    /// The second at which `requests` have been sent, or none when the curve sends fewer.
    pub fn second_of(&self, requests: f64) -> Option<f64> {
        if requests < 0.0 || requests >= self.total() {
            return None;
        }
        let index = self
            .cumulative
            .partition_point(|before| *before <= requests)
            - 1;
        let (point, slope, length_s) = self.segment(index);
        let missing = requests - self.cumulative[index];
        // The root of slope/2 x^2 + rps x = missing in the form that is stable for a slope near 0.
        let root = (point.rps * point.rps + 2.0 * slope * missing)
            .max(0.0)
            .sqrt();
        let offset_s = 2.0 * missing / (point.rps + root).max(f64::MIN_POSITIVE);
        Some(point.t_s + offset_s.min(length_s))
    }

    /// The instants at which requests are to be sent, as offsets from the start, in order.
    pub fn arrivals(&self, spacing: Spacing, seed: u64) -> Arrivals {
        Arrivals {
            curve: self.clone(),
            spacing,
            random: StdRng::seed_from_u64(seed),
            requests: match spacing {
                Spacing::Even => -0.5,
                Spacing::Poisson => 0.0,
            },
        }
    }

    /// Start, slope (requests/s per s) and length (s) of a segment.
    fn segment(&self, index: usize) -> (RatePoint, f64, f64) {
        let point = self.points[index];
        let next = self.points.get(index + 1);
        let length_s = next.map_or(self.end_s, |next| next.t_s) - point.t_s;
        let slope = match (point.ramp, next) {
            (Ramp::Linear, Some(next)) => (next.rps - point.rps) / length_s,
            _ => 0.0,
        };
        (point, slope, length_s)
    }

    /// Requests of a segment from its start until `t_s`, at most its whole length.
    fn segment_area(&self, index: usize, t_s: f64) -> f64 {
        let (point, slope, length_s) = self.segment(index);
        let span_s = (t_s - point.t_s).clamp(0.0, length_s);
        point.rps * span_s + slope * span_s * span_s / 2.0
    }
}

/// How requests are spread along a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// As from many independent people: exponential gaps, scaled by the rate.
    #[default]
    Poisson,
    /// Equal shares of the integral.
    Even,
}

/// Instants of requests, in order; see [`RateCurve::arrivals`].
#[derive(Debug)]
pub struct Arrivals {
    curve: RateCurve,
    spacing: Spacing,
    random: StdRng,
    requests: f64,
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.requests += match self.spacing {
            Spacing::Even => 1.0,
            // 1 - u lies in (0, 1], so the logarithm is finite.
            Spacing::Poisson => -(1.0 - self.random.random::<f64>()).ln(),
        };
        self.curve
            .second_of(self.requests)
            .map(Duration::from_secs_f64)
    }
}

#[cfg(test)]
mod tests;
