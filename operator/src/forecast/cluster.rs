//! The forecast of one cluster: history in hand, model, path and what came of its promises.

use std::{sync::Arc, time::Duration};

use floodgate_forecast::{
    Accuracy, Basis, FitOptions, ForecastPath, Model, Promise, Series, UnixMillis, Verdict, fit,
};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Semaphore, time::Instant};

use super::{Forecaster, Outlook, OutlookState};
use crate::{
    clock::seconds_between,
    prometheus::{
        Missing, MissingReason, Prometheus,
        history::{PastLoad, Span, span_until},
    },
    snapshot::Cell,
    target::{ForecastTarget, Target},
};

/// How far a path reaches: a sale is planned from the day before it.
const HORIZON_S: u32 = 26 * 3_600;
/// Pause after a failure; history that appears is used within this (F15).
const RETRY: Duration = Duration::from_secs(15);
/// Overlap of an update with what is known: a sample may still have been incomplete.
const OVERLAP_STEPS: i64 = 3;

/// State of one cluster's forecast.
#[derive(Default)]
pub(super) struct ClusterForecaster {
    past: Vec<PastLoad>,
    model: Option<Arc<Model>>,
    fitted_for: Option<ForecastTarget>,
    fitted_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    failed: bool,
    accuracy: Accuracy,
}

impl ClusterForecaster {
    /// Whether a path, a fit or a new attempt is due.
    pub(super) fn is_due(&self, target: &ForecastTarget, now: Timestamp) -> bool {
        let Some(tried_at) = self.tried_at else {
            return true;
        };
        let pause_s = if self.failed {
            RETRY.as_secs_f64()
        } else {
            f64::from(target.refresh_s)
        };
        self.fitted_for
            .as_ref()
            .is_some_and(|fitted| !same_model(fitted, target))
            || seconds_between(tried_at, now) >= pause_s
    }

    /// Fetches what is new, fits when it is time, and leaves the path in the cell.
    pub(super) async fn refresh(
        &mut self,
        loops: &Forecaster,
        cell: &Cell,
        target: &Target,
        fits: &Semaphore,
    ) {
        let now = loops.clock.now();
        self.tried_at = Some(now);
        if !target.forecast.enabled {
            *self = Self {
                tried_at: Some(now),
                ..Self::default()
            };
            cell.outlook.store(Arc::new(Outlook {
                state: OutlookState::Off,
                ..Outlook::default()
            }));
            return;
        }
        self.settle(cell, &target.forecast, now);
        match self.step(loops, target, fits, now).await {
            Ok(outlook) => {
                self.failed = false;
                cell.outlook.store(Arc::new(outlook));
            }
            Err(missing) => {
                self.failed = true;
                tracing::debug!(reason = missing.reason.as_str(), "no forecast: {missing}");
                // The last path stands until it is old; only its state says what is wrong.
                let last = cell.outlook.load_full();
                let state = OutlookState::HistoryUnavailable(missing);
                cell.outlook.store(Arc::new(Outlook {
                    state,
                    ..(*last).clone()
                }));
            }
        }
    }

    async fn step(
        &mut self,
        loops: &Forecaster,
        target: &Target,
        fits: &Semaphore,
        now: Timestamp,
    ) -> Result<Outlook, Missing> {
        let wanted = &target.forecast;
        let same = self
            .fitted_for
            .as_ref()
            .is_some_and(|fitted| same_model(fitted, wanted));
        let age_s = self
            .fitted_at
            .map_or(f64::INFINITY, |at| seconds_between(at, now));
        let refit = !same || self.model.is_none() || age_s >= f64::from(wanted.refit_s);
        self.fetch(target, refit, now).await?;
        let series = self.series(wanted)?;
        if refit {
            let started = Instant::now();
            self.model = Some(fitted(&series, wanted, fits).await?);
            loops
                .metrics
                .fit_duration
                .observe(started.elapsed().as_secs_f64());
            self.fitted_at = Some(now);
            self.fitted_for = Some(wanted.clone());
        }
        let Some(model) = self.model.clone() else {
            return Err(Missing::because(
                MissingReason::NotSampledYet,
                "no model was fitted yet",
            ));
        };
        let widening = self.accuracy.widening(wanted.quantile_percent);
        let path = Arc::new(model.path(&series, HORIZON_S).widened(widening));
        self.promise(&path, &series, wanted, now);
        Ok(self.outlook(model.basis(), path, &series, now))
    }

    /// Fetches the whole history before a fit, and only its end between two fits.
    async fn fetch(&mut self, target: &Target, all: bool, now: Timestamp) -> Result<(), Missing> {
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
        let span = Span {
            from: from.max(whole.from),
            ..whole
        };
        let fetched = prometheus
            .history(&wanted.query, &wanted.cluster, span)
            .await?;
        self.past
            .retain(|sample| sample.at < span.from && sample.at >= whole.from);
        self.past.extend(fetched);
        Ok(())
    }

    /// The history as a series, without the sales: their load is planned by uplift, not learned.
    fn series(&self, wanted: &ForecastTarget) -> Result<Series, Missing> {
        let no_data = |message: String| Missing::because(MissingReason::NoData, message);
        let samples: Vec<(UnixMillis, f64)> = self
            .past
            .iter()
            .map(|sample| (sample.at.into(), sample.rps))
            .collect();
        let series = Series::from_samples(wanted.step_s, &samples)
            .map_err(|error| no_data(format!("the history cannot be used: {error}")))?;
        wanted
            .sales
            .iter()
            .try_fold(series, |series, (from, until)| {
                series
                    .masked((*from).into(), (*until).into())
                    .ok_or_else(|| no_data("the history holds nothing but sales".to_owned()))
            })
    }

    /// Compares what was promised for now with the load that came.
    fn settle(&mut self, cell: &Cell, wanted: &ForecastTarget, now: Timestamp) {
        let in_sale = wanted
            .sales
            .iter()
            .any(|(from, until)| *from <= now && now < *until);
        let reading = cell.prometheus.load_full();
        let load = reading
            .as_ref()
            .and_then(|reading| reading.load.as_ref().ok());
        if let (Some(load), false) = (load, in_sale) {
            self.accuracy
                .observe(now.into(), load.rps, wanted.refresh_s.saturating_mul(2));
        }
    }

    fn promise(
        &mut self,
        path: &ForecastPath,
        series: &Series,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) {
        let at = UnixMillis::from(now).plus_s(i64::from(wanted.lead_s));
        let day_before = at.plus_s(-86_400);
        let last = || series.points().last().map(|(_, rps)| rps);
        let naive = series
            .points()
            .find(|(when, _)| *when >= day_before)
            .filter(|(when, _)| when.seconds_since(day_before) <= 2 * i64::from(wanted.step_s))
            .map(|(_, rps)| rps)
            .or_else(last);
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

    fn outlook(
        &self,
        basis: Basis,
        path: Arc<ForecastPath>,
        series: &Series,
        now: Timestamp,
    ) -> Outlook {
        let state = match basis {
            Basis::ColdStart => OutlookState::InsufficientHistory,
            Basis::Daily | Basis::Weekly => OutlookState::Fitted,
        };
        let percent = |share: f64| (share * 100.0).round().clamp(0.0, 10_000.0) as u32;
        Outlook {
            state,
            path: Some(path),
            made_at: Some(now),
            fitted_at: self.fitted_at,
            history_hours: u32::try_from(series.span_s() / 3_600).unwrap_or(0),
            peak_rps: Some(series.peak_rps()),
            error_percent: self.accuracy.wape().map(percent),
            proven: self.accuracy.verdict() != Verdict::Unproven,
        }
    }
}

/// Fits on a blocking thread; a model that panics is one failed fit (F18).
async fn fitted(
    series: &Series,
    wanted: &ForecastTarget,
    fits: &Semaphore,
) -> Result<Arc<Model>, Missing> {
    let failed = |message: String| Missing::because(MissingReason::NotSampledYet, message);
    let _place = fits.acquire().await;
    let (series, quantile_percent) = (series.clone(), wanted.quantile_percent);
    let job = tokio::task::spawn_blocking(move || {
        fit(
            &series,
            &FitOptions {
                quantile_percent,
                ..FitOptions::default()
            },
        )
    });
    match job.await {
        Ok(Ok(model)) => Ok(Arc::new(model)),
        Ok(Err(error)) => Err(failed(format!("the fit failed: {error}"))),
        Err(error) => Err(failed(format!("the fit ended abruptly: {error}"))),
    }
}

/// Whether a model fitted for one target serves another.
fn same_model(fitted: &ForecastTarget, wanted: &ForecastTarget) -> bool {
    fitted.query == wanted.query
        && fitted.history_days == wanted.history_days
        && fitted.step_s == wanted.step_s
        && fitted.quantile_percent == wanted.quantile_percent
        && wanted.enabled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> ForecastTarget {
        ForecastTarget {
            cluster: ("pay".to_owned(), "till".to_owned()),
            enabled: true,
            query: "load".to_owned(),
            history_days: 14,
            step_s: 60,
            quantile_percent: 95,
            refresh_s: 60,
            refit_s: 900,
            lead_s: 60,
            sales: Vec::new(),
        }
    }

    #[test]
    fn f15_a_failure_is_tried_again_before_the_next_refresh() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mut forecaster = ClusterForecaster::default();
        assert!(
            forecaster.is_due(&target(), now),
            "the first fit comes right after the start"
        );
        forecaster.tried_at = Some(now);
        let soon = Timestamp::from_second(1_020).unwrap();
        assert!(!forecaster.is_due(&target(), soon));
        forecaster.failed = true;
        assert!(forecaster.is_due(&target(), soon));
    }

    #[test]
    fn f19_a_past_sale_is_masked_and_does_not_become_history() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let sale = at(36_000)..at(39_600);
        let past = (0..1_440).map(|minute| at(minute * 60)).map(|at| PastLoad {
            at,
            rps: if sale.contains(&at) { 4_000.0 } else { 40.0 },
        });
        let forecaster = ClusterForecaster {
            past: past.collect(),
            ..Default::default()
        };
        let wanted = ForecastTarget {
            sales: vec![(sale.start, sale.end)],
            ..target()
        };
        assert!((forecaster.series(&wanted).unwrap().peak_rps() - 40.0).abs() < 1e-9);
    }
}
