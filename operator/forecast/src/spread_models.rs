//! Methods to say how far the truth may lie above the median: each learned on out-of-sample
//! predictions, none right for every kind of traffic.
//!
//! What they have in common is the distance in requests/s; a bound is a weighted mean of it.

use serde::{Deserialize, Serialize};

use crate::{
    blend::{self, mixed},
    residual::{LeadPoint, RESIDUALS_MIN, Residual, quantile},
    ridge::{Rows, Sums, predict},
    view::Unit,
};

/// How many methods there are.
pub(crate) const METHODS: usize = 3;
/// A distance is never more than this, in log space.
const OFFSET_MAX: f64 = 4.0;
/// Added to an absolute residual before its logarithm, as a share of the mean residual.
const FLOOR_SHARE: f64 = 0.1;
/// Penalty of the regression of the spread: it has few rows that say much.
const LAMBDA: f64 = 30.0;

/// Ends of the parts that judge the methods, as shares of the residuals; each part is judged by what was
/// learned on the residuals before it.
const JUDGED_FROM: [f64; 3] = [0.4, 0.7, 1.0];
/// Cases that set the weights of the methods.
const JUDGED_MAX: usize = 1_500;
/// A method must lower the pinball loss by this share to gain weight: it is noisier than the absolute
/// error, and equal weights are a good start.
const GAIN_MIN: f64 = 6e-3;

/// Distances learned from residuals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SpreadModels {
    /// Coefficients of the log of the spread; empty when it is the same everywhere.
    spread: Vec<f64>,
    /// Least and greatest spread that was seen, as logs.
    spread_range: (f64, f64),
    /// Distance in log space, in units of the spread; not negative.
    score: f64,
    /// Distance in log space, the same everywhere; not negative.
    offset: f64,
    /// Distance in requests/s, the same everywhere; not negative.
    flat_rps: f64,
}

impl SpreadModels {
    /// The same distance in log space everywhere.
    pub(crate) const fn constant(offset: f64) -> Self {
        Self {
            spread: Vec::new(),
            spread_range: (0.0, 0.0),
            score: offset,
            offset,
            flat_rps: 0.0,
        }
    }

    /// Learns every method on residuals, whose spread rows are the first of `rows`; `None` without any.
    pub(crate) fn learn(residuals: &[Residual], rows: &Rows, share: f64) -> Option<Self> {
        let mut models = Self::constant(0.0);
        let logs = models.learn_spread(residuals, rows)?;
        let scores = residuals.iter().zip(&logs);
        let scores = scores.map(|(residual, log)| residual.off() / log.exp());
        models.score = quantile(scores, share)?.max(0.0);
        models.offset = quantile(residuals.iter().map(Residual::off), share)?.max(0.0);
        models.flat_rps = quantile(residuals.iter().map(Residual::off_rps), share)?.max(0.0);
        Some(models)
    }

    /// From the median to the bound by each method, requests/s; none negative.
    pub(crate) fn distances_rps(
        &self,
        unit: Unit,
        point: &LeadPoint,
        row: &[f64],
    ) -> [f64; METHODS] {
        let p50_rps = unit.rate(point.predicted);
        let (least, most) = self.spread_range;
        let spread = predict(&self.spread, row).clamp(least, most).exp();
        let distance = |offset: f64| unit.rate(point.predicted + offset.min(OFFSET_MAX)) - p50_rps;
        [
            distance(self.score * spread),
            distance(self.offset),
            self.flat_rps,
        ]
    }

    /// Learns what the spread depends on; returns its log at every residual.
    fn learn_spread(&mut self, residuals: &[Residual], rows: &Rows) -> Option<Vec<f64>> {
        let off = |residual: &Residual| residual.off().abs();
        let mean = residuals.iter().map(off).sum::<f64>() / residuals.len() as f64;
        let floor = FLOOR_SHARE * mean + 1e-9;
        let mut targets = Rows::default();
        for (index, residual) in residuals.iter().enumerate() {
            targets.push(rows.row(index), (off(residual) + floor).ln());
        }
        let mut sums = Sums::new(&targets);
        sums.grow(targets.len(), &|_| 1.0);
        let columns: Vec<usize> = (0..targets.width()).collect();
        self.spread = sums.solve(&columns, LAMBDA).unwrap_or_default();
        let logs = (0..targets.len()).map(|index| predict(&self.spread, targets.row(index)));
        let logs: Vec<f64> = logs.collect();
        let (least, most) = (
            quantile(logs.iter().copied(), 0.01)?,
            quantile(logs.iter().copied(), 0.99)?,
        );
        self.spread_range = (least, most);
        Some(logs.iter().map(|log| log.clamp(least, most)).collect())
    }
}

/// Weights of the methods by the pinball loss on residuals newer than those each had learned from.
pub(crate) fn weights(
    unit: Unit,
    residuals: &[Residual],
    rows: &Rows,
    share: f64,
) -> [f64; METHODS] {
    let index = |share: f64| (residuals.len() as f64 * share) as usize;
    let thinning = (residuals.len() - index(JUDGED_FROM[0])).div_ceil(JUDGED_MAX);
    let mut judged: Vec<([f64; METHODS], f64)> = Vec::new();
    for part in JUDGED_FROM.windows(2) {
        let (begin, end) = (index(part[0]), index(part[1]));
        let first = residuals[begin].point.origin;
        let known = residuals[..begin]
            .partition_point(|residual| residual.point.origin + residual.point.lead <= first);
        if known < RESIDUALS_MIN {
            continue;
        }
        let Some(models) = SpreadModels::learn(&residuals[..known], rows, share) else {
            continue;
        };
        judged.extend((begin..end).step_by(thinning.max(1)).map(|index| {
            let residual = &residuals[index];
            let distances = models.distances_rps(unit, &residual.point, rows.row(index));
            (distances, residual.off_rps())
        }));
    }
    let pinball = |weights: &[f64]| {
        let losses = judged.iter().map(|(distances, off_rps)| {
            let missed = off_rps - mixed(distances, weights);
            (share * missed).max((share - 1.0) * missed)
        });
        losses.sum()
    };
    let found = blend::weights(METHODS, GAIN_MIN, pinball);
    std::array::from_fn(|method| found[method])
}
