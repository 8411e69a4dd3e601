//! The five degradation levels, in the order in which the service gives things up, and where each
//! begins and ends by default.

use serde::{Deserialize, Serialize};

/// Degradation level, in the order in which the service gives things up; the same five the service
/// knows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum Level {
    /// Everything on.
    #[default]
    Normal,
    /// Reads of accounts and merchants thinned out while a pod's CPU is near its limit.
    Guard,
    /// Reads of accounts and merchants off; events are relayed less often.
    Reduce,
    /// Refunds off, too: new payments, reads of one payment and what was started.
    Protect,
    /// Only what was started is finished; a new payment is refused and says it was not charged.
    Survive,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Normal,
        Self::Guard,
        Self::Reduce,
        Self::Protect,
        Self::Survive,
    ];

    /// Position from 0 (Normal) to 4 (Survive), as exported in the level metric.
    pub const fn index(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Guard => 1,
            Self::Reduce => 2,
            Self::Protect => 3,
            Self::Survive => 4,
        }
    }

    /// The level at a position, if there is one.
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.index() == index)
    }

    /// One level milder; Normal stays.
    #[must_use]
    pub const fn milder(self) -> Self {
        match self {
            Self::Normal | Self::Guard => Self::Normal,
            Self::Reduce => Self::Guard,
            Self::Protect => Self::Reduce,
            Self::Survive => Self::Protect,
        }
    }

    /// Name in annotations, conditions, JSON and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Guard => "Guard",
            Self::Reduce => "Reduce",
            Self::Protect => "Protect",
            Self::Survive => "Survive",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a level; must be one of Normal, Guard, Reduce, Protect, Survive")]
pub struct UnknownLevel(pub String);

impl std::str::FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

/// Where one level begins and ends: load in percent of what the warm pods hold when full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelThreshold {
    /// The level is armed when predicted load exceeds this share, percent.
    pub enter_percent: u32,
    /// The level is left when projected load stays below this share, percent.
    pub exit_percent: u32,
    /// For how long it must have stayed below, seconds.
    pub hold_s: u32,
}

impl LevelThreshold {
    /// Defaults of the levels Guard to Survive. The last level refuses every new payment, so it is a
    /// last resort and no way to shed load.
    pub const DEFAULTS: [Self; 4] = [
        Self::new(100, 85, 30),
        Self::new(120, 100, 30),
        Self::new(150, 120, 60),
        Self::new(800, 400, 60),
    ];

    const fn new(enter_percent: u32, exit_percent: u32, hold_s: u32) -> Self {
        Self {
            enter_percent,
            exit_percent,
            hold_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn every_level_is_found_again_by_index_and_by_name() {
        for level in Level::ALL {
            assert_eq!(Level::from_index(level.index()), Some(level));
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.milder().index(), level.index().saturating_sub(1));
        }
        assert_eq!(Level::from_index(5), None);
        assert!(
            "normal".parse::<Level>().is_err(),
            "names are never case-insensitive"
        );
    }
}
