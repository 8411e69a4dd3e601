//! A promise and a mark, and what a day made of them.

use serde::{Deserialize, Serialize};

/// What a promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No payment lost, doubled or out of balance.
    Money,
    /// Planned pods Ready and warm before the load.
    Warmth,
    /// Nothing shrank on missing data or a fault; overrides win and lapse; refusals are honest.
    Safety,
}

impl Kind {
    /// Name as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Warmth => "warmth",
            Self::Safety => "safety",
        }
    }
}

/// A promise and whether this day kept it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    /// What it is about.
    pub kind: Kind,
    /// The promise in one clause.
    pub text: String,
    /// What was measured.
    pub measured: String,
    /// Whether it was kept.
    pub kept: bool,
}

/// A figure beside its mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The figure's name.
    pub name: String,
    /// What was measured.
    pub measured: String,
    /// What was aimed at.
    pub aim: String,
    /// Whether it was reached.
    pub reached: bool,
}
