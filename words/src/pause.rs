//! What an override can pause.

use serde::{Deserialize, Serialize};

/// What a pause stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pause {
    /// Replicas stay as they are.
    Scaling,
    /// The level floor stays as it is.
    Degradation,
    /// Both.
    All,
}

impl Pause {
    /// Every pause.
    pub const ALL: [Self; 3] = [Self::Scaling, Self::Degradation, Self::All];

    /// Spelling in the annotation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scaling => "scaling",
            Self::Degradation => "degradation",
            Self::All => "all",
        }
    }

    /// Whether replicas stay as they are.
    pub const fn stops_scaling(self) -> bool {
        matches!(self, Self::Scaling | Self::All)
    }

    /// Whether the level floor stays as it is.
    pub const fn stops_degradation(self) -> bool {
        matches!(self, Self::Degradation | Self::All)
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
