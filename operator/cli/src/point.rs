//! Something a person should know, and what to do about it.

use std::fmt::Write;

use floodgate_words::Reason;
use jiff::Timestamp;
use serde::Serialize;

use crate::colour;
use crate::line::one_line;
use crate::moment::Moment;

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// What, in a sentence.
    pub what: String,
    /// Reason of the condition or remark behind it.
    pub reason: String,
    /// Since when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What to do about it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Point {
    /// A point with the remedy its reason has.
    pub fn new(what: impl Into<String>, reason: &str, since: Option<Timestamp>) -> Self {
        Self {
            what: what.into(),
            reason: reason.to_owned(),
            since,
            remedy: Reason::from_name(reason)
                .and_then(Reason::remedy)
                .map(str::to_owned),
        }
    }

    /// The same point with this remedy.
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What, and what to do, in one line.
    pub fn in_one_line(self) -> String {
        let remedy = self.remedy.map(|remedy| format!("; {remedy}"));
        self.what + &remedy.unwrap_or_default()
    }
}

/// How much a point weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Something is wrong; counted in the headline and marked `!`.
    Wrong,
    /// Only worth knowing; marked `-`.
    Note,
}

/// A line, with the mark of its weight, and one below it for what to do.
pub fn mark(text: &mut String, weight: Weight, line: &str, remedy: Option<&str>) {
    let line = one_line(line);
    // Writing to a String cannot fail.
    let _ = match weight {
        Weight::Wrong => writeln!(text, "  ! {}", colour::wrong(&line)),
        Weight::Note => writeln!(text, "  - {}", colour::note(&line)),
    };
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "      do: {remedy}");
    }
}

/// Marks every point.
pub fn points<'a>(
    text: &mut String,
    points: impl IntoIterator<Item = &'a Point>,
    weight: Weight,
    moment: &Moment,
) {
    for point in points {
        let since = point
            .since
            .map(|since| format!(" ({})", moment.lasting(since)));
        let line = format!("{}{}", point.what, since.unwrap_or_default());
        mark(text, weight, &line, point.remedy.as_deref());
    }
}
