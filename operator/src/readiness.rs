//! What the process still waits for before it is ready.
//!
//! A follower is ready: it answers, and takes over within seconds.
//! A missing CRD keeps the process unready but alive; a restart would not create it (`/livez`).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The gates that are not open yet, by name.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    missing: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Readiness {
    /// Ready once every one of `gates` has been opened.
    pub fn awaiting(gates: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            missing: Arc::new(Mutex::new(gates.into_iter().collect())),
        }
    }

    /// Opens a gate; opening it again changes nothing.
    pub fn open(&self, gate: &'static str) {
        self.lock().remove(gate);
    }

    /// Closes a gate, for what may go missing again.
    pub fn close(&self, gate: &'static str) {
        self.lock().insert(gate);
    }

    /// Names of the gates still closed, in order; empty when ready.
    pub fn missing(&self) -> Vec<&'static str> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
