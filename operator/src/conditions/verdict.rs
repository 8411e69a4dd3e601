//! What one condition says, and what it is judged by beside the plan. Pure.

use floodgate_words::{ConditionType, Reason};

/// What one condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub kind: ConditionType,
    pub status: Truth,
    pub reason: Reason,
    /// For a person.
    pub message: String,
    /// Whether it only says that nothing was asked yet.
    pub awaits_first_answer: bool,
}

/// Status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    /// It does not.
    False,
    /// Not known yet.
    Unknown,
}

impl Truth {
    /// Spelling in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Verdict {
    pub fn new(
        kind: ConditionType,
        status: impl Into<Truth>,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            status: status.into(),
            reason,
            message: message.into(),
            awaits_first_answer: false,
        }
    }
}

/// What reconcile knows beside the plan.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Seconds for which fewer pods than planned have been warm; none while they are enough.
    pub short_for_s: Option<f64>,
    /// Who else writes the replicas, if anybody does, with the reason to give.
    pub foreign_writer: Option<(Reason, String)>,
}
