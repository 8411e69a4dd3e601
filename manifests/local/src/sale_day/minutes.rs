//! A recorded trace minute by minute, as the history of a demo takes it.
//!
//! The unit of its values does not matter, the history only takes the shape.
//! Invariant: every present value is finite and >= 0, and a gap of the trace stays a gap.

use std::path::{Path, PathBuf};

use floodgate_trace::{ReadError, Sample, Unit};
use thiserror::Error;

/// Longest distance between two rows that still counts as one step, seconds.
const STEP_S_MAX: i64 = 3_600;
const MINUTE_S: i64 = 60;
/// Longest span from first to last row, seconds: ten years, 5.3 million minutes in memory.
const SPAN_S_MAX: i64 = 10 * 366 * 86_400;

/// Why a trace cannot be used.
#[derive(Debug, Error)]
pub enum MinutesError {
    /// The file is no trace.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Every row is fine but together they are no traffic.
    #[error("trace {path}: {cause}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is missing.
        cause: &'static str,
    },
}

/// A trace on a grid of one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Minutes {
    /// Seconds since the epoch of the first minute, a multiple of 60.
    pub start_s: i64,
    /// One value per minute in the trace's own unit; none where it has a gap.
    pub values: Vec<Option<f64>>,
}

/// Reads and checks a trace file.
pub fn read(path: &Path) -> Result<Minutes, MinutesError> {
    let content = |cause| {
        let path = path.to_owned();
        Err(MinutesError::Content { path, cause })
    };
    let trace = floodgate_trace::read(path, Unit::Rps)?;
    let samples = trace.samples().iter();
    let points: Vec<Point> = samples
        .map(|Sample { at, value }| (at.as_second(), *value))
        .collect();
    if points.iter().filter(|(_, value)| value.is_some()).count() < 2 {
        return content("at least two rows must have a value");
    }
    if points.iter().all(|(_, value)| value.unwrap_or(0.0) <= 0.0) {
        return content("at least one value must be greater than 0");
    }
    let (first, last) = trace.span();
    if last.as_second() - first.as_second() > SPAN_S_MAX {
        return content("first and last row must be at most ten years apart");
    }
    Ok(by_minute(&points))
}

type Point = (i64, Option<f64>);

/// Puts the points on whole minutes: the mean where rows are denser, a straight line where they
/// are sparser but no further apart than the trace's own step, nothing across a gap.
fn by_minute(points: &[Point]) -> Minutes {
    let first = points
        .first()
        .map_or(0, |point| point.0.div_euclid(MINUTE_S));
    let last = points
        .last()
        .map_or(0, |point| point.0.div_euclid(MINUTE_S));
    let mut sums = vec![(0.0, 0_u32); usize::try_from(last - first).unwrap_or(0) + 1];
    for (second, value) in points {
        let minute = usize::try_from(second.div_euclid(MINUTE_S) - first).unwrap_or(0);
        if let Some(value) = value {
            sums[minute].0 += value;
            sums[minute].1 += 1;
        }
    }
    let mut minutes: Vec<Option<f64>> = sums
        .into_iter()
        .map(|(sum, rows)| (rows > 0).then(|| sum / f64::from(rows)))
        .collect();
    let step_s = step(points);
    for pair in points.windows(2) {
        let ((from_s, Some(from)), (to_s, Some(to))) = (pair[0], pair[1]) else {
            continue;
        };
        if to_s - from_s > step_s {
            continue;
        }
        for minute in from_s.div_euclid(MINUTE_S) + 1..to_s.div_euclid(MINUTE_S) {
            let share = (minute * MINUTE_S - from_s) as f64 / (to_s - from_s) as f64;
            if let Ok(index) = usize::try_from(minute - first) {
                minutes[index] = Some(from + share * (to - from));
            }
        }
    }
    Minutes {
        start_s: first * MINUTE_S,
        values: minutes,
    }
}

/// The most frequent distance between two rows, seconds, within one minute and one hour.
fn step(points: &[Point]) -> i64 {
    let mut distances: Vec<i64> = points
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    distances.sort_unstable();
    let middle = distances.get(distances.len() / 2).copied();
    middle.unwrap_or(MINUTE_S).clamp(MINUTE_S, STEP_S_MAX)
}

#[cfg(test)]
mod tests;
