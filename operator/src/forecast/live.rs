//! How the forecast fares: what was promised at the lead time against what came, beside seasonal
//! naive on the same points.

use floodgate_forecast::{Accuracy, ForecastPath, Promise, Series, UnixMillis, Verdict};
use jiff::Timestamp;

use crate::{
    snapshot::{Cell, LiveFigures},
    target::ForecastTarget,
};

/// Promises of one cluster and what came of them.
#[derive(Default)]
pub(super) struct Live {
    accuracy: Accuracy,
}

impl Live {
    /// Goes on where an earlier process stood; what this one has seen meanwhile counts too.
    pub(super) fn resume(&mut self, earlier: Accuracy) {
        self.accuracy = std::mem::take(&mut self.accuracy).after(earlier);
    }

    /// What is stored: what came due. What still waits would be settled by another process's load.
    pub(super) fn settled(&self) -> Accuracy {
        self.accuracy.settled()
    }

    /// Compares what was promised for now with the load that came. Load of a sale or of a masked
    /// window is none that the forecast speaks of.
    pub(super) fn settle(&mut self, cell: &Cell, wanted: &ForecastTarget, now: Timestamp) {
        let mut sales = wanted.sales.iter();
        let in_sale = sales.any(|(from, until)| *from <= now && now < *until);
        let instant = UnixMillis::from(now);
        let mut masks = wanted.masks.iter();
        let masked = masks.any(|mask| mask.from <= instant && instant <= mask.until);
        let reading = cell.prometheus.load_full();
        let load = reading
            .as_ref()
            .and_then(|reading| reading.load.as_ref().ok());
        if let (Some(load), false) = (load, in_sale || masked) {
            let tolerance_s = wanted.refresh_s.saturating_mul(2);
            self.accuracy.observe(instant, load.rps, tolerance_s);
        }
    }

    /// Remembers what a path says about the lead time, and what seasonal naive says.
    pub(super) fn promise(
        &mut self,
        path: &ForecastPath,
        series: &Series,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) {
        let at = UnixMillis::from(now).plus_s(i64::from(wanted.lead_s));
        let last = || series.points().last().map(|(_, rps)| rps);
        let naive = series.seasonal_naive_rps(at).or_else(last);
        let bounds = path
            .p50_rps_max(at, at)
            .zip(path.upper_rps_max(at, at))
            .zip(naive);
        if let Some(((p50_rps, upper_rps), naive_rps)) = bounds {
            self.accuracy.promise(Promise {
                at,
                p50_rps,
                upper_rps,
                naive_rps,
            });
        }
    }

    /// Factor that brings live coverage back to the quantile.
    pub(super) fn widening(&self, quantile_percent: u8) -> f64 {
        self.accuracy.widening(quantile_percent)
    }

    /// The figures.
    pub(super) fn figures(&self) -> LiveFigures {
        let percent = |share: f64| (share * 100.0).round().clamp(0.0, 10_000.0) as u32;
        let verdict = self.accuracy.verdict();
        LiveFigures {
            error_percent: self.accuracy.wape().map(percent),
            naive_error_percent: self.accuracy.wape_naive().map(percent),
            coverage_percent: self.accuracy.coverage().map(percent),
            proven: verdict != Verdict::Unproven,
            loses: verdict == Verdict::Untrusted,
        }
    }
}

#[cfg(test)]
mod tests;
