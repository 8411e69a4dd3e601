//! The five degradation levels, in the order in which the service gives things up.

use serde::{Deserialize, Serialize};

/// Degradation level; each one keeps what the levels above it gave up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Level {
    /// Everything on.
    #[default]
    Normal,
    /// Enrichment, debug output and speculative work off; class 3 thinned out by probability.
    Guard,
    /// Class 3 off; answers may be a little stale; refunds and notifications wait in the queue.
    Reduce,
    /// Class 2 off, except what the cache answers.
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

    /// Name as it stands in annotations, conditions, JSON and metric labels.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLevel(pub String);

impl std::fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is not a level; must be one of Normal, Guard, Reduce, Protect, Survive",
            self.0
        )
    }
}

impl std::error::Error for UnknownLevel {}

impl std::str::FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownLevel(text.to_owned()))
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
        }
        assert_eq!(Level::from_index(5), None);
        assert!(
            "normal".parse::<Level>().is_err(),
            "names are never case-insensitive"
        );
    }
}
