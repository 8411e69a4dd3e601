//! The history as Prometheus has it: fetched whole or from its end, and watched for being lost.

use floodgate_prometheus::{
    Missing, MissingReason, Prometheus,
    history::{PastLoad, Span, span_until},
};
use jiff::{SignedDuration, Timestamp};

use super::ClusterForecaster;
use crate::target::Target;

/// Overlap of an update with what is known: a sample may still have been incomplete.
const OVERLAP_STEPS: i64 = 3;
/// Known samples below which their absence proves nothing.
const KNOWN_MIN: usize = 3;

impl ClusterForecaster {
    /// Fetches the whole history before a fit, and only its end between two fits.
    pub(super) async fn fetch(
        &mut self,
        target: &Target,
        all: bool,
        now: Timestamp,
    ) -> Result<(), Missing> {
        let wanted = &target.forecast;
        let prometheus = Prometheus::connect(&target.endpoint).map_err(|error| {
            Missing::because(MissingReason::PrometheusUnavailable, error.to_string())
        })?;
        let days = i64::from(wanted.history_days);
        let whole = span_until(now, SignedDuration::from_hours(24 * days), wanted.step_s);
        let last = self.past.last().map(|sample| sample.at).filter(|_| !all);
        let overlap = SignedDuration::from_secs(OVERLAP_STEPS * i64::from(wanted.step_s));
        let from = last
            .and_then(|at| at.checked_sub(overlap).ok())
            .unwrap_or(whole.from);
        let mut span = Span {
            from: from.max(whole.from),
            ..whole
        };
        let mut fetched = prometheus
            .history(&wanted.query, &wanted.cluster, span)
            .await?;
        if span != whole && self.is_lost(span.from, &fetched) {
            // A hole at the end or an empty store: the whole window shows which.
            span = whole;
            fetched = prometheus
                .history(&wanted.query, &wanted.cluster, span)
                .await?;
        }
        if self.is_lost(span.from, &fetched) {
            let (namespace, cluster) = &wanted.cluster;
            tracing::warn!(namespace, cluster, "Prometheus lost the history it had");
            self.history_lost_at = Some(now);
        }
        self.past
            .retain(|sample| sample.at < span.from && sample.at >= whole.from);
        self.past.extend(fetched);
        Ok(())
    }

    /// Whether less than half of what was known from `from` on is still there: a Prometheus was
    /// emptied under the running operator, not merely down (F12).
    pub(super) fn is_lost(&self, from: Timestamp, fetched: &[PastLoad]) -> bool {
        let known = |sample: &&PastLoad| sample.rps.is_finite() && sample.rps >= 0.0;
        let before = self.past.iter().filter(known);
        let before: Vec<Timestamp> = before.map(|one| one.at).filter(|at| *at >= from).collect();
        let Some(newest) = before.iter().max() else {
            return false;
        };
        let still = fetched.iter().filter(known);
        let still = still.filter(|one| one.at >= from && one.at <= *newest);
        before.len() >= KNOWN_MIN && still.count() * 2 < before.len()
    }
}
