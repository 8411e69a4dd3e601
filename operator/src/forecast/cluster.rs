//! The forecast of one cluster: history in hand, model, path and what came of its promises.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use floodgate_forecast::{Basis, ForecastPath, Mask, Model, Series, UnixMillis, path_of_moment};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    ColdScale, Forecaster, Outlook, OutlookState, fitted,
    keep::{About, KeepError, Kept, fitted_for, model_name},
    live::Live,
    store::StoreError,
};
use crate::{
    clock::seconds_between,
    prometheus::{
        Missing, MissingReason, Prometheus,
        history::{PastLoad, Span, span_until},
    },
    snapshot::Cell,
    target::{ForecastTarget, Target},
    telemetry::chain,
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
    fitted: Option<Fitted>,
    tried_at: Option<Timestamp>,
    failed: bool,
    live: Live,
    /// Whether what an earlier process stored was read, or found to be of no use.
    recalled: bool,
    /// What is still to be stored.
    unsaved: Option<BTreeMap<String, String>>,
    /// Whether this process has stored a model.
    saved: bool,
    /// What went wrong with the stored model, for the status.
    note: Option<String>,
}

/// The model in use.
struct Fitted {
    model: Arc<Model>,
    /// Its full name.
    name: String,
    /// Digest of what it was fitted for.
    question: String,
    at: Timestamp,
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
        let outdated = |fitted: &Fitted| target.enabled && fitted.question != fitted_for(target);
        self.fitted.as_ref().is_some_and(outdated) || seconds_between(tried_at, now) >= pause_s
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
        self.recall(loops, cell, &target.forecast, now).await;
        self.live.settle(cell, &target.forecast, now);
        match self.step(loops, cell, target, fits, now).await {
            Ok(outlook) => {
                self.failed = false;
                cell.outlook.store(Arc::new(outlook));
                self.save(loops, &target.forecast).await;
            }
            Err(missing) => {
                self.failed = true;
                tracing::debug!(reason = missing.reason.as_str(), "no forecast: {missing}");
                // The last path stands until it is old; only its state says what is wrong.
                let last = cell.outlook.load_full();
                let state = OutlookState::HistoryUnavailable(missing);
                cell.outlook.store(Arc::new(Outlook {
                    state,
                    note: self.note.clone(),
                    ..(*last).clone()
                }));
            }
        }
    }

    /// Takes over what an earlier process stored, once: model, path and how it fared. The path
    /// stands at once, also while the history cannot be read (S4).
    async fn recall(
        &mut self,
        loops: &Forecaster,
        cell: &Cell,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) {
        if self.recalled || self.fitted.is_some() {
            return;
        }
        let kept = match loops.store.read(wanted).await {
            Ok(kept) => kept,
            Err(error) => {
                // What cannot be read now may be readable at the next attempt.
                self.recalled = matches!(error, StoreError::Unusable(_) | StoreError::Foreign(_));
                self.take_note(wanted, &error);
                return;
            }
        };
        self.recalled = true;
        self.note = None;
        let Some(kept) = kept.filter(|kept| kept.about.fitted_for == fitted_for(wanted)) else {
            return;
        };
        let Kept {
            model,
            path,
            accuracy,
            about,
        } = kept;
        self.live = Live::resumed(accuracy);
        let fitted = Fitted {
            model: Arc::new(model),
            name: about.model,
            question: about.fitted_for,
            at: about.fitted_at.min(now),
        };
        cell.outlook.store(Arc::new(Outlook {
            made_at: Some(fitted.at),
            history_hours: about.history_hours,
            peak_rps: Some(about.peak_rps),
            ..self.outlook(&fitted, Arc::new(path))
        }));
        self.fitted = Some(fitted);
    }

    fn take_note(&mut self, wanted: &ForecastTarget, error: &StoreError) {
        let note = Some(error.to_string());
        if self.note != note {
            let (namespace, cluster) = &wanted.cluster;
            tracing::warn!(namespace, cluster, error = chain(error), "the stored model");
        }
        self.note = note;
    }

    /// Stores what was fitted last; what could not be stored is tried again with the next path.
    async fn save(&mut self, loops: &Forecaster, wanted: &ForecastTarget) {
        let Some(data) = self.unsaved.take() else {
            return;
        };
        match loops.store.write(wanted, &data).await {
            // What was refused at the start is told until the model after it is stored, too.
            Ok(()) if self.saved => self.note = None,
            Ok(()) => self.saved = true,
            Err(error) => {
                self.take_note(wanted, &error);
                self.unsaved = Some(data);
            }
        }
    }

    async fn step(
        &mut self,
        loops: &Forecaster,
        cell: &Cell,
        target: &Target,
        fits: &Semaphore,
        now: Timestamp,
    ) -> Result<Outlook, Missing> {
        let wanted = &target.forecast;
        let question = fitted_for(wanted);
        let fresh = |fitted: &Fitted| {
            let age_s = seconds_between(fitted.at, now);
            fitted.question == question && age_s < f64::from(wanted.refit_s)
        };
        let refit = !self.fitted.as_ref().is_some_and(fresh);
        // A model of an earlier process comes without the history it was fitted on.
        let all = refit || self.past.is_empty();
        self.fetch(target, all, now).await?;
        if self.past.is_empty()
            && let Some(outlook) = self.without_history(cell, wanted, now)
        {
            return Ok(outlook);
        }
        let series = self.series(wanted)?;
        if refit {
            self.refit(loops, &series, wanted, fits, now).await?;
        }
        let Some(fitted) = &self.fitted else {
            return Err(Missing::because(
                MissingReason::NotSampledYet,
                "no model was fitted yet",
            ));
        };
        let widening = self.live.widening(wanted.quantile_percent);
        let path = fitted.model.path(&series, HORIZON_S).widened(widening);
        let path = Arc::new(path.named(fitted.name.clone()));
        self.live.promise(&path, &series, wanted, now);
        let outlook = Outlook {
            made_at: Some(now),
            history_hours: hours_of(&series),
            peak_rps: Some(series.peak_rps()),
            quality: Some(series.quality()),
            ..self.outlook(fitted, Arc::clone(&path))
        };
        if refit {
            self.unsaved = match self.kept(fitted, &path, &outlook, wanted) {
                Ok(data) => Some(data),
                Err(error) => {
                    self.take_note(wanted, &StoreError::Unusable(error));
                    None
                }
            };
        }
        Ok(outlook)
    }

    /// Fits on a blocking thread; the model before it stands until the new one does.
    async fn refit(
        &mut self,
        loops: &Forecaster,
        series: &Series,
        wanted: &ForecastTarget,
        fits: &Semaphore,
        now: Timestamp,
    ) -> Result<(), Missing> {
        let started = Instant::now();
        let model = fitted::model(series, wanted, fits).await?;
        loops
            .metrics
            .fit_duration
            .observe(started.elapsed().as_secs_f64());
        let name = model_name(&model)
            .map_err(|error| Missing::because(MissingReason::NotSampledYet, error.to_string()))?;
        self.fitted = Some(Fitted {
            model,
            name,
            question: fitted_for(wanted),
            at: now,
        });
        Ok(())
    }

    /// What is stored of the forecast.
    fn kept(
        &self,
        fitted: &Fitted,
        path: &ForecastPath,
        outlook: &Outlook,
        wanted: &ForecastTarget,
    ) -> Result<BTreeMap<String, String>, KeepError> {
        let about = About {
            history_hours: outlook.history_hours,
            peak_rps: outlook.peak_rps.unwrap_or(0.0),
            ..About::new(fitted.name.clone(), fitted.at, wanted)
        };
        let kept = Kept {
            model: (*fitted.model).clone(),
            path: path.clone(),
            accuracy: self.live.settled(),
            about,
        };
        kept.encode()
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

    /// The history as a series, without sales and masked windows: a sale's load is planned by uplift,
    /// not learned.
    fn series(&self, wanted: &ForecastTarget) -> Result<Series, Missing> {
        let no_data = |message: String| Missing::because(MissingReason::NoData, message);
        let samples: Vec<(UnixMillis, f64)> = self
            .past
            .iter()
            .map(|sample| (sample.at.into(), sample.rps))
            .collect();
        let series = Series::from_samples(wanted.step_s, &samples)
            .map_err(|error| no_data(format!("the history cannot be used: {error}")))?;
        let sales = wanted.sales.iter().map(|(from, until)| Mask {
            from: (*from).into(),
            until: (*until).into(),
        });
        let masks: Vec<Mask> = sales.chain(wanted.masks.iter().copied()).collect();
        series.without(&masks).ok_or_else(|| {
            no_data("the history holds nothing but sales and masked windows".to_owned())
        })
    }

    /// The usual day in place of a history that does not exist yet: scaled by the load measured now,
    /// or by what the least replicas hold. `None` once there was a model, whose path is worth more
    /// than a guess even when the history has been lost since (F12).
    fn without_history(
        &self,
        cell: &Cell,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) -> Option<Outlook> {
        if self.fitted.is_some() {
            return None;
        }
        let reading = cell.prometheus.load_full();
        let load = reading.and_then(|reading| Some(reading.load.as_ref().ok()?.rps));
        let (level_rps, scale) = match load.filter(|rps| *rps > 0.0) {
            Some(rps) => (rps, ColdScale::Measured),
            None => (wanted.declared_rps, ColdScale::Declared),
        };
        let quantile = wanted.quantile_percent;
        let path = path_of_moment(now.into(), wanted.step_s, HORIZON_S, quantile, level_rps)?;
        Some(Outlook {
            state: OutlookState::ColdStart(scale),
            path: Some(Arc::new(path)),
            made_at: Some(now),
            note: self.note.clone(),
            ..Outlook::default()
        })
    }

    /// What is to be known of a path of the model.
    fn outlook(&self, fitted: &Fitted, path: Arc<ForecastPath>) -> Outlook {
        let state = match fitted.model.basis() {
            Basis::ColdStart => OutlookState::ColdStart(ColdScale::History),
            Basis::Daily | Basis::Weekly => OutlookState::Fitted,
        };
        Outlook {
            state,
            path: Some(path),
            fitted_at: Some(fitted.at),
            changed_at: fitted.model.changed_at().and_then(UnixMillis::timestamp),
            live: self.live.figures(),
            note: self.note.clone(),
            ..Outlook::default()
        }
    }
}

fn hours_of(series: &Series) -> u32 {
    u32::try_from(series.span_s() / 3_600).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

    use super::*;

    pub(in crate::forecast) fn target() -> ForecastTarget {
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
            masks: Vec::new(),
            owner: OwnerReference::default(),
            declared_rps: 100.0,
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
