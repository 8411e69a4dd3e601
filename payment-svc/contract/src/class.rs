//! The four criticality classes of a request, most important first.

use serde::{Deserialize, Serialize};

/// Criticality of a request; decided by route and stage at entry, never by a client header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Finish what was started: replays of a known key, look-up of an unknown outcome.
    CriticalPlus,
    /// New payments, reads of one payment.
    Critical,
    /// Refunds.
    SheddablePlus,
    /// Reads of accounts and merchants.
    Sheddable,
}

impl Class {
    /// All classes, most important first.
    pub const ALL: [Self; 4] = [
        Self::CriticalPlus,
        Self::Critical,
        Self::SheddablePlus,
        Self::Sheddable,
    ];

    /// Position from 0 (most important) to 3.
    pub const fn index(self) -> usize {
        match self {
            Self::CriticalPlus => 0,
            Self::Critical => 1,
            Self::SheddablePlus => 2,
            Self::Sheddable => 3,
        }
    }

    /// Name in metric labels and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CriticalPlus => "critical_plus",
            Self::Critical => "critical",
            Self::SheddablePlus => "sheddable_plus",
            Self::Sheddable => "sheddable",
        }
    }
}
