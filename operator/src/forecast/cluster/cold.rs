//! A cluster without any history.

use std::sync::Arc;

use floodgate_forecast::{Basis, Series, path_of_moment};
use floodgate_planner::intake::{ColdScale, PATH_AGE_MAX_S};
use floodgate_prometheus::{Missing, MissingReason};
use jiff::Timestamp;

use super::{ClusterForecaster, HORIZON_S};
use crate::{
    clock::seconds_between,
    snapshot::{Cell, ForecastSnapshot, ForecastState},
    target::ForecastTarget,
};

/// A history shorter than this has lost what a fitted model came from, seconds.
const DAY_S: i64 = 86_400;

impl ClusterForecaster {
    /// A history that was wiped and begins anew takes no model of weeks with it: while that model's
    /// path still stands it is kept, and what is known now is judged a failure to read the rest (F12).
    pub(super) fn keep_while_history_is_lost(
        &self,
        series: &Series,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) -> Result<(), Missing> {
        let Some(fitted) = self.fitted.as_ref().filter(|one| one.serves(wanted)) else {
            return Ok(());
        };
        let stands = seconds_between(fitted.at, now) <= PATH_AGE_MAX_S;
        let wiped = fitted.model.basis() != Basis::ColdStart && series.span_s() < DAY_S;
        if stands && wiped {
            let message = "the history begins anew; the model of the one before stands";
            return Err(Missing::because(MissingReason::NoData, message));
        }
        Ok(())
    }

    /// The usual day in place of a history that does not exist yet: scaled by the load measured now,
    /// or by what the least replicas hold. `None` once there was a model, whose path is worth more
    /// than a guess even when the history has been lost since (F12).
    pub(super) fn without_history(
        &self,
        cell: &Cell,
        wanted: &ForecastTarget,
        now: Timestamp,
    ) -> Option<ForecastSnapshot> {
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
        Some(ForecastSnapshot {
            state: ForecastState::ColdStart(scale),
            path: Some(Arc::new(path)),
            made_at: Some(now),
            note: self.note.clone(),
            ..ForecastSnapshot::default()
        })
    }
}
