//! Out-of-sample predictions beside the truth, and the conformal quantile of what they missed.

/// Fewest residuals from which a quantile is taken.
pub(crate) const RESIDUALS_MIN: usize = 20;

/// Where a bound is wanted.
#[derive(Clone, Copy)]
pub(crate) struct LeadPoint {
    pub(crate) origin: usize,
    pub(crate) lead: usize,
    /// What events add at the target, in log space.
    pub(crate) lift: f64,
    /// The median, in log space.
    pub(crate) predicted: f64,
}

/// One out-of-sample prediction beside the truth.
pub(crate) struct Residual {
    pub(crate) point: LeadPoint,
    /// What came, in log space.
    pub(crate) truth: f64,
    pub(crate) p50_rps: f64,
    pub(crate) truth_rps: f64,
}

impl Residual {
    /// Truth above the median, in log space.
    pub(crate) fn off(&self) -> f64 {
        self.truth - self.point.predicted
    }

    /// Truth above the median, requests/s.
    pub(crate) fn off_rps(&self) -> f64 {
        self.truth_rps - self.p50_rps
    }
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
