//! The text of a recorded trace: columns `timestamp,value`, RFC 3339, blank value = missing.
//!
//! A bad row is named by its line and never guessed at. Invariant: samples are strictly increasing
//! in time and every present value is finite and not negative.

use jiff::Timestamp;
use thiserror::Error;

use crate::{
    counter::CounterRates,
    series::{Series, SeriesError},
    time::UnixMillis,
};

/// Characters of a bad field that are repeated in a message.
const ECHO_CHARS: usize = 40;

/// Why a text is no trace.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TraceError {
    /// A row breaks the format.
    #[error("line {line}: {cause}")]
    Row {
        /// Line in the text, from 1.
        line: usize,
        /// What it holds and what would be accepted.
        cause: String,
    },
    /// Fewer than two rows.
    #[error("a trace must have a header and at least two rows of timestamp,value")]
    TooShort,
}

/// A recorded trace, gaps included.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    step_s: u32,
    samples: Vec<(UnixMillis, Option<f64>)>,
}

impl Trace {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        Self::read(text, |value| value.is_finite() && value >= 0.0)
    }

    /// Reads the text of a file whose values count up, as the rates between them. What fell was
    /// reset; what is no count is masked. Both are counted.
    pub fn parse_counter(text: &str) -> Result<(Self, CounterRates), TraceError> {
        let Self { step_s, samples } = Self::read(text, |_| true)?;
        let rates = CounterRates::of(&samples);
        let samples = rates.samples.clone();
        Ok((Self { step_s, samples }, rates))
    }

    fn read(text: &str, accepts: impl Fn(f64) -> bool) -> Result<Self, TraceError> {
        let mut samples: Vec<(UnixMillis, Option<f64>)> = Vec::new();
        for (index, row) in text.lines().enumerate() {
            let row = row.trim().trim_start_matches('\u{feff}');
            if row.is_empty() || (index == 0 && row.starts_with("timestamp")) {
                continue;
            }
            let error = |cause: String| TraceError::Row {
                line: index + 1,
                cause,
            };
            let sample = sample(row, &accepts).map_err(error)?;
            if samples
                .last()
                .is_some_and(|(before, _)| *before >= sample.0)
            {
                let cause = format!("{} must be later than the row before it", sample.0);
                return Err(error(cause));
            }
            samples.push(sample);
        }
        let steps = samples
            .windows(2)
            .map(|pair| pair[1].0.seconds_since(pair[0].0));
        let step_s = steps
            .min()
            .and_then(|step_s| u32::try_from(step_s.max(1)).ok());
        let step_s = step_s.ok_or(TraceError::TooShort)?;
        Ok(Self { step_s, samples })
    }

    /// The smallest distance between two rows, seconds.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// Every row, oldest first; `None` where the value is missing.
    pub fn samples(&self) -> &[(UnixMillis, Option<f64>)] {
        &self.samples
    }

    /// The same rows with every value times `factor`, a finite number that is not negative.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let scaled =
            |(at, value): &(UnixMillis, Option<f64>)| (*at, value.map(|value| value * factor));
        Self {
            step_s: self.step_s,
            samples: self.samples.iter().map(scaled).collect(),
        }
    }

    /// The rows up to and including `at`, as a series.
    pub fn known_at(&self, at: UnixMillis) -> Result<Series, SeriesError> {
        let known = self.samples.partition_point(|(time, _)| *time <= at);
        let present = self.samples[..known]
            .iter()
            .filter_map(|(time, value)| value.map(|value| (*time, value)));
        Series::from_samples(self.step_s, &present.collect::<Vec<_>>())
    }
}

fn sample(row: &str, accepts: &impl Fn(f64) -> bool) -> Result<(UnixMillis, Option<f64>), String> {
    let (time, value) = row
        .split_once(',')
        .ok_or_else(|| format!("{:?} must be timestamp,value", echo(row)))?;
    let time: Timestamp = time.trim().parse().map_err(|_| {
        format!(
            "{:?} must be an RFC 3339 instant such as 2026-11-11T00:00:00Z",
            echo(time)
        )
    })?;
    let value = match value.trim() {
        "" => None,
        text => match text.parse::<f64>() {
            Ok(value) if accepts(value) => Some(value),
            _ => {
                let text = echo(text);
                return Err(format!("{text:?} must be a number of at least 0, or blank"));
            }
        },
    };
    Ok((UnixMillis(time.as_millisecond()), value))
}

fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS).collect()
}
