//! What the pods say of themselves, beside their number.

use floodgate_words::Level;
use serde::{Deserialize, Serialize};

/// Signals of the pods; the default is that of pods that said nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodHealth {
    /// Pods by the level that each took by its own fast loop, mildest first. A level that was
    /// imposed on a pod does not count, or a floor would hold itself up.
    pub own_levels: [u32; Level::ALL.len()],
    /// Share of admitted requests that failed lately, permille; `None` while too few were admitted
    /// to tell.
    pub failed_permille: Option<u32>,
}

impl PodHealth {
    /// The highest level that at least half of the pods that answered took by themselves.
    pub fn majority_level(&self) -> Level {
        let answered: u64 = self.own_levels.iter().map(|pods| u64::from(*pods)).sum();
        let mut at_least = 0;
        for (level, pods) in Level::ALL.into_iter().zip(self.own_levels).rev() {
            at_least += u64::from(pods);
            if at_least > 0 && at_least * 2 >= answered {
                return level;
            }
        }
        Level::Normal
    }
}
