//! What the handlers, the loop and the warm-up of the control port share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::token::TokenFile;
use super::warm::WarmMachine;
use crate::cache::Cache;
use crate::gate::Gate;
use crate::metrics::Metrics;

/// What the handlers, the loop and the warm-up share.
pub(super) struct Shared {
    pub(super) gate: Arc<Gate>,
    pub(super) cache: Arc<Cache>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) token: TokenFile,
    pub(super) warm: std::sync::Mutex<WarmMachine>,
    pub(super) warm_news: tokio::sync::Notify,
    pub(super) draining: AtomicBool,
}

impl Shared {
    pub(super) fn warm(&self) -> std::sync::MutexGuard<'_, WarmMachine> {
        // The machine's steps do not panic half-way; a panic elsewhere must not unready the pod.
        self.warm
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(super) fn ready(&self) -> bool {
        !self.draining() && self.warm().may_serve()
    }

    /// Publishes what a change of the warm machine means for gate and metrics.
    pub(super) fn warm_changed(&self) {
        let (score, warm, ready) = {
            let machine = self.warm();
            (machine.permille(), machine.is_warm(), machine.may_serve())
        };
        self.metrics.warmth(f64::from(score) / 1_000.0, warm);
        self.gate.set_serving(ready);
    }
}
