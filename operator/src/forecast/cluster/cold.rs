//! A cluster without any history.

use std::sync::Arc;

use floodgate_forecast::path_of_moment;
use jiff::Timestamp;

use super::{ClusterForecaster, HORIZON_S};
use crate::{
    forecast::{ColdScale, Outlook, OutlookState},
    snapshot::Cell,
    target::ForecastTarget,
};

impl ClusterForecaster {
    /// The usual day in place of a history that does not exist yet: scaled by the load measured now,
    /// or by what the least replicas hold. `None` once there was a model, whose path is worth more
    /// than a guess even when the history has been lost since (F12).
    pub(super) fn without_history(
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
}
