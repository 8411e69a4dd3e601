//! Leave to work on one request.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use floodgate_contract::Class;

use super::Gate;

/// A request being worked on; dropped when its answer is ready or the client is gone.
pub struct Permit {
    gate: Arc<Gate>,
    class: Class,
    entered: Duration,
    status: u16,
}

impl Permit {
    pub(super) fn new(gate: Arc<Gate>, class: Class, entered: Duration) -> Self {
        Self {
            gate,
            class,
            entered,
            status: 0,
        }
    }

    /// Ends the work with the status code of the answer.
    pub fn finish(mut self, status: u16) {
        self.status = status;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let took = self.gate.clock.now().saturating_sub(self.entered);
        let hot = &self.gate.hot;
        hot.in_flight.fetch_sub(1, Ordering::Relaxed);
        hot.completions.fetch_add(1, Ordering::Relaxed);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        hot.latency_us.fetch_add(took_us, Ordering::Relaxed);
        self.gate.metrics.finished(self.class, self.status, took);
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit")
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}
