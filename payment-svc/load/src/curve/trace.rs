//! Traces: `timestamp,value` text, one row per step, blank value = missing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const WEEK_S: i64 = 7 * 86_400;

/// One row of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceSample {
    /// Start of the step the value covers.
    pub timestamp: Timestamp,
    /// The value; none when it is missing, which is not zero.
    pub value: Option<f64>,
}

/// Why a text is not a trace; the line counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// The first line is not the header.
    #[error("line 1: must be the header `timestamp,value`")]
    Header,
    /// A row has not two columns.
    #[error("line {line}: must have two columns, `timestamp,value`")]
    Columns {
        /// Line of the row.
        line: usize,
    },
    /// A time cannot be read.
    #[error("line {line}: the timestamp must be RFC 3339 with a zone, like 1998-06-25T00:00:00Z")]
    Timestamp {
        /// Line of the row.
        line: usize,
    },
    /// A time is not after the one before.
    #[error("line {line}: the timestamp must be later than the one before")]
    Order {
        /// Line of the row.
        line: usize,
    },
    /// A value is not a finite number of at least zero.
    #[error("line {line}: the value must be blank or a finite number of at least 0")]
    Value {
        /// Line of the row.
        line: usize,
    },
    /// There are fewer than two values.
    #[error("the trace must hold at least two values")]
    TooShort,
}

/// A recorded series.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    samples: Vec<TraceSample>,
}

impl Trace {
    /// Reads `timestamp,value` text; the first bad row ends it with its line number.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().zip(1..);
        match lines.next() {
            Some((header, _)) if header.trim() == "timestamp,value" => {}
            _ => return Err(TraceError::Header),
        }
        let mut samples: Vec<TraceSample> = Vec::new();
        for (row, line) in lines.filter(|(row, _)| !row.trim().is_empty()) {
            let sample = parse_row(row, line)?;
            if samples
                .last()
                .is_some_and(|last| last.timestamp >= sample.timestamp)
            {
                return Err(TraceError::Order { line });
            }
            samples.push(sample);
        }
        if samples
            .iter()
            .filter(|sample| sample.value.is_some())
            .count()
            < 2
        {
            return Err(TraceError::TooShort);
        }
        Ok(Self { samples })
    }

    /// The rows, in order.
    pub fn samples(&self) -> &[TraceSample] {
        &self.samples
    }

    /// The smallest distance between two rows, seconds.
    pub fn step_s(&self) -> i64 {
        let distance = |pair: &[TraceSample]| match pair {
            [a, b] => b.timestamp.as_second() - a.timestamp.as_second(),
            _ => i64::MAX,
        };
        self.samples
            .windows(2)
            .map(distance)
            .min()
            .unwrap_or(1)
            .max(1)
    }

    /// The trace as a history of rates that ends before `end`.
    ///
    /// The end of the trace is moved by whole weeks, so that hours and weekdays keep their place;
    /// values are averaged (or held) to `step_s` and scaled so that their median is `median_rps`.
    /// Missing stays missing.
    pub fn history(
        &self,
        end: Timestamp,
        span_s: u32,
        step_s: u32,
        median_rps: f64,
    ) -> Vec<TraceSample> {
        let (Some(last), step_s) = (self.samples.last(), i64::from(step_s.max(1))) else {
            return Vec::new();
        };
        let end_s = end.as_second();
        // Rounded up, so that the moved trace reaches to the end and no gap opens before it.
        let shift_s = -((last.timestamp.as_second() - end_s).div_euclid(WEEK_S)) * WEEK_S;
        let scale = median_rps / self.median();
        let mut history = Vec::new();
        let mut from_s = end_s - i64::from(span_s);
        while from_s < end_s {
            if let Ok(timestamp) = Timestamp::from_second(from_s) {
                let mean = self.mean_between(from_s - shift_s, from_s - shift_s + step_s);
                history.push(TraceSample {
                    timestamp,
                    value: mean.map(|value| value * scale),
                });
            }
            from_s += step_s;
        }
        history
    }

    /// Mean of the values in a span, or the value in force when the span is shorter than a step.
    fn mean_between(&self, from_s: i64, to_s: i64) -> Option<f64> {
        let index = |second: i64| {
            self.samples
                .partition_point(|sample| sample.timestamp.as_second() < second)
        };
        let rows = &self.samples[index(from_s)..index(to_s)];
        if rows.is_empty() {
            let held = self.samples[..index(from_s)].last()?;
            return held
                .value
                .filter(|_| held.timestamp.as_second() + self.step_s() > from_s);
        }
        let values: Vec<f64> = rows.iter().filter_map(|row| row.value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Median of the values above zero: a trace that is silent at night still has a scale.
    fn median(&self) -> f64 {
        let values = self.samples.iter().filter_map(|sample| sample.value);
        let mut values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(1.0)
    }
}

fn parse_row(row: &str, line: usize) -> Result<TraceSample, TraceError> {
    let (timestamp, value) = row
        .trim()
        .split_once(',')
        .ok_or(TraceError::Columns { line })?;
    if value.contains(',') {
        return Err(TraceError::Columns { line });
    }
    let timestamp = timestamp
        .trim()
        .parse()
        .map_err(|_| TraceError::Timestamp { line })?;
    let value = match value.trim() {
        "" => None,
        number => match number.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Some(number),
            _ => return Err(TraceError::Value { line }),
        },
    };
    Ok(TraceSample { timestamp, value })
}
