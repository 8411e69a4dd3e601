//! What the pods say of themselves, beside their number.

use serde::{Deserialize, Serialize};

use crate::level::Level;

/// Signals of the pods; the default is that of pods that said nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodHealth {
    /// Pods by the level that each took by its own fast loop, mildest first. A level that was
    /// imposed on a pod does not count, or a floor would hold itself up.
    pub own_levels: [u32; Level::COUNT],
    /// Share of admitted requests that failed lately, permille; `None` while too few were admitted
    /// to tell.
    pub failed_permille: Option<u32>,
}

impl PodHealth {
    /// The highest level that at least half of the pods that answered took by themselves.
    pub fn majority_level(&self) -> Level {
        let answered: u64 = self.own_levels.iter().map(|pods| u64::from(*pods)).sum();
        let mut at_least = 0;
        for index in (0..=Level::MAX.index()).rev() {
            at_least += u64::from(self.own_levels[usize::from(index)]);
            if at_least > 0 && at_least * 2 >= answered {
                return Level::from_index(index);
            }
        }
        Level::NORMAL
    }
}
