//! How a forecast fares: what was promised at the lead time against what came, beside seasonal naive
//! on the same points.

use floodgate_forecast::{Accuracy, ForecastPath, Promise, Series, UnixMillis, Verdict};

/// Promises of one cluster and what came of them.
#[derive(Clone, Debug, Default)]
pub struct LiveAccuracy(Accuracy);

/// How the forecast has fared over the promises that came due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveFigures {
    /// Error (WAPE) at the lead time, percent of the load; none until a promise came due.
    pub error_percent: Option<u32>,
    /// The same for seasonal naive on the same points.
    pub naive_error_percent: Option<u32>,
    /// Share of loads at or below the upper quantile, percent.
    pub coverage_percent: Option<u32>,
    /// Whether enough promises came due for the figures to mean something.
    pub proven: bool,
    /// Whether seasonal naive would have been clearly better.
    pub loses: bool,
}

impl LiveAccuracy {
    /// Goes on where an earlier process stood; what this one has seen meanwhile counts too.
    pub fn resume(&mut self, earlier: Accuracy) {
        self.0 = std::mem::take(&mut self.0).after(earlier);
    }

    /// What is stored: what came due. What still waits would be settled by another process's load.
    pub fn settled(&self) -> Accuracy {
        self.0.settled()
    }

    /// Compares what was promised for now with the load that came, the path being renewed each
    /// `refresh_s`; not to be called with the load of a sale or of a masked window, of which the
    /// forecast says nothing.
    pub fn settle(&mut self, now: UnixMillis, load_rps: f64, refresh_s: u32) {
        self.0.observe(now, load_rps, refresh_s.saturating_mul(2));
    }

    /// Remembers what a path says about `due`, beside what seasonal naive says.
    pub fn promise(&mut self, path: &ForecastPath, due: UnixMillis, naive_rps: Option<f64>) {
        let bounds = path
            .p50_rps_max(due, due)
            .zip(path.upper_rps_max(due, due))
            .zip(naive_rps);
        if let Some(((p50_rps, upper_rps), naive_rps)) = bounds {
            self.0.promise(Promise {
                at: due,
                p50_rps,
                upper_rps,
                naive_rps,
            });
        }
    }

    /// Factor on the distance of the upper quantiles that brings live coverage back to the quantile.
    pub fn widening(&self, quantile_percent: u8) -> f64 {
        self.0.widening(quantile_percent)
    }

    /// The figures.
    pub fn figures(&self) -> LiveFigures {
        let percent = |share: f64| (share * 100.0).round().clamp(0.0, 10_000.0) as u32;
        let verdict = self.0.verdict();
        LiveFigures {
            error_percent: self.0.wape().map(percent),
            naive_error_percent: self.0.wape_naive().map(percent),
            coverage_percent: self.0.coverage().map(percent),
            proven: verdict != Verdict::Unproven,
            loses: verdict == Verdict::Untrusted,
        }
    }
}

/// What seasonal naive says about `due`: the value a season before it, or else the newest one.
pub fn naive_rps(series: &Series, due: UnixMillis) -> Option<f64> {
    let newest = || series.points().last().map(|(_, rps)| rps);
    series.seasonal_naive_rps(due).or_else(newest)
}

#[cfg(test)]
mod tests;
