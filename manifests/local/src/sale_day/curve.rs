//! The traffic curve of the demo: fourteen days that end now, and the minutes after it.
//!
//! One curve feeds both the history in Prometheus and the base load of the day, so that the live
//! load goes on where the history stopped. It is either synthetic (a day and a week with noise) or
//! a recorded trace, shifted to the present time of day and scaled to the base load.
//! Invariant: the level just before `now` is the base load; every present value is finite and >= 0.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::minutes::Minutes;

/// Base load of the demo at `now`, requests/s: a tenth of what eight pods of 50 req/s hold.
pub const BASE_RPS: f64 = 40.0;
/// Length of the history, minutes: what the operator asks Prometheus for (14 days).
pub const HISTORY_MIN: usize = 14 * DAY_MIN;
/// Length of the curve after `now`, minutes; a demo takes less than ten.
pub const AHEAD_MIN: usize = 30;

const DAY_MIN: usize = 1_440;
const MINUTE_S: i64 = 60;
/// The mean of this many minutes before `now` becomes the base load.
const LEVEL_PAST_MIN: usize = 15;
/// Half width of the window that gives the level at a minute after `now`, minutes.
const LEVEL_HALF_MIN: usize = 7;
/// The live load stays within these multiples of the base load, so that a trace that bursts in the
/// very minute of the demo does not turn the base phase into a sale of its own.
const LIVE_SHARE: std::ops::RangeInclusive<f64> = 0.8..=1.2;
/// A place in the trace is good enough when its past holds this share of the best one's values.
const COVERAGE_SHARE: f64 = 0.98;
/// A scrape gap of the synthetic history: minutes before `now`, and its length in minutes.
const GAP_MIN: (usize, usize) = (5 * DAY_MIN + 133, 25);

/// Requests/s minute by minute around `now`.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Seconds since the epoch, a multiple of 60: the end of the past.
    pub now_s: i64,
    /// Requests/s of the minutes that end at `now_s`, oldest first; none where nothing was scraped.
    pub past_rps: Vec<Option<f64>>,
    /// Requests/s of the minutes that begin at `now_s`.
    pub ahead_rps: Vec<f64>,
}

impl Curve {
    /// A shop's fourteen days: low at night, two peaks, busier week-ends, noise and one scrape gap.
    /// `utc_offset_s` places the day in local time.
    pub fn synthetic(now_s: i64, utc_offset_s: i64, seed: u64) -> Self {
        let now_s = now_s.div_euclid(MINUTE_S) * MINUTE_S;
        let mut random = StdRng::seed_from_u64(seed);
        let mut drift = 0.0;
        let first_s = now_s - HISTORY_MIN as i64 * MINUTE_S;
        let mut minutes: Vec<Option<f64>> = (0..HISTORY_MIN + AHEAD_MIN)
            .map(|minute| {
                drift = 0.85 * drift + random.random_range(-0.015..0.015);
                let noise = 1.0 + drift + random.random_range(-0.03..0.03);
                Some(season(first_s + minute as i64 * MINUTE_S + utc_offset_s) * noise)
            })
            .collect();
        let (before_min, length_min) = GAP_MIN;
        minutes[HISTORY_MIN - before_min..][..length_min].fill(None);
        Self::around(now_s, &minutes, HISTORY_MIN)
    }

    /// The trace, placed so that a minute of the same time of day is `now`; of several such days
    /// the one with the fullest past, then of the same weekday, then the latest.
    pub fn from_trace(now_s: i64, trace: &Minutes) -> Self {
        let now_s = now_s.div_euclid(MINUTE_S) * MINUTE_S;
        Self::around(now_s, &trace.values, place(now_s, trace))
    }

    /// Live base load, requests/s, `t_s` seconds after `now`.
    pub fn live_rps(&self, t_s: f64) -> f64 {
        let minute = (t_s / MINUTE_S as f64).clamp(0.0, (AHEAD_MIN - 1) as f64);
        self.ahead_rps[minute as usize]
    }

    /// Cuts past and future around `now_index` and scales both to the base load.
    fn around(now_s: i64, minutes: &[Option<f64>], now_index: usize) -> Self {
        let end_of_past = &minutes[now_index.saturating_sub(LEVEL_PAST_MIN)..now_index];
        let scale = BASE_RPS / mean(end_of_past).unwrap_or(BASE_RPS);
        let past = &minutes[now_index.saturating_sub(HISTORY_MIN)..now_index];
        let mut last = BASE_RPS;
        let ahead_rps = (now_index..now_index + AHEAD_MIN)
            .map(|index| {
                last = level(minutes, index).map_or(last, |value| value * scale);
                last.clamp(BASE_RPS * LIVE_SHARE.start(), BASE_RPS * LIVE_SHARE.end())
            })
            .collect();
        Self {
            now_s,
            past_rps: past
                .iter()
                .map(|value| value.map(|value| value * scale))
                .collect(),
            ahead_rps,
        }
    }
}

/// Relative load at a local second: 0.4 at night to 1.6 in the evening, up to 8 % more at week-ends.
fn season(local_s: i64) -> f64 {
    let turn = |period_s: i64, peak_s: i64| {
        let share = (local_s - peak_s).rem_euclid(period_s) as f64 / period_s as f64;
        (share * std::f64::consts::TAU).cos()
    };
    let day_s = DAY_MIN as i64 * MINUTE_S;
    // The epoch was a Thursday, so Saturday midnight lies two days after it.
    let week = 1.0 + 0.08 * turn(7 * day_s, 3 * day_s);
    let day = 1.0 + 0.42 * turn(day_s, 15 * 3_600) + 0.16 * turn(day_s / 2, 20 * 3_600 + 1_800);
    week * day
}

/// Level around a minute; none where nothing is known.
fn level(minutes: &[Option<f64>], index: usize) -> Option<f64> {
    let from = index.saturating_sub(LEVEL_HALF_MIN).min(minutes.len());
    let to = (index + LEVEL_HALF_MIN + 1).min(minutes.len());
    mean(&minutes[from..to])
}

/// Mean of the values that are there; none when there are none or the mean is 0.
fn mean(minutes: &[Option<f64>]) -> Option<f64> {
    let present: Vec<f64> = minutes.iter().copied().flatten().collect();
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    (mean > 0.0).then_some(mean)
}

/// Index of the trace's minute that becomes `now`; its last minute with traffic when no day of the
/// trace has the present time of day.
fn place(now_s: i64, trace: &Minutes) -> usize {
    let mut counted = 0_usize;
    let present: Vec<usize> = std::iter::once(0)
        .chain(trace.values.iter().map(|value| {
            counted += usize::from(value.is_some());
            counted
        }))
        .collect();
    let past = |index: usize| present[index] - present[index.saturating_sub(HISTORY_MIN)];
    let days_min = (now_s - trace.start_s).div_euclid(MINUTE_S);
    let first = usize::try_from(days_min.rem_euclid(DAY_MIN as i64)).unwrap_or(0);
    let candidates: Vec<usize> = (first..trace.values.len())
        .step_by(DAY_MIN)
        .filter(|index| mean(&trace.values[index.saturating_sub(LEVEL_PAST_MIN)..*index]).is_some())
        .collect();
    let best = candidates
        .iter()
        .map(|index| past(*index))
        .max()
        .unwrap_or(0);
    candidates
        .into_iter()
        .filter(|index| past(*index) as f64 >= COVERAGE_SHARE * best as f64)
        .max_by_key(|index| {
            (
                (days_min - *index as i64) % (7 * DAY_MIN as i64) == 0,
                *index,
            )
        })
        .unwrap_or_else(|| {
            let busy = |value: &Option<f64>| value.is_some_and(|value| value > 0.0);
            trace.values.iter().rposition(busy).unwrap_or(0)
        })
}

#[cfg(test)]
mod tests {
    use super::{AHEAD_MIN, BASE_RPS, Curve, DAY_MIN, HISTORY_MIN};
    use crate::sale_day::minutes::Minutes;

    const NOW_S: i64 = 1_795_219_200 + 4 * 3_600;

    fn assert_near(value: f64, expected: f64) {
        assert!(
            (value - expected).abs() < expected * 0.1,
            "{value} is not near {expected}"
        );
    }

    /// A trace whose value is the minute of its day plus one, `days` long, from a midnight.
    fn saw(days: usize) -> Minutes {
        Minutes {
            start_s: 804_556_800,
            values: (0..days * DAY_MIN)
                .map(|m| Some((m % DAY_MIN + 1) as f64))
                .collect(),
        }
    }

    #[test]
    fn synthetic_history_has_a_day_a_gap_and_the_base_load_at_now() {
        let curve = Curve::synthetic(NOW_S + 17, 0, 1);
        assert_eq!(curve.now_s, NOW_S);
        assert_eq!(curve.past_rps.len(), HISTORY_MIN);
        assert_eq!(
            curve
                .past_rps
                .iter()
                .filter(|value| value.is_none())
                .count(),
            25
        );
        assert_near(curve.past_rps.last().unwrap().unwrap(), BASE_RPS);
        assert_near(curve.live_rps(0.0), BASE_RPS);
        let (low, high) = curve
            .past_rps
            .iter()
            .flatten()
            .fold((f64::MAX, 0.0_f64), |range, v| {
                (range.0.min(*v), range.1.max(*v))
            });
        assert!(
            low > 0.0 && high > 2.5 * low,
            "a day must be seen: {low} to {high}"
        );
        assert_eq!(
            curve,
            Curve::synthetic(NOW_S, 0, 1),
            "the same seed gives the same curve"
        );
    }

    #[test]
    fn a_trace_is_placed_by_time_of_day_and_scaled_to_the_base_load() {
        let curve = Curve::from_trace(NOW_S, &saw(20));
        let minute_of_day = 4.0 * 60.0;
        assert_eq!(curve.past_rps.len(), HISTORY_MIN);
        let last = curve.past_rps.last().unwrap().unwrap();
        assert_near(last, BASE_RPS * minute_of_day / (minute_of_day + 1.0));
        assert_near(curve.live_rps(60.0), BASE_RPS);
        let midnight = curve.past_rps[HISTORY_MIN - 240].unwrap();
        assert!(
            midnight < 1.0,
            "midnight of the trace is midnight here: {midnight}"
        );
    }

    #[test]
    fn a_short_trace_gives_what_there_is() {
        assert_eq!(Curve::from_trace(NOW_S, &saw(1)).past_rps.len(), 240);
        let mut hour = saw(1);
        hour.values.truncate(60);
        hour.start_s += 12 * 3_600;
        let curve = Curve::from_trace(NOW_S, &hour);
        assert_eq!(
            curve.past_rps.len(),
            59,
            "no 04:00 in it, so its end is now"
        );
        assert_eq!(curve.ahead_rps.len(), AHEAD_MIN);
    }

    #[test]
    fn a_day_with_an_outage_before_it_is_passed_over() {
        let mut trace = saw(20);
        let end = trace.values.len();
        trace.values[end - DAY_MIN - 700..end - DAY_MIN + 200].fill(None);
        let curve = Curve::from_trace(NOW_S, &trace);
        assert!(curve.past_rps.iter().all(Option::is_some));
    }

    #[test]
    fn the_live_load_stays_near_the_base_load_whatever_the_trace_does_next() {
        let mut trace = saw(15);
        let end = trace.values.len();
        trace.values[end - DAY_MIN + 243..].fill(Some(1e9));
        for value in Curve::from_trace(NOW_S, &trace).ahead_rps {
            assert!(
                (0.8 * BASE_RPS..=1.2 * BASE_RPS).contains(&value),
                "{value}"
            );
        }
    }
}
