//! The answer of a forecast: three quantiles on a regular grid.
//!
//! Invariant: every number is finite and not negative, and `p50 <= upper <= p99` at every step,
//! where the 99 % quantile is known; a path that would break this cannot be built, nor read.

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// Median, upper quantile and 99 % quantile of the offered load, in requests/s, at regular steps.
///
/// The value at index `i` stands for the interval that ends at `start + i * step_s`; an instant
/// between two steps takes the larger of both, so that a seam never hides load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ForecastPath {
    start: UnixMillis,
    step_s: u32,
    quantile_percent: u8,
    model: String,
    p50_rps: Vec<f64>,
    upper_rps: Vec<f64>,
    /// As long as the others, or empty when it is not known.
    #[serde(default)]
    p99_rps: Vec<f64>,
}

/// A path as it is read from outside.
#[derive(Deserialize)]
struct Unchecked {
    start: UnixMillis,
    step_s: u32,
    quantile_percent: u8,
    model: String,
    p50_rps: Vec<f64>,
    upper_rps: Vec<f64>,
    #[serde(default)]
    p99_rps: Vec<f64>,
}

impl TryFrom<Unchecked> for ForecastPath {
    type Error = &'static str;

    fn try_from(read: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked {
            start,
            step_s,
            quantile_percent,
            model,
            p50_rps,
            upper_rps,
            p99_rps,
        } = read;
        let path = Self {
            start,
            step_s,
            quantile_percent,
            model,
            p50_rps,
            upper_rps,
            p99_rps,
        };
        let sound = path.is_sound();
        sound
            .then_some(path)
            .ok_or("a path must have steps of a second or more, as many upper values as medians, none below it, and no number that is negative or not finite")
    }
}

/// The quantiles at one step, requests/s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuantilesRps {
    pub(crate) p50: f64,
    pub(crate) upper: f64,
    pub(crate) p99: f64,
}

impl ForecastPath {
    /// Builds a path whose 99 % quantile is not known; `None` when it is empty, the step is 0, the
    /// lengths differ, a number is not finite or negative, or an upper value lies below its median.
    pub fn new(
        start: UnixMillis,
        step_s: u32,
        quantile_percent: u8,
        model: String,
        p50_rps: Vec<f64>,
        upper_rps: Vec<f64>,
    ) -> Option<Self> {
        let path = Self {
            start,
            step_s,
            quantile_percent,
            model,
            p50_rps,
            upper_rps,
            p99_rps: Vec::new(),
        };
        path.is_sound().then_some(path)
    }

    /// The same path with its 99 % quantile; `None` when the length differs, a number is not finite,
    /// or a value lies below the upper quantile.
    pub fn with_p99(mut self, p99_rps: Vec<f64>) -> Option<Self> {
        let complete = p99_rps.len() == self.p50_rps.len();
        self.p99_rps = p99_rps;
        (complete && self.is_sound()).then_some(self)
    }

    /// A path from quantiles that are known to be sound.
    pub(crate) fn from_sound(
        start: UnixMillis,
        step_s: u32,
        quantile_percent: u8,
        model: String,
        steps: &[QuantilesRps],
    ) -> Self {
        let path = Self {
            start,
            step_s,
            quantile_percent,
            model,
            p50_rps: steps.iter().map(|step| step.p50).collect(),
            upper_rps: steps.iter().map(|step| step.upper).collect(),
            p99_rps: steps.iter().map(|step| step.p99).collect(),
        };
        debug_assert!(path.is_sound(), "{path:?}");
        path
    }

    fn is_sound(&self) -> bool {
        let plausible = |value: &f64| value.is_finite() && *value >= 0.0;
        self.step_s > 0
            && !self.p50_rps.is_empty()
            && self.p50_rps.len() == self.upper_rps.len()
            && self.p50_rps.iter().chain(&self.upper_rps).all(plausible)
            && self
                .p50_rps
                .iter()
                .zip(&self.upper_rps)
                .all(|(p50, upper)| p50 <= upper)
            && (self.p99_rps.is_empty() || self.p99_rps.len() == self.p50_rps.len())
            && self
                .upper_rps
                .iter()
                .zip(&self.p99_rps)
                .all(|(upper, p99)| upper <= p99 && p99.is_finite())
    }

    /// A path that stays at one level for `length` steps.
    pub fn flat(
        start: UnixMillis,
        step_s: u32,
        length: usize,
        p50_rps: f64,
        upper_rps: f64,
    ) -> Option<Self> {
        let levels = (vec![p50_rps; length], vec![upper_rps; length]);
        Self::new(start, step_s, 95, "flat".to_owned(), levels.0, levels.1)
    }

    /// The same path with the quantiles above the median moved to `factor` times their distance from
    /// it; a factor that is no positive number changes nothing.
    #[must_use]
    pub fn widened(mut self, factor: f64) -> Self {
        if factor.is_finite() && factor > 0.0 {
            for quantile_rps in [&mut self.upper_rps, &mut self.p99_rps] {
                for (value, p50) in quantile_rps.iter_mut().zip(&self.p50_rps) {
                    let moved = p50 + (*value - p50) * factor;
                    *value = if moved.is_finite() {
                        moved.max(*p50)
                    } else {
                        *value
                    };
                }
            }
        }
        self
    }

    /// The same path under the full name of the model that made it.
    #[must_use]
    pub fn named(self, model: String) -> Self {
        Self { model, ..self }
    }

    /// Instant of the first step.
    pub const fn start(&self) -> UnixMillis {
        self.start
    }

    /// Instant of the last step; beyond it the path knows nothing.
    pub fn end(&self) -> UnixMillis {
        let steps = i64::try_from(self.p50_rps.len().saturating_sub(1)).unwrap_or(i64::MAX);
        self.start
            .plus_s(i64::from(self.step_s).saturating_mul(steps))
    }

    /// Seconds between two steps.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// Which quantile `upper_rps` is, in percent.
    pub const fn quantile_percent(&self) -> u8 {
        self.quantile_percent
    }

    /// Name of the model that made the path, as decisions print it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Medians, requests/s, one per step.
    pub fn p50_rps(&self) -> &[f64] {
        &self.p50_rps
    }

    /// Upper quantiles, requests/s, one per step.
    pub fn upper_rps(&self) -> &[f64] {
        &self.upper_rps
    }

    /// 99 % quantiles, requests/s, one per step; `None` when they are not known.
    pub fn p99_rps(&self) -> Option<&[f64]> {
        (!self.p99_rps.is_empty()).then_some(&self.p99_rps)
    }

    /// Largest median over `[from, to]`, or `None` when the path says nothing about that span.
    pub fn p50_rps_max(&self, from: UnixMillis, to: UnixMillis) -> Option<f64> {
        Self::maximum(&self.p50_rps, self.window(from, to)?)
    }

    /// Largest upper quantile over `[from, to]`, or `None` when the path says nothing about it.
    pub fn upper_rps_max(&self, from: UnixMillis, to: UnixMillis) -> Option<f64> {
        Self::maximum(&self.upper_rps, self.window(from, to)?)
    }

    /// Largest 99 % quantile over `[from, to]`, or `None` when the path says nothing about it.
    pub fn p99_rps_max(&self, from: UnixMillis, to: UnixMillis) -> Option<f64> {
        Self::maximum(self.p99_rps()?, self.window(from, to)?)
    }

    fn maximum(values: &[f64], window: std::ops::RangeInclusive<usize>) -> Option<f64> {
        values.get(window)?.iter().copied().reduce(f64::max)
    }

    /// Indices whose steps touch `[from, to]`, both neighbours of each edge included.
    fn window(&self, from: UnixMillis, to: UnixMillis) -> Option<std::ops::RangeInclusive<usize>> {
        let begin = self.start.plus_s(-i64::from(self.step_s));
        if to < from || from > self.end() || to <= begin {
            return None;
        }
        let step_ms = i64::from(self.step_s).saturating_mul(1_000);
        let last = self.p50_rps.len().saturating_sub(1);
        let index = |offset: i64| usize::try_from(offset.max(0)).unwrap_or(last).min(last);
        let below = from.0.saturating_sub(self.start.0).div_euclid(step_ms);
        let above =
            to.0.saturating_sub(self.start.0)
                .saturating_add(step_ms - 1)
                .div_euclid(step_ms);
        Some(index(below)..=index(above))
    }
}

#[cfg(test)]
mod tests {
    use super::ForecastPath;
    use crate::time::UnixMillis;

    fn ramp() -> ForecastPath {
        let p50: Vec<f64> = (0..10).map(f64::from).collect();
        let upper: Vec<f64> = (0..10).map(|i| f64::from(i) * 2.0).collect();
        ForecastPath::new(UnixMillis(0), 60, 95, "ramp".to_owned(), p50, upper).unwrap()
    }

    #[test]
    fn a_span_between_two_steps_takes_the_larger_neighbour() {
        let at = UnixMillis(90_000);
        assert_eq!(ramp().p50_rps_max(at, at), Some(2.0));
        assert_eq!(ramp().upper_rps_max(at, at), Some(4.0));
    }

    #[test]
    fn a_span_outside_the_path_is_unknown_and_not_zero() {
        let path = ramp();
        assert_eq!(
            path.p50_rps_max(UnixMillis(-90_000), UnixMillis(-60_000)),
            None
        );
        assert_eq!(path.p50_rps_max(UnixMillis(-2), UnixMillis(-1)), Some(0.0));
        assert_eq!(
            path.p50_rps_max(UnixMillis(541_000), UnixMillis(600_000)),
            None
        );
        assert_eq!(
            path.p50_rps_max(UnixMillis(-5), UnixMillis(i64::MAX)),
            Some(9.0)
        );
    }

    #[test]
    fn widening_moves_the_upper_quantiles_alone() {
        let p99 = ramp().p50_rps().iter().map(|p50| p50 * 3.0).collect();
        let wide = ramp().with_p99(p99).unwrap().widened(2.0);
        assert_eq!((wide.p50_rps()[3], wide.upper_rps()[3]), (3.0, 9.0));
        assert!((wide.p99_rps().unwrap()[3] - 15.0).abs() < 1e-9);
        assert_eq!(ramp().widened(f64::NAN), ramp());
        assert_eq!(ramp().widened(-1.0), ramp());
    }

    #[test]
    fn the_99_percent_quantile_is_told_only_where_it_is_known() {
        let at = UnixMillis(90_000);
        assert_eq!((ramp().p99_rps(), ramp().p99_rps_max(at, at)), (None, None));
        let thrice = ramp().p50_rps().iter().map(|p50| p50 * 3.0).collect();
        let path = ramp().with_p99(thrice).unwrap();
        assert_eq!(path.p99_rps_max(at, at), Some(6.0));
        let below = ramp().p50_rps().to_vec();
        assert!(ramp().with_p99(below).is_none());
        assert!(ramp().with_p99(vec![99.0]).is_none());
        assert!(ramp().with_p99(vec![f64::INFINITY; 10]).is_none());
    }

    #[test]
    fn refuses_a_path_that_breaks_the_invariant() {
        let build = |p50: f64, upper: f64| ForecastPath::flat(UnixMillis(0), 60, 2, p50, upper);
        assert!(build(1.0, 2.0).is_some());
        for (p50, upper) in [
            (2.0, 1.0),
            (f64::NAN, 1.0),
            (-1.0, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(build(p50, upper).is_none(), "{p50} {upper}");
        }
        assert!(ForecastPath::flat(UnixMillis(0), 0, 2, 1.0, 1.0).is_none());
        assert!(ForecastPath::flat(UnixMillis(0), 60, 0, 1.0, 1.0).is_none());
    }
}
