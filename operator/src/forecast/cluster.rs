//! The forecast of one cluster: history in hand, model, path and what came of its promises.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use floodgate_forecast::{Basis, ForecastPath, Mask, Model, Series, UnixMillis};
use floodgate_planner::intake::{ColdScale, LiveAccuracy, naive_rps};
use floodgate_prometheus::{Missing, MissingReason, history::PastLoad};
use jiff::Timestamp;

use super::{
    Forecaster, Gates,
    fitted::{Fits, UnderWay},
    store::StoreError,
    stored_forecast::{fitted_for, model_name},
};
use crate::{
    clock::seconds_between,
    snapshot::{Cell, ForecastSnapshot, ForecastState},
    target::{ForecastTarget, Target},
};

mod cold;
mod handover;
mod past;
mod promises;

/// How far a path reaches: a sale is planned from the day before it.
const HORIZON_S: u32 = 26 * 3_600;
/// Pause after a failure; history that is there again is used within this (F15).
const RETRY: Duration = Duration::from_secs(15);

/// State of one cluster's forecast.
#[derive(Default)]
pub(super) struct ClusterForecaster {
    past: Vec<PastLoad>,
    /// Store and query that all of this comes from.
    source: Option<(String, String)>,
    fitted: Option<Fitted>,
    /// When it was seen last that Prometheus lost what it had known.
    history_lost_at: Option<Timestamp>,
    /// Whether a fit and a path of this cluster still run.
    fit_under_way: UnderWay,
    path_under_way: UnderWay,
    tried_at: Option<Timestamp>,
    failed: bool,
    live: LiveAccuracy,
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
    /// Windows that were left out of its history.
    masks: Vec<Mask>,
    at: Timestamp,
}

impl Fitted {
    /// Whether the model answers what is wanted now; a window that was declared since is to be
    /// forgotten at once.
    fn serves(&self, wanted: &ForecastTarget) -> bool {
        self.question == fitted_for(wanted) && self.masks == wanted.masks
    }
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
        let outdated = |fitted: &Fitted| target.enabled && !fitted.serves(target);
        // After a failure the pause holds, or a Prometheus that is down would be asked every round.
        let outdated = !self.failed && self.fitted.as_ref().is_some_and(outdated);
        outdated || seconds_between(tried_at, now) >= pause_s
    }

    /// Fetches what is new, fits when it is time, and leaves the path in the cell.
    pub(super) async fn refresh(
        &mut self,
        loops: &Forecaster,
        cell: &Cell,
        target: &Target,
        gates: &Gates,
    ) {
        let now = loops.clock.now();
        self.tried_at = Some(now);
        if !target.forecast.enabled {
            *self = Self {
                tried_at: Some(now),
                fit_under_way: self.fit_under_way.clone(),
                path_under_way: self.path_under_way.clone(),
                ..Self::default()
            };
            cell.forecast.store(Arc::new(ForecastSnapshot {
                state: ForecastState::Off,
                ..ForecastSnapshot::default()
            }));
            return;
        }
        if self.forget_another_source(&target.forecast) {
            cell.forecast.store(Arc::default());
        }
        self.recall(loops, cell, &target.forecast, now).await;
        self.settle_promises(cell, &target.forecast, now);
        match self.step(cell, target, gates, now).await {
            Ok(forecast) => {
                self.failed = false;
                cell.forecast.store(Arc::new(ForecastSnapshot {
                    history_lost_at: self.history_lost_at,
                    ..forecast
                }));
                self.save(loops, &target.forecast).await;
            }
            Err(missing) => {
                self.failed = true;
                tracing::debug!(
                    reason = missing.reason.reason().as_str(),
                    "no forecast: {missing}"
                );
                // The last path is used until it is old; only its state says what is wrong.
                let last = cell.forecast.load_full();
                let state = ForecastState::HistoryUnavailable(missing);
                cell.forecast.store(Arc::new(ForecastSnapshot {
                    state,
                    history_lost_at: self.history_lost_at,
                    note: self.note.clone(),
                    ..(*last).clone()
                }));
            }
        }
    }

    /// A model of another store or query is no model of this load, nor is its path, and its errors are
    /// not either. Whether there was one.
    fn forget_another_source(&mut self, wanted: &ForecastTarget) -> bool {
        let source = (wanted.source_url.clone(), wanted.query.clone());
        let another = self.source.as_ref().is_some_and(|known| *known != source);
        if another {
            *self = Self {
                tried_at: self.tried_at,
                recalled: self.recalled,
                saved: self.saved,
                // What hangs on the old history is still a thread.
                fit_under_way: self.fit_under_way.clone(),
                path_under_way: self.path_under_way.clone(),
                ..Self::default()
            };
        }
        self.source = Some(source);
        another
    }

    async fn step(
        &mut self,
        cell: &Cell,
        target: &Target,
        gates: &Gates,
        now: Timestamp,
    ) -> Result<ForecastSnapshot, Missing> {
        let wanted = &target.forecast;
        let fresh = |fitted: &Fitted| {
            let age_s = seconds_between(fitted.at, now);
            fitted.serves(wanted) && age_s < f64::from(wanted.refit_s)
        };
        let refit = !self.fitted.as_ref().is_some_and(fresh);
        // A model of an earlier process comes without the history it was fitted on.
        let all = refit || self.past.is_empty();
        {
            let _place = gates.fetches.acquire().await;
            self.fetch(target, all, now).await?;
        }
        let known = |sample: &PastLoad| sample.rps.is_finite() && sample.rps >= 0.0;
        if !self.past.iter().any(known)
            && let Some(forecast) = self.without_history(cell, wanted, now)
        {
            return Ok(forecast);
        }
        let series = self.series(wanted)?;
        self.keep_while_history_is_lost(&series, wanted, now)?;
        let refit_failed = if refit {
            self.refit(&series, wanted, &gates.fits, now).await?
        } else {
            None
        };
        let Some(fitted) = &self.fitted else {
            return Err(Missing::because(
                MissingReason::NotSampledYet,
                "no model was fitted yet",
            ));
        };
        let widening = self.live.widening(wanted.quantile_percent);
        let source = (&fitted.model, &series);
        let path = gates
            .fits
            .path(source, HORIZON_S, widening, &self.path_under_way);
        let path = Arc::new(path.await?.named(fitted.name.clone()));
        let due = UnixMillis::from(now).plus_s(i64::from(wanted.lead_s));
        self.live.promise(&path, due, naive_rps(&series, due));
        let forecast = ForecastSnapshot {
            made_at: Some(now),
            history_hours: hours_of(&series),
            peak_rps: Some(series.peak_rps()),
            quality: Some(series.quality()),
            ..self.forecast(fitted, Arc::clone(&path))
        };
        if refit && refit_failed.is_none() {
            self.unsaved = match self.kept(fitted, &path, &forecast, wanted) {
                Ok(data) => Some(data),
                Err(error) => {
                    self.take_note(wanted, &StoreError::Unusable(error));
                    None
                }
            };
        }
        Ok(ForecastSnapshot {
            refit_failed,
            ..forecast
        })
    }

    /// Fits; the model before it is used until the new one is there, also when there will be none: then
    /// the answer is what went wrong (F18).
    async fn refit(
        &mut self,
        series: &Series,
        wanted: &ForecastTarget,
        fits: &Fits,
        now: Timestamp,
    ) -> Result<Option<Missing>, Missing> {
        let model = match fits.model(series, wanted, &self.fit_under_way).await {
            Ok(model) => model,
            Err(failed) if self.fitted.as_ref().is_some_and(|one| one.serves(wanted)) => {
                return Ok(Some(failed));
            }
            Err(failed) => return Err(failed),
        };
        let name = model_name(&model)
            .map_err(|error| Missing::because(MissingReason::RefitFailed, error.to_string()))?;
        self.fitted = Some(Fitted {
            model,
            name,
            question: fitted_for(wanted),
            masks: wanted.masks.clone(),
            at: now,
        });
        Ok(None)
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

    /// What is to be known of a path of the model.
    fn forecast(&self, fitted: &Fitted, path: Arc<ForecastPath>) -> ForecastSnapshot {
        let state = match fitted.model.basis() {
            Basis::ColdStart => ForecastState::ColdStart(ColdScale::History),
            Basis::Daily | Basis::Weekly => ForecastState::Fitted,
        };
        ForecastSnapshot {
            state,
            path: Some(path),
            fitted_at: Some(fitted.at),
            changed_at: fitted.model.changed_at().and_then(UnixMillis::timestamp),
            live: self.live.figures(),
            note: self.note.clone(),
            ..ForecastSnapshot::default()
        }
    }
}

fn hours_of(series: &Series) -> u32 {
    u32::try_from(series.span_s() / 3_600).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests;
