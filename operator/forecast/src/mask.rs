//! Windows that a person declared no demand of customers: outages and load tests.
//!
//! One text, several windows; one that cannot be read is refused with what would be accepted and
//! takes none of the others with it.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{series::Series, time::UnixMillis};

/// Windows of one text, at most: more are a mistake of a script.
pub const MASKS_MAX: usize = 64;
/// Longest window, days: a longer one is most likely a slip in the year.
const DAYS_MAX: i64 = 31;
/// Characters of a bad value that are repeated in a message.
const ECHO_CHARS: usize = 64;

/// A window whose values are not learned from, both ends within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mask {
    /// First instant.
    pub from: UnixMillis,
    /// Last instant.
    pub until: UnixMillis,
}

/// Why a text is no window.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MaskError {
    /// Not two instants.
    #[error(
        "{0:?} must be FROM/TO, two RFC 3339 instants such as \
         2026-11-03T02:00:00Z/2026-11-03T03:30:00Z"
    )]
    Shape(String),
    /// The end does not lie after the beginning.
    #[error("{0:?} must end after it begins")]
    Order(String),
    /// Longer than any outage.
    #[error("{0:?} must be at most {DAYS_MAX} days long")]
    Length(String),
    /// Too many windows.
    #[error("{0} windows must be at most {MASKS_MAX}; the first {MASKS_MAX} hold")]
    Count(usize),
}

/// What a text of windows says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// The windows that hold, in the order of the text.
    pub windows: Vec<Mask>,
    /// What could not be read.
    pub refused: Vec<MaskError>,
}

impl Masks {
    /// Reads windows `FROM/TO` with commas or white space between them.
    pub fn parse(text: &str) -> Self {
        let mut masks = Self::default();
        let words = text
            .split(|letter: char| letter == ',' || letter.is_whitespace())
            .filter(|word| !word.is_empty());
        let count = words.clone().count();
        if count > MASKS_MAX {
            masks.refused.push(MaskError::Count(count));
        }
        for word in words.take(MASKS_MAX) {
            match word.parse() {
                Ok(mask) => masks.windows.push(mask),
                Err(error) => masks.refused.push(error),
            }
        }
        masks
    }
}

impl FromStr for Mask {
    type Err = MaskError;

    fn from_str(text: &str) -> Result<Self, MaskError> {
        let echo = || text.chars().take(ECHO_CHARS).collect::<String>();
        let (from, until) = text
            .split_once('/')
            .ok_or_else(|| MaskError::Shape(echo()))?;
        let instant = |text: &str| {
            let read = text.trim().parse::<Timestamp>();
            read.map_err(|_| MaskError::Shape(echo()))
        };
        let (from, until) = (instant(from)?, instant(until)?);
        let mask = Self {
            from: from.into(),
            until: until.into(),
        };
        match mask.until.seconds_since(mask.from) {
            ..=0 => Err(MaskError::Order(echo())),
            length_s if length_s > DAYS_MAX * 86_400 => Err(MaskError::Length(echo())),
            _ => Ok(mask),
        }
    }
}

impl Series {
    /// The same series without the values in any of the windows; `None` when nothing is left.
    #[must_use]
    pub fn without(&self, windows: &[Mask]) -> Option<Self> {
        let mut touched = windows
            .iter()
            .filter(|mask| mask.from <= self.end() && mask.until >= self.start());
        touched.try_fold(self.clone(), |series, mask| {
            series.masked(mask.from, mask.until)
        })
    }
}
