//! Rates from a counter that only grows: an access log's running total, a metric without `rate()`.
//!
//! A fall is a reset: the process began anew, and what it had counted since then is not known to
//! the second. The step of the fall is masked, never read as a negative or as a huge rate.

use crate::UnixMillis;

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
