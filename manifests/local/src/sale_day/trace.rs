//! Reading a recorded traffic trace: columns `timestamp,value`, blank value = missing.
//!
//! The unit of `value` does not matter, the history only takes the shape; what matters is that a
//! bad row is named by its line and never guessed at.
//! Invariant: points are strictly increasing in time and every present value is finite and >= 0.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

/// Longest file that is read, bytes; a minute of traffic for 40 years is smaller.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Longest distance between two rows that still counts as one step, seconds.
const STEP_S_MAX: i64 = 3_600;
const MINUTE_S: i64 = 60;
/// Longest span from first to last row, seconds: ten years, 5.3 million minutes in memory.
const SPAN_S_MAX: i64 = 10 * 366 * 86_400;
/// Characters of a bad field that are repeated in the message.
const ECHO_CHARS: usize = 40;

/// Why a trace cannot be used; each is one line that names file and line.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("cannot read trace {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A row breaks the format.
    #[error("trace {path} line {line}: {cause}")]
    Row {
        /// The file.
        path: PathBuf,
        /// Line in the file, from 1.
        line: usize,
        /// What must be otherwise.
        cause: String,
    },
    /// Every row is fine but together they are no traffic.
    #[error("trace {path}: {cause}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is missing.
        cause: String,
    },
}

/// A trace on a grid of one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Seconds since the epoch of the first minute, a multiple of 60.
    pub start_s: i64,
    /// One value per minute in the trace's own unit; none where it has a gap.
    pub minutes: Vec<Option<f64>>,
}

/// Reads and checks a trace file.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    let content = |cause: &str| TraceError::Content {
        path: path.to_owned(),
        cause: cause.to_owned(),
    };
    let read_error = |source| TraceError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(read_error)?.len() > FILE_BYTES_MAX {
        return Err(content("the file must be at most 1 GiB"));
    }
    let text = std::fs::read_to_string(path).map_err(read_error)?;
    let points = parse(&text).map_err(|(line, cause)| TraceError::Row {
        path: path.to_owned(),
        line,
        cause,
    })?;
    if points.iter().filter(|(_, value)| value.is_some()).count() < 2 {
        return Err(content("at least two rows must have a value"));
    }
    if points.iter().all(|(_, value)| value.unwrap_or(0.0) <= 0.0) {
        return Err(content("at least one value must be greater than 0"));
    }
    let seconds = |point: Option<&Point>| point.map_or(0, |point| point.0);
    if seconds(points.last()) - seconds(points.first()) > SPAN_S_MAX {
        return Err(content(
            "first and last row must be at most ten years apart",
        ));
    }
    Ok(by_minute(&points))
}

type Point = (i64, Option<f64>);

fn parse(text: &str) -> Result<Vec<Point>, (usize, String)> {
    let mut points: Vec<Point> = Vec::new();
    let mut lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty());
    match lines.next() {
        Some((header, _)) if header.trim() == "timestamp,value" => {}
        Some((_, at)) => return Err((at, "the header must be `timestamp,value`".to_owned())),
        None => return Err((1, "the file is empty".to_owned())),
    }
    for (line, at) in lines {
        let point = parse_row(line).map_err(|cause| (at, cause))?;
        if points.last().is_some_and(|(before, _)| point.0 <= *before) {
            return Err((
                at,
                "the timestamp must be after the one before it".to_owned(),
            ));
        }
        points.push(point);
    }
    Ok(points)
}

fn parse_row(line: &str) -> Result<Point, String> {
    let mut fields = line.split(',').map(str::trim);
    let (Some(time), Some(value), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err("a row must have the two columns `timestamp,value`".to_owned());
    };
    let second = time
        .parse::<Timestamp>()
        .map_err(|_| {
            format!(
                "timestamp `{}` must be RFC 3339, such as 1998-06-10T15:30:00Z",
                echo(time)
            )
        })?
        .as_second();
    if value.is_empty() {
        return Ok((second, None));
    }
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok((second, Some(number))),
        _ => Err(format!(
            "value `{}` must be a number of at least 0, or blank",
            echo(value)
        )),
    }
}

fn echo(field: &str) -> String {
    field
        .chars()
        .filter(|c| !c.is_control())
        .take(ECHO_CHARS)
        .collect()
}

/// Puts the points on whole minutes: the mean where rows are denser, a straight line where they
/// are sparser but no further apart than the trace's own step, nothing across a gap.
fn by_minute(points: &[Point]) -> Trace {
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
    Trace {
        start_s: first * MINUTE_S,
        minutes,
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
