//! Rates from a counter that only grows: an access log's running total, a metric without `rate()`.
//!
//! A fall is a reset: the process started again, and what it had counted since then is not known to
//! the second. The step of the fall is masked, never read as a negative or as a huge rate.

use jiff::{SignedDuration, Timestamp};

use crate::rows::Sample;

/// In less than this a load may well only rise; over two days every load falls at night, at the
/// weekend, or by chance.
const RISING_MIN: SignedDuration = SignedDuration::from_hours(48);
/// With fewer values than hours in those two days, falls may lie between them.
const VALUES_MIN: usize = 48;
/// A value below this share of the one before is a reset, a smaller fall is none.
const RESET_SHARE: f64 = 0.5;
/// Of so many steps one may be a reset.
const STEPS_PER_RESET: usize = 100;
/// Of so many steps one must rise: a load that stays as it is counts nothing.
const STEPS_PER_RISE: usize = 4;

/// Whether values that should be loads count up, as a counter's do: over two days and more they
/// never fall except to start again.
pub fn counts_up(values: impl IntoIterator<Item = (Timestamp, f64)>) -> bool {
    let known: Vec<(Timestamp, f64)> = values.into_iter().collect();
    let (Some((from, _)), Some((until, _))) = (known.first(), known.last()) else {
        return false;
    };
    if until.duration_since(*from) < RISING_MIN || known.len() < VALUES_MIN {
        return false;
    }
    let (mut rises, mut resets) = (0, 0);
    for pair in known.windows(2) {
        let &[(_, before), (_, after)] = pair else {
            continue;
        };
        if after > before {
            rises += 1;
        } else if after < before * RESET_SHARE {
            resets += 1;
        } else if after < before {
            return false;
        }
    }
    let steps = known.len() - 1;
    rises * STEPS_PER_RISE >= steps && resets * STEPS_PER_RESET <= steps
}

/// What was left out on the way from a counter to rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Steps at which the counter fell.
    pub resets: usize,
    /// Values that are no count: negative, NaN or infinite.
    pub rejected: usize,
}

/// The rates over the step that ends at each sample of a counter, requests/s. A step that follows
/// missing values holds their mean rate.
pub(crate) fn rates(counts: &[Sample]) -> (Vec<Sample>, Counted) {
    let mut counted = Counted::default();
    let mut before: Option<(Timestamp, f64)> = None;
    let rates = counts.iter().map(|&Sample { at, value }| {
        let count = value.filter(|count| count.is_finite() && *count >= 0.0);
        counted.rejected += usize::from(value.is_some() && count.is_none());
        let rate_rps = count.zip(before).and_then(|(count, (then, last))| {
            let elapsed_s = (at.as_millisecond() - then.as_millisecond()) as f64 / 1_000.0;
            (elapsed_s > 0.0).then(|| (count - last) / elapsed_s)
        });
        before = count.map(|count| (at, count)).or(before);
        counted.resets += usize::from(rate_rps.is_some_and(|rate_rps| rate_rps < 0.0));
        Sample {
            at,
            value: rate_rps.filter(|rate_rps| *rate_rps >= 0.0),
        }
    });
    let rates = rates.collect();
    (rates, counted)
}
