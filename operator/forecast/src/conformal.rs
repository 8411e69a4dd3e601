//! Upper quantiles by conformal residuals: the bound that held in the validation part, per lead
//! bucket and in log space, with its own calibration for the busiest tenth of demand.

use serde::{Deserialize, Serialize};

/// Fewest residuals from which a quantile is taken.
const RESIDUALS_MIN: usize = 20;
/// A bound is never further above the median than this factor, in log space.
const OFFSET_MAX: f64 = 4.0;

/// How far above the median the upper quantile lies, in log space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bound {
    /// For all demand; not negative.
    all: f64,
    /// For demand predicted above `busy_from`; never less than `all`.
    busy: f64,
    /// Start of the busiest tenth of predicted demand, in log space.
    busy_from: f64,
}

impl Bound {
    /// A bound for when there are no residuals.
    pub(crate) const fn wide(factor_log: f64) -> Self {
        Self {
            all: factor_log,
            busy: factor_log,
            busy_from: f64::MAX,
        }
    }

    /// Calibrates on pairs of prediction and truth, both in log space; `None` when too few.
    pub(crate) fn calibrate(pairs: &[(f64, f64)], share: f64) -> Option<Self> {
        if pairs.len() < RESIDUALS_MIN {
            return None;
        }
        let residual = |(predicted, truth): &(f64, f64)| truth - predicted;
        let all = quantile(pairs.iter().map(residual).collect(), share)?.clamp(0.0, OFFSET_MAX);
        let predictions = pairs.iter().map(|(predicted, _)| *predicted).collect();
        let busy_from = quantile(predictions, 0.9)?;
        let busy: Vec<f64> = pairs
            .iter()
            .filter(|(predicted, _)| *predicted >= busy_from)
            .map(residual)
            .collect();
        let busy = if busy.len() < RESIDUALS_MIN {
            None
        } else {
            quantile(busy, share)
        };
        Some(Self {
            all,
            busy: busy.unwrap_or(all).clamp(all, OFFSET_MAX),
            busy_from,
        })
    }

    /// Distance from the median to the bound at a predicted value, in log space.
    pub(crate) fn offset(&self, predicted: f64) -> f64 {
        if predicted >= self.busy_from {
            self.busy
        } else {
            self.all
        }
    }
}

/// The conformal quantile: the smallest residual that covers `share` of one more draw.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let rank = ((values.len() + 1) as f64 * share).ceil() as usize;
    let index = rank.saturating_sub(1).min(values.len() - 1);
    let (_, value, _) = values.select_nth_unstable_by(index, f64::total_cmp);
    Some(*value)
}
