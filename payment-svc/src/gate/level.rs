//! The level in force, as one number that every request may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use floodgate_contract::Level;

/// A shared view of the level in force.
#[derive(Clone, Debug, Default)]
pub struct LevelWatch(Arc<AtomicU8>);

impl LevelWatch {
    /// The level in force now.
    pub fn level(&self) -> Level {
        Level::from_index(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }

    pub(super) fn set(&self, level: Level) {
        self.0.store(level.index(), Ordering::Relaxed);
    }
}
