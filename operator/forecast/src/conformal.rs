//! Upper quantiles by conformal residuals: the bound that held on rows no member had seen, per lead
//! bucket.
//!
//! Several methods to say the distance are mixed by the pinball loss that each would have had on
//! residuals newer than those it learned from; the mixture is then calibrated on all residuals, and
//! again where much is predicted, where an event runs, and where the peaks of the window are near.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    blend::mixed,
    features,
    residual::{LeadPoint, RESIDUALS_MIN, Residual, quantile},
    ridge::Rows,
    spread_models::{self, METHODS, SpreadModels},
    view::{Unit, View},
};

/// No calibration widens a distance by more than this factor.
const FACTOR_MAX: f64 = 10.0;
/// Leads above this one see so few independent residuals that the quantile is taken further out.
const LEAD_MANY_S: f64 = 3_600.0;
/// Independent residuals a day for such leads: what happens within an hour counts once.
const INDEPENDENT_PER_DAY: f64 = 24.0;
/// The quantile is taken no further out than this, unless a greater one is asked for.
const SHARE_MAX: f64 = 0.98;
/// Demand predicted above this share of all predictions is busy.
const BUSY_SHARE: f64 = 0.9;
/// Loads above this share of the window are peaks.
const PEAK_SHARE: f64 = 0.985;
/// Peaks are near where they lie within this many distances above the median.
const PEAK_NEAR: f64 = 1.2;
/// The bound near peaks covers this share of those that came there, if the quantile `PEAK_EFFORT`
/// of all that came there suffices.
const PEAK_COVERED: f64 = 0.85;
const PEAK_EFFORT: f64 = 0.99;
/// It does so only for peaks that can be foreseen: at least this share of all came where they were
/// near, on at least so many days, in at least so many residuals.
const PEAK_FORESEEN: f64 = 0.6;
const PEAK_DAYS_MIN: usize = 3;
const PEAKS_MIN: usize = 10;
/// Lift of an event, in log space, from which the calibration for events serves.
const EVENT_LIFT: f64 = 0.05;
/// The greatest quantile of a path, which every bound is calibrated for too.
const SHARE_FAR: f64 = 0.99;
/// How much further that one lies than the 95 % quantile of a normal distribution.
const FAR_NORMAL: f64 = 1.414;

/// A residual with its distance before any factor.
struct Drawn<'a> {
    residual: &'a Residual,
    distance_rps: f64,
}

impl Drawn<'_> {
    /// Truth above the median, in distances.
    fn ratio(&self) -> f64 {
        self.residual.off_rps() / self.distance_rps
    }
}

/// How far above the median the upper quantiles lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bound {
    // Stored under the name that models of earlier versions have.
    #[serde(rename = "reaches")]
    models: SpreadModels,
    /// Of each method.
    weights: [f64; METHODS],
    /// Factor on the distance for all demand.
    all: f64,
    /// Factor for demand predicted above `busy_from`; never less than `all`.
    busy: f64,
    /// Start of the busiest tenth of predicted demand, in log space.
    busy_from: f64,
    /// Factor while an event lifts demand; never less than `all`.
    event: f64,
    /// Factor where peaks are near; never less than `all`.
    peak: f64,
    /// Loads from here on are peaks, requests/s.
    peak_from_rps: f64,
    /// How much further the 99 % quantile lies; at least 1.
    far: f64,
}

/// Upper quantiles, requests/s; `upper <= p99`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uppers {
    /// The quantile that was asked for.
    pub(crate) upper_rps: f64,
    /// The 99 % quantile.
    pub(crate) p99_rps: f64,
}

impl Bound {
    /// A bound for when there are no residuals.
    pub(crate) const fn wide(offset: f64) -> Self {
        Self {
            models: SpreadModels::constant(offset),
            weights: [1.0, 0.0, 0.0],
            all: 1.0,
            busy: 1.0,
            busy_from: f64::MAX,
            event: 1.0,
            peak: 1.0,
            peak_from_rps: f64::MAX,
            far: FAR_NORMAL,
        }
    }

    /// Calibrates on out-of-sample predictions, oldest first; `None` when they are too few.
    pub(crate) fn calibrate(
        view: &View,
        unit: Unit,
        residuals: &[Residual],
        share: f64,
    ) -> Option<Self> {
        if residuals.len() < RESIDUALS_MIN {
            return None;
        }
        let share = cautious(view, residuals, share);
        let mut rows = Rows::default();
        for residual in residuals {
            rows.push(&features::spread_row(view, &residual.point), 0.0);
        }
        let mut bound = Self {
            models: SpreadModels::learn(residuals, &rows, share)?,
            weights: spread_models::weights(unit, residuals, &rows, share),
            ..Self::wide(0.0)
        };
        let drawn = residuals.iter().enumerate().map(|(index, residual)| Drawn {
            residual,
            distance_rps: bound.distance_rps(unit, &residual.point, rows.row(index)),
        });
        let drawn: Vec<Drawn> = drawn.collect();
        bound.calibrate_factors(view, &drawn, share)?;
        let of_upper = drawn.iter().map(|it| {
            let factor = bound.factor(&it.residual.point, it.residual.p50_rps, it.distance_rps);
            it.ratio() / factor.max(f64::MIN_POSITIVE)
        });
        bound.far = quantile(of_upper, SHARE_FAR)?.clamp(1.0, FACTOR_MAX);
        Some(bound)
    }

    /// Sets the factors from what was drawn before any of them.
    fn calibrate_factors(&mut self, view: &View, drawn: &[Drawn], share: f64) -> Option<()> {
        let blocks = view.blocks;
        let observed = (0..blocks.len()).filter_map(|index| blocks.observed(index));
        let predicted = drawn.iter().map(|it| it.residual.point.predicted);
        self.peak_from_rps = quantile(observed, PEAK_SHARE)?;
        self.busy_from = quantile(predicted, BUSY_SHARE)?;
        self.all = quantile(drawn.iter().map(Drawn::ratio), share)?.clamp(0.0, FACTOR_MAX);
        let factor_where = |wanted: &dyn Fn(&LeadPoint) -> bool| {
            let some = drawn.iter().filter(|it| wanted(&it.residual.point));
            let some: Vec<f64> = some.map(Drawn::ratio).collect();
            let enough = some.len() >= RESIDUALS_MIN;
            enough.then(|| quantile(some, share)).flatten()
        };
        let busy = factor_where(&|point| point.predicted >= self.busy_from);
        let event = factor_where(&|point| point.lift.abs() >= EVENT_LIFT);
        let peak = self.peak_factor(view.day, drawn);
        let at_least_all = |factor: Option<f64>| {
            factor.map_or(self.all, |factor| factor.clamp(self.all, FACTOR_MAX))
        };
        (self.busy, self.event, self.peak) =
            (at_least_all(busy), at_least_all(event), at_least_all(peak));
        Some(())
    }

    /// The factor that would have covered most peaks; `None` where they cannot be foreseen.
    fn peak_factor(&self, day: usize, drawn: &[Drawn]) -> Option<f64> {
        let is_peak = |it: &&Drawn| it.residual.truth_rps >= self.peak_from_rps;
        let near = || {
            let near = |it: &&Drawn| self.is_near_peak(it.residual.p50_rps, it.distance_rps);
            drawn.iter().filter(near)
        };
        let peaks: Vec<&Drawn> = near().filter(is_peak).collect();
        let all = drawn.iter().filter(is_peak).count();
        let target = |it: &&Drawn| (it.residual.point.origin + it.residual.point.lead) / day;
        let days: BTreeSet<usize> = peaks.iter().map(target).collect();
        let foreseen = peaks.len() >= PEAKS_MIN
            && days.len() >= PEAK_DAYS_MIN
            && peaks.len() as f64 >= PEAK_FORESEEN * all as f64;
        if !foreseen {
            return None;
        }
        let most = quantile(near().map(Drawn::ratio), PEAK_EFFORT)?;
        let covering = quantile(peaks.into_iter().map(Drawn::ratio), PEAK_COVERED)?;
        Some(covering.min(most))
    }

    /// The upper bounds, requests/s.
    pub(crate) fn uppers(&self, view: &View, unit: Unit, point: &LeadPoint) -> Uppers {
        let row = features::spread_row(view, point);
        let p50_rps = unit.rate(point.predicted);
        let distance_rps = self.distance_rps(unit, point, &row);
        let above_rps = self.factor(point, p50_rps, distance_rps) * distance_rps;
        Uppers {
            upper_rps: p50_rps + above_rps,
            p99_rps: p50_rps + self.far * above_rps,
        }
    }

    /// The distance before any factor, above zero.
    fn distance_rps(&self, unit: Unit, point: &LeadPoint, row: &[f64]) -> f64 {
        let distances = self.models.distances_rps(unit, point, row);
        mixed(&distances, &self.weights).max(f64::MIN_POSITIVE)
    }

    fn factor(&self, point: &LeadPoint, p50_rps: f64, distance_rps: f64) -> f64 {
        let mut factor = self.all;
        if point.predicted >= self.busy_from {
            factor = factor.max(self.busy);
        }
        if point.lift.abs() >= EVENT_LIFT {
            factor = factor.max(self.event);
        }
        if self.is_near_peak(p50_rps, distance_rps) {
            factor = factor.max(self.peak);
        }
        factor
    }

    fn is_near_peak(&self, p50_rps: f64, distance_rps: f64) -> bool {
        p50_rps + PEAK_NEAR * self.all * distance_rps >= self.peak_from_rps
    }
}

/// The share to calibrate for, so that `share` is kept although the residuals are no independent draws.
fn cautious(view: &View, residuals: &[Residual], share: f64) -> f64 {
    let lead = residuals
        .iter()
        .map(|residual| residual.point.lead)
        .max()
        .unwrap_or(0);
    if lead as f64 * f64::from(view.blocks.block_s()) <= LEAD_MANY_S {
        return share;
    }
    let origin = |residual: Option<&Residual>| residual.map_or(0, |residual| residual.point.origin);
    let days = (origin(residuals.last()) - origin(residuals.first())) as f64 / view.day as f64;
    let independent = (days * INDEPENDENT_PER_DAY).max(1.0);
    (share * (independent + 1.0) / independent).min(SHARE_MAX.max(share))
}
