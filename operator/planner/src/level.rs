//! The thresholds between the degradation levels.

use floodgate_words::LevelThreshold;
use serde::{Deserialize, Serialize};

/// Thresholds of levels 1 to 4, mildest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DegradationPolicy {
    /// Thresholds of levels 1 to 4.
    pub levels: [LevelThreshold; 4],
}

impl DegradationPolicy {
    /// Thresholds that no load reaches, where only overrides impose levels.
    pub const fn never() -> Self {
        let never = LevelThreshold {
            enter_percent: u32::MAX,
            exit_percent: u32::MAX,
            hold_s: 0,
        };
        Self { levels: [never; 4] }
    }
}

impl Default for DegradationPolicy {
    fn default() -> Self {
        Self {
            levels: LevelThreshold::DEFAULTS,
        }
    }
}
