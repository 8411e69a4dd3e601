//! Upper quantiles by conformal residuals: the bound that held on rows no member had seen, per lead
//! bucket, in log space and in units of the spread expected at that row; where much is predicted or
//! an event runs the bound has a calibration of its own.

use serde::{Deserialize, Serialize};

use crate::features;
use crate::ridge::{Rows, Sums, predict};
use crate::view::{Unit, View};

/// Fewest residuals from which a quantile is taken.
const RESIDUALS_MIN: usize = 20;
/// The distance by spread is never more than this, in log space.
const OFFSET_MAX: f64 = 4.0;
/// Added to an absolute residual before its logarithm, as a share of the mean residual.
const FLOOR_SHARE: f64 = 0.1;
/// Penalty of the regression of the spread: it has few rows that say much.
const LAMBDA: f64 = 30.0;
/// No calibration widens a distance by more than this factor.
const FACTOR_MAX: f64 = 10.0;
/// Demand predicted above this share of all predictions is busy.
const BUSY_SHARE: f64 = 0.9;
/// Loads above this share of all are the greatest that came.
const PEAK_SHARE: f64 = 0.975;
/// Share of the greatest loads that the bound is widened to cover, if it can be done with the
/// quantile `PEAK_EFFORT` of the busy residuals.
const PEAK_COVERED: f64 = 0.85;
const PEAK_EFFORT: f64 = 0.99;
/// The widening is for peaks that can be foreseen: at least this share of them was predicted busy.
const PEAK_FORESEEN: f64 = 0.8;
/// Lift of an event, in log space, from which the calibration for events serves.
const EVENT_LIFT: f64 = 0.05;

/// One out-of-sample prediction beside the truth, in log space.
#[derive(Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) origin: usize,
    pub(crate) lead: usize,
    /// What events add at the target.
    pub(crate) lift: f64,
    pub(crate) predicted: f64,
    pub(crate) truth: f64,
}

/// How far above the median the upper quantile lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bound {
    shape: Shape,
    /// Factor on the distance for all demand.
    all: f64,
    /// Factor for demand predicted above `busy_from`; never less than `all`.
    busy: f64,
    /// Start of the busiest tenth of predicted demand, in log space.
    busy_from: f64,
    /// Factor while an event lifts demand; never less than `all`.
    event: f64,
}

/// The distance from the median before any factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shape {
    /// Coefficients of the log of the spread; empty when it is the same everywhere.
    spread: Vec<f64>,
    /// Least and greatest spread that was seen, as logs.
    spread_range: (f64, f64),
    /// Distance in log space, in units of the spread; not negative.
    score: f64,
}

/// A row of the calibration.
struct Case {
    predicted: f64,
    lift: f64,
    /// From the median to the bound before any factor; above zero.
    distance_rps: f64,
    p50_rps: f64,
    truth_rps: f64,
}

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

impl Bound {
    /// A bound for when there are no residuals.
    pub(crate) const fn wide(factor_log: f64) -> Self {
        Self {
            shape: Shape::constant(factor_log),
            all: 1.0,
            busy: 1.0,
            busy_from: f64::MAX,
            event: 1.0,
        }
    }

    /// Calibrates on out-of-sample predictions; `None` when they are too few.
    pub(crate) fn calibrate(
        view: &View,
        unit: Unit,
        residuals: &[Residual],
        share: f64,
    ) -> Option<Self> {
        if residuals.len() < RESIDUALS_MIN {
            return None;
        }
        let (shape, cases) = Shape::learn(view, unit, residuals, share)?;
        let ratio = |case: &Case| (case.truth_rps - case.p50_rps) / case.distance_rps;
        let all = quantile(cases.iter().map(ratio), share)?.clamp(0.0, FACTOR_MAX);
        let busy_from = quantile(cases.iter().map(|case| case.predicted), BUSY_SHARE)?;
        let busy = busy_factor(&cases, busy_from, share, ratio);
        let lifted = cases.iter().filter(|case| case.lift.abs() >= EVENT_LIFT);
        let event = enough(lifted.map(ratio)).and_then(|ratios| quantile(ratios, share));
        let at_least_all = |factor: Option<f64>| factor.map_or(all, |it| it.clamp(all, FACTOR_MAX));
        Some(Self {
            all,
            busy: at_least_all(busy),
            busy_from,
            event: at_least_all(event),
            shape,
        })
    }

    /// The upper bound, requests/s.
    pub(crate) fn upper_rps(&self, view: &View, unit: Unit, spot: Spot) -> f64 {
        let row = features::spread_row(view, spot);
        let case = self
            .shape
            .case(unit, spot, predict(&self.shape.spread, &row), 0.0);
        let mut factor = self.all;
        if spot.predicted >= self.busy_from {
            factor = self.busy;
        }
        if spot.lift.abs() >= EVENT_LIFT {
            factor = factor.max(self.event);
        }
        case.p50_rps + factor * case.distance_rps
    }
}

/// The factor for busy demand: its own quantile, widened so that most of the greatest loads that
/// came were below the bound where such loads can be foreseen at all.
fn busy_factor(
    cases: &[Case],
    busy_from: f64,
    share: f64,
    ratio: impl Fn(&Case) -> f64,
) -> Option<f64> {
    let busy = || cases.iter().filter(|case| case.predicted >= busy_from);
    let ratios = enough(busy().map(&ratio))?;
    let own = quantile(ratios.iter().copied(), share)?;
    let top = quantile(cases.iter().map(|case| case.truth_rps), PEAK_SHARE)?;
    let tops = cases.iter().filter(|case| case.truth_rps >= top).count();
    let peaks: Vec<f64> = busy()
        .filter(|case| case.truth_rps >= top)
        .map(&ratio)
        .collect();
    if (peaks.len() as f64) < PEAK_FORESEEN * tops as f64 {
        return Some(own);
    }
    let most = quantile(ratios, PEAK_EFFORT)?;
    let peak = quantile(peaks, PEAK_COVERED)?;
    Some(own.max(peak.min(most)))
}

impl Shape {
    const fn constant(factor_log: f64) -> Self {
        Self {
            spread: Vec::new(),
            spread_range: (0.0, 0.0),
            score: factor_log,
        }
    }

    fn learn(
        view: &View,
        unit: Unit,
        residuals: &[Residual],
        share: f64,
    ) -> Option<(Self, Vec<Case>)> {
        let mut shape = Self::constant(0.0);
        let logs = shape.learn_spread(view, residuals)?;
        let score = |(r, log): (&Residual, &f64)| (r.truth - r.predicted) / log.exp();
        shape.score = quantile(residuals.iter().zip(&logs).map(score), share)?.max(0.0);
        let cases: Vec<Case> = residuals
            .iter()
            .zip(&logs)
            .map(|(r, log)| shape.case(unit, r.spot(), *log, unit.rate(r.truth)))
            .collect();
        Some((shape, cases))
    }

    /// Learns what the spread depends on; returns its log at every residual.
    fn learn_spread(&mut self, view: &View, residuals: &[Residual]) -> Option<Vec<f64>> {
        let off = |r: &Residual| (r.truth - r.predicted).abs();
        let mean = residuals.iter().map(off).sum::<f64>() / residuals.len() as f64;
        let floor = FLOOR_SHARE * mean + 1e-9;
        let mut rows = Rows::default();
        for r in residuals {
            rows.push(&features::spread_row(view, r.spot()), (off(r) + floor).ln());
        }
        let mut sums = Sums::new(&rows);
        sums.grow(rows.len(), &|_| 1.0);
        let columns: Vec<usize> = (0..rows.width()).collect();
        self.spread = sums.solve(&columns, LAMBDA).unwrap_or_default();
        let log = |index| predict(&self.spread, rows.row(index));
        let logs: Vec<f64> = (0..rows.len()).map(log).collect();
        self.spread_range = (
            quantile(logs.iter().copied(), 0.01)?,
            quantile(logs.iter().copied(), 0.99)?,
        );
        Some(logs)
    }

    fn case(&self, unit: Unit, spot: Spot, spread_log: f64, truth_rps: f64) -> Case {
        let (least, most) = self.spread_range;
        let spread = spread_log.clamp(least, most).exp();
        let offset = (self.score * spread).clamp(0.0, OFFSET_MAX);
        let p50_rps = unit.rate(spot.predicted);
        Case {
            predicted: spot.predicted,
            lift: spot.lift,
            distance_rps: (unit.rate(spot.predicted + offset) - p50_rps).max(f64::MIN_POSITIVE),
            p50_rps,
            truth_rps,
        }
    }
}

impl Residual {
    const fn spot(&self) -> Spot {
        Spot {
            origin: self.origin,
            lead: self.lead,
            lift: self.lift,
            predicted: self.predicted,
        }
    }
}

/// The values when there are enough of them for a quantile.
fn enough(values: impl Iterator<Item = f64>) -> Option<Vec<f64>> {
    let values: Vec<f64> = values.collect();
    (values.len() >= RESIDUALS_MIN).then_some(values)
}

/// The conformal quantile: the smallest value that covers `share` of one more draw.
fn quantile(values: impl IntoIterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    if values.is_empty() {
        return None;
    }
    let rank = ((values.len() + 1) as f64 * share).ceil() as usize;
    let index = rank.saturating_sub(1).min(values.len() - 1);
    let (_, value, _) = values.select_nth_unstable_by(index, f64::total_cmp);
    Some(*value)
}
