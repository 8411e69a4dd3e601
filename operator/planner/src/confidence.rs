//! The chance constraint of a sale phase: the load it stays below with the probability asked for.
//!
//! Baseline and uplift are both uncertain and multiply, so their relative errors are taken as
//! log-normal and independent, and their variances add up. Without an error of the uplift and with
//! the quantile of the path, the bound is the path's own upper quantile times the uplift; with a
//! higher one, it goes to the path's 99 % quantile where that is known.

use floodgate_forecast::{ForecastPath, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::sale::SalePhase;

/// Greatest relative spread of a baseline that is believed, as the logarithm of a factor; a path
/// whose median touches zero would otherwise ask for any number of pods.
const SPREAD_MAX: f64 = 1.0;

/// Quantile that holds where neither the phase nor a forecast names one; the default of
/// `spec.forecast.quantilePercent`.
const QUANTILE_PERCENT_USUAL: u8 = 95;

/// Greatest spread between the upper and the 99 % quantile that is believed: thirtyfold.
const FAR_MAX: f64 = 5.0;

/// The far quantile of a path, percent.
const P99_PERCENT: u8 = 99;

/// Load that would come without the sale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BaselineRps {
    /// Median, requests/s.
    pub(crate) p50_rps: f64,
    /// Upper quantile, requests/s; not below the median.
    pub(crate) upper_rps: f64,
    /// Which quantile that is, percent.
    pub(crate) quantile_percent: u8,
    /// 99 % quantile, requests/s; not below the upper one. None where the path does not tell it.
    #[serde(default)]
    pub(crate) p99_rps: Option<f64>,
}

impl BaselineRps {
    /// A load that is taken as it is; only the uplift on it is uncertain.
    pub(crate) const fn certain(rps: f64) -> Self {
        Self {
            p50_rps: rps,
            upper_rps: rps,
            quantile_percent: QUANTILE_PERCENT_USUAL,
            p99_rps: None,
        }
    }

    /// The busiest moment that a path foresees in `[from, until]`.
    pub(crate) fn of(path: &ForecastPath, from: UnixMillis, until: UnixMillis) -> Option<Self> {
        Some(Self {
            p50_rps: path.p50_rps_max(from, until)?,
            upper_rps: path.upper_rps_max(from, until)?,
            quantile_percent: path.quantile_percent(),
            p99_rps: path.p99_rps_max(from, until),
        })
    }

    /// The same median, its quantiles as far above it as those of `other` are above theirs, where that
    /// is nearer.
    pub(crate) fn with_reach_of(self, other: Self) -> Self {
        if other.p50_rps <= 0.0 {
            return self;
        }
        let scale = self.p50_rps / other.p50_rps;
        let upper_rps = self.upper_rps.min(other.upper_rps * scale);
        let p99_rps = self.p99_rps.zip(other.p99_rps);
        Self {
            upper_rps,
            p99_rps: p99_rps.map(|(own, other)| own.min(other * scale).max(upper_rps)),
            ..self
        }
    }

    /// A higher median, with quantiles as far above it, at most `reach_max` times.
    pub(crate) fn raised_to(self, p50_rps: f64, reach_max: f64) -> Self {
        if p50_rps <= self.p50_rps {
            return self;
        }
        let scale = p50_rps / self.p50_rps.max(f64::MIN_POSITIVE);
        let most = p50_rps * reach_max;
        let raised = |rps: f64| (rps * scale).min(most).max(rps).max(p50_rps);
        Self {
            p50_rps,
            upper_rps: raised(self.upper_rps),
            p99_rps: self.p99_rps.map(raised),
            ..self
        }
    }

    /// The same, no quantile above `rps_max`.
    pub(crate) fn capped(self, rps_max: f64) -> Self {
        Self {
            p50_rps: self.p50_rps.min(rps_max),
            upper_rps: self.upper_rps.min(rps_max),
            quantile_percent: self.quantile_percent,
            p99_rps: self.p99_rps.map(|p99_rps| p99_rps.min(rps_max)),
        }
    }

    /// The larger of both, each quantile by itself.
    pub(crate) fn larger(self, other: Self) -> Self {
        Self {
            p50_rps: self.p50_rps.max(other.p50_rps),
            upper_rps: self.upper_rps.max(other.upper_rps),
            quantile_percent: self.quantile_percent.max(other.quantile_percent),
            // One side alone may know it; the other reaches its upper quantile at least.
            p99_rps: [self, other]
                .iter()
                .filter_map(|one| one.p99_rps)
                .reduce(f64::max)
                .map(|p99_rps| p99_rps.max(self.upper_rps).max(other.upper_rps)),
        }
    }

    /// How far the baseline reaches above its median at a standard normal score, as a logarithm; the
    /// first number is the reach of the upper quantile itself.
    fn reaches(self, score: f64) -> (f64, f64) {
        let path_score = normal_score(self.quantile_percent);
        if path_score <= 0.0 || self.p50_rps <= 0.0 {
            return (0.0, 0.0);
        }
        let spread = ((self.upper_rps / self.p50_rps).ln() / path_score).clamp(0.0, SPREAD_MAX);
        let above = score - path_score;
        let room = normal_score(P99_PERCENT) - path_score;
        let far = self.p99_rps.filter(|_| above > 0.0 && room > 0.0);
        let beyond = far.map_or(spread, |p99_rps| {
            // Of a median near zero the reach is no factor to go by; the path itself was checked.
            ((p99_rps / self.upper_rps.max(f64::MIN_POSITIVE)).ln() / room).clamp(0.0, FAR_MAX)
        });
        let slope = if above > 0.0 { beyond } else { spread };
        (path_score * spread, path_score * spread + slope * above)
    }
}

impl SalePhase {
    /// Load that this phase stays below with the chance asked for, requests/s; never less than the
    /// median baseline times the declared uplift, and finite: beyond all numbers is more than the
    /// maximum holds, and not a load that is unknown.
    pub(crate) fn expected_rps(&self, baseline: BaselineRps) -> f64 {
        let uplift = f64::from(self.uplift_percent) / 100.0;
        let quantile_percent = self.confidence.quantile_percent;
        let score = normal_score(quantile_percent.unwrap_or(baseline.quantile_percent));
        let (upper, wanted) = baseline.reaches(score);
        let uplift_spread = (f64::from(self.confidence.uplift_error_percent) / 100.0).ln_1p();
        let factor = (wanted.hypot(score * uplift_spread) - upper).exp();
        let without_rps = (baseline.upper_rps * factor).max(baseline.p50_rps);
        (without_rps.clamp(0.0, f64::MAX) * uplift).clamp(0.0, f64::MAX)
    }

    /// Median baseline times uplift, requests/s.
    pub(crate) fn median_rps(&self, baseline: BaselineRps) -> f64 {
        (baseline.p50_rps * f64::from(self.uplift_percent) / 100.0).clamp(0.0, f64::MAX)
    }
}

/// The standard normal score of a quantile within 50..=99 percent; values outside are moved in.
///
/// Abramowitz and Stegun 26.2.23, off by less than 4.5e-4.
fn normal_score(percent: u8) -> f64 {
    let tail = 1.0 - f64::from(percent.clamp(50, 99)) / 100.0;
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - above / below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sale::Confidence;

    #[test]
    fn a_phase_that_asks_for_99_percent_gets_the_99_percent_of_the_path() {
        let baseline = |p99_rps| BaselineRps {
            p50_rps: 100.0,
            upper_rps: 120.0,
            quantile_percent: 95,
            p99_rps,
        };
        let phase = |quantile_percent, uplift_error_percent| SalePhase {
            name: "midnight".to_owned(),
            t0: UnixMillis(0),
            until: UnixMillis(1),
            uplift_percent: 1_000,
            confidence: Confidence {
                quantile_percent,
                uplift_error_percent,
            },
            planned_replicas: None,
            planned_later: Vec::new(),
        };
        let near = |found: f64, wanted: f64| {
            assert!((found / wanted - 1.0).abs() < 1e-9, "{found}, not {wanted}");
        };
        let told = baseline(Some(180.0));
        near(phase(Some(99), 0).expected_rps(told), 1_800.0);
        near(phase(None, 0).expected_rps(told), 1_200.0);
        let median = phase(Some(50), 0).expected_rps(told);
        near(median, 1_000.0);
        let guessed = phase(Some(99), 0).expected_rps(baseline(None));
        assert!(guessed > 1_200.0 && guessed < 1_400.0, "{guessed}");
        let far = phase(Some(99), 0).expected_rps(baseline(Some(600.0)));
        near(far, 6_000.0);
        let merged = told.larger(BaselineRps::certain(25.0));
        near(phase(Some(99), 0).expected_rps(merged), 1_800.0);
        let unsure = phase(Some(99), 20).expected_rps(told);
        assert!(unsure > 1_800.0, "{unsure}");
    }

    #[test]
    fn scores_are_those_of_the_normal_distribution() {
        for (percent, score) in [(50, 0.0), (84, 0.9945), (95, 1.6449), (99, 2.3263)] {
            let found = normal_score(percent);
            assert!((found - score).abs() < 1e-3, "p{percent}: {found}");
        }
    }
}
