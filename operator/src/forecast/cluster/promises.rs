//! What was promised for now against the load that came.

use floodgate_forecast::UnixMillis;
use jiff::Timestamp;

use super::ClusterForecaster;
use crate::{snapshot::Cell, target::ForecastTarget};

impl ClusterForecaster {
    /// Settles what was promised for now, unless a sale runs or the window is masked: of their load
    /// the forecast says nothing.
    pub(super) fn settle_promises(&mut self, cell: &Cell, wanted: &ForecastTarget, now: Timestamp) {
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
            self.live.settle(instant, load.rps, wanted.refresh_s);
        }
    }
}
