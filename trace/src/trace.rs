//! A recorded load: samples in order, and the step between them.

use jiff::Timestamp;

use crate::counter::{self, Counted};
use crate::rows::{self, Sample, TraceError};

/// A recorded load, gaps included: at least two samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    step_s: u32,
    samples: Vec<Sample>,
}

impl Trace {
    /// Reads a text whose values are loads.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        rows::read(text, |value| value.is_finite() && value >= 0.0).and_then(Self::of)
    }

    /// Reads a text whose values count up, as the rates between them.
    pub fn parse_counter(text: &str) -> Result<(Self, Counted), TraceError> {
        // What is no count is masked and counted, not refused: a counter is a machine's, and one
        // broken scrape must not cost the rest.
        let (rates, counted) = counter::rates(&rows::read(text, |_| true)?);
        Ok((Self::of(rates)?, counted))
    }

    fn of(samples: Vec<Sample>) -> Result<Self, TraceError> {
        let steps = samples
            .windows(2)
            .map(|pair| (pair[1].at.as_millisecond() - pair[0].at.as_millisecond()) / 1_000);
        let step_s = steps.min().ok_or(TraceError::TooShort(samples.len()))?;
        // Rows further apart than 136 years are no load either, but two of them are two rows.
        let step_s = u32::try_from(step_s.max(1)).unwrap_or(u32::MAX);
        Ok(Self { step_s, samples })
    }

    /// The smallest distance between two samples, seconds; at least 1.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// Every sample, oldest first.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Instants of the first and the last sample.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let first = self.samples.first().map(|sample| sample.at);
        let last = self.samples.last().map(|sample| sample.at);
        (first.unwrap_or_default(), last.unwrap_or_default())
    }

    /// The same trace with every value times `factor`, a finite number that is not negative.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for value in self
            .samples
            .iter_mut()
            .filter_map(|sample| sample.value.as_mut())
        {
            *value *= factor;
        }
        self
    }
}
