//! Degradation levels as the planner sees them, and the thresholds between them.

use serde::{Deserialize, Serialize};

/// A degradation level by its position: 0 is everything on, 4 is only finishing what was started.
///
/// The names belong to the contract between operator and service; the planner only orders them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Level(u8);

impl Level {
    /// Everything on.
    pub const NORMAL: Self = Self(0);
    /// The last level.
    pub const MAX: Self = Self(4);

    /// How many levels there are.
    pub const COUNT: usize = 5;

    /// The level at a position; positions past the last one are the last one.
    pub const fn from_index(index: u8) -> Self {
        if index > Self::MAX.0 {
            Self::MAX
        } else {
            Self(index)
        }
    }

    /// Position, 0..=4.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// One level milder.
    #[must_use]
    pub const fn milder(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Thresholds of one level, in percent of what the warm pods hold when full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelThreshold {
    /// The level is armed when predicted load exceeds this share, percent.
    pub enter_percent: u32,
    /// The level is left when projected load stays below this share, percent.
    pub exit_percent: u32,
    /// For how long it must have stayed below, seconds.
    pub hold_s: u32,
}

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
        let level = |enter_percent, exit_percent, hold_s| LevelThreshold {
            enter_percent,
            exit_percent,
            hold_s,
        };
        // The last level refuses every new payment, so it is a last resort and no way to shed.
        Self {
            levels: [
                level(100, 85, 30),
                level(120, 100, 30),
                level(150, 120, 60),
                level(800, 400, 60),
            ],
        }
    }
}
