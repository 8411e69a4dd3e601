//! What a forecaster takes over from an earlier process, and what it leaves to the next one.

use std::{collections::BTreeMap, sync::Arc};

use floodgate_forecast::ForecastPath;
use floodgate_planner::intake::PATH_AGE_MAX_S;
use jiff::Timestamp;

use super::{ClusterForecaster, Fitted};
use crate::{
    clock::seconds_between,
    forecast::{
        Forecaster,
        store::StoreError,
        stored_forecast::{About, StoredForecast, StoredForecastError, fitted_for},
    },
    snapshot::{Cell, ForecastSnapshot},
    target::ForecastTarget,
    telemetry::chain,
};

impl ClusterForecaster {
    /// Takes over what an earlier process stored, once: model, path and how it fared. The path
    /// is in force at once, also while the history cannot be read (S4).
    pub(super) async fn recall(
        &mut self,
        loops: &Forecaster,
        cell: &Cell,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) {
        if self.recalled {
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
        let StoredForecast {
            model,
            path,
            accuracy,
            about,
        } = kept;
        self.live.resume(accuracy);
        self.renew_unsaved();
        // A model that knows what is to be forgotten, or that is older than one fitted while the
        // store could not be read, is of no use; how its forecasts fared is.
        if self.fitted.is_some() || about.masks != wanted.masks {
            return;
        }
        let fitted = Fitted {
            model: Arc::new(model),
            name: about.model,
            question: about.fitted_for,
            masks: about.masks,
            at: about.fitted_at.min(now),
        };
        if seconds_between(fitted.at, now) <= PATH_AGE_MAX_S {
            cell.forecast.store(Arc::new(ForecastSnapshot {
                made_at: Some(fitted.at),
                history_hours: about.history_hours,
                peak_rps: Some(about.peak_rps),
                ..self.forecast(&fitted, Arc::new(path))
            }));
        }
        self.fitted = Some(fitted);
    }

    pub(super) fn take_note(&mut self, wanted: &ForecastTarget, error: &StoreError) {
        let note = Some(error.to_string());
        if self.note != note {
            let (namespace, cluster) = &wanted.cluster;
            tracing::warn!(namespace, cluster, error = chain(error), "the stored model");
        }
        self.note = note;
    }

    /// Puts the present figures beside a model that still waits to be stored.
    fn renew_unsaved(&mut self) {
        let waiting = self
            .unsaved
            .take()
            .map(|data| StoredForecast::decode(&data));
        self.unsaved = waiting.and_then(Result::ok).and_then(|kept| {
            let accuracy = self.live.settled();
            StoredForecast { accuracy, ..kept }.encode().ok()
        });
    }

    /// Stores what was fitted last; what could not be stored is tried again with the next path.
    pub(super) async fn save(&mut self, loops: &Forecaster, wanted: &ForecastTarget) {
        // Before what is stored was read it is not written over.
        if !self.recalled {
            return;
        }
        let Some(data) = self.unsaved.take() else {
            return;
        };
        match loops.store.write(wanted, &data).await {
            // What was refused at the start is reported until the model after it is stored, too.
            Ok(()) if self.saved => self.note = None,
            Ok(()) => self.saved = true,
            Err(error) => {
                self.take_note(wanted, &error);
                self.unsaved = Some(data);
            }
        }
    }

    /// What is stored of the forecast.
    pub(super) fn kept(
        &self,
        fitted: &Fitted,
        path: &ForecastPath,
        forecast: &ForecastSnapshot,
        wanted: &ForecastTarget,
    ) -> Result<BTreeMap<String, String>, StoredForecastError> {
        let about = About {
            history_hours: forecast.history_hours,
            peak_rps: forecast.peak_rps.unwrap_or(0.0),
            ..About::new(fitted.name.clone(), fitted.at, wanted)
        };
        let kept = StoredForecast {
            model: (*fitted.model).clone(),
            path: path.clone(),
            accuracy: self.live.settled(),
            about,
        };
        kept.encode()
    }
}

#[cfg(test)]
mod tests;
