//! Upper quantiles by conformal residuals: the bound that held on rows no member had seen, per lead
//! bucket.
//!
//! Several ways to draw the distance are mixed by the pinball loss that each would have had on cases
//! newer than those it learned from; the mixture is then calibrated on all cases, and again where
//! much is predicted, where an event runs, and where the peaks of the window are near.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::blend::mixed;
use crate::features;
use crate::reaches::{self, Reaches, WAYS};
use crate::ridge::Rows;
use crate::view::{Unit, View};

/// Fewest residuals from which a quantile is taken.
pub(crate) const RESIDUALS_MIN: usize = 20;
/// No calibration widens a distance by more than this factor.
const FACTOR_MAX: f64 = 10.0;
/// Leads above this one see so few independent cases that the quantile is taken further out.
const LEAD_MANY_S: f64 = 3_600.0;
/// Independent cases a day for such leads: what happens within an hour is one case.
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
/// near, on at least so many days, in at least so many cases.
const PEAK_FORESEEN: f64 = 0.6;
const PEAK_DAYS_MIN: usize = 3;
const PEAKS_MIN: usize = 10;
/// Lift of an event, in log space, from which the calibration for events serves.
const EVENT_LIFT: f64 = 0.05;
/// The greatest quantile of a path, which every bound is calibrated for too.
const SHARE_FAR: f64 = 0.99;
/// How much further that one lies than the 95 % quantile of a normal distribution.
const FAR_NORMAL: f64 = 1.414;

/// Where a bound is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) origin: usize,
    pub(crate) lead: usize,
    /// What events add at the target, in log space.
    pub(crate) lift: f64,
    /// The median, in log space.
    pub(crate) predicted: f64,
}

/// One out-of-sample prediction beside the truth.
pub(crate) struct Case {
    pub(crate) spot: Spot,
    /// What came, in log space.
    pub(crate) truth: f64,
    pub(crate) p50_rps: f64,
    pub(crate) truth_rps: f64,
}

impl Case {
    /// Truth above the median, in log space.
    pub(crate) fn off(&self) -> f64 {
        self.truth - self.spot.predicted
    }

    /// Truth above the median, requests/s.
    pub(crate) fn off_rps(&self) -> f64 {
        self.truth_rps - self.p50_rps
    }
}

/// A case with its distance before any factor.
struct Drawn<'a> {
    case: &'a Case,
    distance_rps: f64,
}

impl Drawn<'_> {
    /// Truth above the median, in distances.
    fn ratio(&self) -> f64 {
        self.case.off_rps() / self.distance_rps
    }
}

/// How far above the median the upper quantiles lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bound {
    reaches: Reaches,
    /// Of each way to draw the distance.
    weights: [f64; WAYS],
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
            reaches: Reaches::constant(offset),
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
    pub(crate) fn calibrate(view: &View, unit: Unit, cases: &[Case], share: f64) -> Option<Self> {
        if cases.len() < RESIDUALS_MIN {
            return None;
        }
        let share = cautious(view, cases, share);
        let mut rows = Rows::default();
        for case in cases {
            rows.push(&features::spread_row(view, &case.spot), 0.0);
        }
        let mut bound = Self {
            reaches: Reaches::learn(cases, &rows, share)?,
            weights: reaches::weights(unit, cases, &rows, share),
            ..Self::wide(0.0)
        };
        let drawn = cases.iter().enumerate().map(|(index, case)| Drawn {
            case,
            distance_rps: bound.distance_rps(unit, &case.spot, rows.row(index)),
        });
        let drawn: Vec<Drawn> = drawn.collect();
        bound.calibrate_factors(view, &drawn, share)?;
        let of_upper = drawn.iter().map(|it| {
            let factor = bound.factor(&it.case.spot, it.case.p50_rps, it.distance_rps);
            it.ratio() / factor.max(f64::MIN_POSITIVE)
        });
        bound.far = quantile(of_upper, SHARE_FAR)?.clamp(1.0, FACTOR_MAX);
        Some(bound)
    }

    /// Sets the factors from what was drawn before any of them.
    fn calibrate_factors(&mut self, view: &View, drawn: &[Drawn], share: f64) -> Option<()> {
        let blocks = view.blocks;
        let observed = (0..blocks.len()).filter_map(|index| blocks.observed(index));
        let predicted = drawn.iter().map(|it| it.case.spot.predicted);
        self.peak_from_rps = quantile(observed, PEAK_SHARE)?;
        self.busy_from = quantile(predicted, BUSY_SHARE)?;
        self.all = quantile(drawn.iter().map(Drawn::ratio), share)?.clamp(0.0, FACTOR_MAX);
        let factor_where = |wanted: &dyn Fn(&Spot) -> bool| {
            let some = drawn.iter().filter(|it| wanted(&it.case.spot));
            let some: Vec<f64> = some.map(Drawn::ratio).collect();
            let enough = some.len() >= RESIDUALS_MIN;
            enough.then(|| quantile(some, share)).flatten()
        };
        let busy = factor_where(&|spot| spot.predicted >= self.busy_from);
        let event = factor_where(&|spot| spot.lift.abs() >= EVENT_LIFT);
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
        let is_peak = |it: &&Drawn| it.case.truth_rps >= self.peak_from_rps;
        let near = || {
            let near = |it: &&Drawn| self.is_near_peak(it.case.p50_rps, it.distance_rps);
            drawn.iter().filter(near)
        };
        let peaks: Vec<&Drawn> = near().filter(is_peak).collect();
        let all = drawn.iter().filter(is_peak).count();
        let target = |it: &&Drawn| (it.case.spot.origin + it.case.spot.lead) / day;
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
    pub(crate) fn uppers(&self, view: &View, unit: Unit, spot: &Spot) -> Uppers {
        let row = features::spread_row(view, spot);
        let p50_rps = unit.rate(spot.predicted);
        let distance_rps = self.distance_rps(unit, spot, &row);
        let above_rps = self.factor(spot, p50_rps, distance_rps) * distance_rps;
        Uppers {
            upper_rps: p50_rps + above_rps,
            p99_rps: p50_rps + self.far * above_rps,
        }
    }

    /// The distance before any factor, above zero.
    fn distance_rps(&self, unit: Unit, spot: &Spot, row: &[f64]) -> f64 {
        let distances = self.reaches.distances_rps(unit, spot, row);
        mixed(&distances, &self.weights).max(f64::MIN_POSITIVE)
    }

    fn factor(&self, spot: &Spot, p50_rps: f64, distance_rps: f64) -> f64 {
        let mut factor = self.all;
        if spot.predicted >= self.busy_from {
            factor = factor.max(self.busy);
        }
        if spot.lift.abs() >= EVENT_LIFT {
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

/// The share to calibrate for, so that `share` is kept although the cases are no independent draws.
fn cautious(view: &View, cases: &[Case], share: f64) -> f64 {
    let lead = cases.iter().map(|case| case.spot.lead).max().unwrap_or(0);
    if lead as f64 * f64::from(view.blocks.block_s()) <= LEAD_MANY_S {
        return share;
    }
    let origin = |case: Option<&Case>| case.map_or(0, |case| case.spot.origin);
    let days = (origin(cases.last()) - origin(cases.first())) as f64 / view.day as f64;
    let independent = (days * INDEPENDENT_PER_DAY).max(1.0);
    (share * (independent + 1.0) / independent).min(SHARE_MAX.max(share))
}

/// The conformal quantile: the smallest value that covers `share` of one more draw.
pub(crate) fn quantile(values: impl IntoIterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    if values.is_empty() {
        return None;
    }
    let rank = ((values.len() + 1) as f64 * share).ceil() as usize;
    let index = rank.saturating_sub(1).min(values.len() - 1);
    let (_, value, _) = values.select_nth_unstable_by(index, f64::total_cmp);
    Some(*value)
}
