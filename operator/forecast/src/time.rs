//! Instants as milliseconds since the Unix epoch, with arithmetic that cannot overflow.
//!
//! Calendars, zones and parsing stay with the caller; a decision or a forecast only ever needs to
//! compare instants and to add seconds to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The instant `seconds` later (earlier when negative); saturates at the ends of the range.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Whole seconds from `earlier` to this instant, rounded towards zero; negative when `earlier`
    /// is in fact later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }

    /// The same instant as a `jiff` timestamp, for printing; `None` beyond the years -9999..=9999.
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0).ok()
    }
}

impl From<Timestamp> for UnixMillis {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl std::fmt::Display for UnixMillis {
    /// RFC 3339 in UTC, to the second.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = Self(self.0.div_euclid(1_000).saturating_mul(1_000));
        match whole.timestamp() {
            Some(timestamp) => write!(f, "{timestamp}"),
            None => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UnixMillis;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(UnixMillis(i64::MAX).plus_s(1), UnixMillis(i64::MAX));
        assert_eq!(UnixMillis(i64::MIN).plus_s(-1), UnixMillis(i64::MIN));
        let span_s = UnixMillis(i64::MAX).seconds_since(UnixMillis(-1));
        assert_eq!(span_s, i64::MAX / 1_000);
    }

    #[test]
    fn prints_rfc_3339_to_the_second() {
        assert_eq!(UnixMillis(1_500).to_string(), "1970-01-01T00:00:01Z");
        assert_eq!(UnixMillis(-500).to_string(), "1969-12-31T23:59:59Z");
    }
}
