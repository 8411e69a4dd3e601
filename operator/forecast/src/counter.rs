//! Rates from a counter that only grows: an access log's running total, a metric without `rate()`.
//!
//! A fall is a reset: the process began anew, and what it had counted since then is not known to
//! the second. The step of the fall is masked, never read as a negative or as a huge rate.

use crate::time::UnixMillis;

/// Shorter than this, seconds, a load may well only rise; over two days every load falls at night,
/// at the weekend, or by chance.
const RISING_S_MIN: i64 = 2 * 86_400;
/// With fewer values than hours in those two days, falls may lie between them.
const VALUES_MIN: usize = 48;
/// A value below this share of the one before is a reset, a smaller fall is none.
const RESET_SHARE: f64 = 0.5;
/// Of so many steps one may be a reset.
const STEPS_PER_RESET: usize = 100;
/// Of so many steps one must rise: a load that stays as it is counts nothing.
const STEPS_PER_RISE: usize = 4;

/// Whether values that are said to be rates count up, as a counter's do: over two days and more
/// they never fall but to begin anew.
pub fn counts_up(samples: &[(UnixMillis, Option<f64>)]) -> bool {
    let known = samples
        .iter()
        .filter_map(|(at, value)| Some((*at, (*value)?)));
    let known: Vec<(UnixMillis, f64)> = known.collect();
    let (Some((from, _)), Some((until, _))) = (known.first(), known.last()) else {
        return false;
    };
    if until.seconds_since(*from) < RISING_S_MIN || known.len() < VALUES_MIN {
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

/// Rates of a counter and how many steps were masked as resets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CounterRates {
    /// Requests/s over the step that ends at each instant; `None` where it is not known.
    pub samples: Vec<(UnixMillis, Option<f64>)>,
    /// Steps at which the counter fell.
    pub resets: usize,
    /// Values that are no count: negative, NaN or infinite.
    pub rejected: usize,
}

impl CounterRates {
    /// The rates between the values of a counter, oldest first. A step that follows missing values
    /// holds their mean rate.
    pub fn of(counts: &[(UnixMillis, Option<f64>)]) -> Self {
        let mut rates = Self::default();
        let mut before: Option<(UnixMillis, f64)> = None;
        for (at, count) in counts {
            let count = match count {
                Some(count) if count.is_finite() && *count >= 0.0 => *count,
                Some(_) => {
                    rates.rejected += 1;
                    rates.samples.push((*at, None));
                    continue;
                }
                None => {
                    rates.samples.push((*at, None));
                    continue;
                }
            };
            let rate_rps = before.and_then(|(then, last)| {
                let elapsed_s = at.0.saturating_sub(then.0) as f64 / 1_000.0;
                (elapsed_s > 0.0).then(|| (count - last) / elapsed_s)
            });
            let fell = rate_rps.is_some_and(|rate_rps| rate_rps < 0.0);
            rates.resets += usize::from(fell);
            rates.samples.push((*at, rate_rps.filter(|_| !fell)));
            before = Some((*at, count));
        }
        rates
    }
}
