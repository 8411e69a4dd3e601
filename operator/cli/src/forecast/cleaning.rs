//! What is left out of a trace before it is learned from: declared windows, resets of a counter.

use std::path::Path;

use clap::Args;
use floodgate_forecast::{CounterRates, Mask, Series, Trace, UnixMillis};

use super::{ForecastError, input};
use crate::file;
use crate::trace::{TraceFileError, Unit};

/// Flags of every command that reads a trace.
#[derive(Debug, Args)]
pub(super) struct Cleaning {
    /// Window to leave out of the history, an outage or a load test; may be given several times.
    /// The operator reads the same words from the annotation `floodgate.dev/mask-history`.
    #[arg(long, value_name = "FROM/TO")]
    mask: Vec<Mask>,
    /// The values count requests up, as a counter does, whatever --unit says: rates are taken
    /// between them, resets are masked.
    #[arg(long)]
    counter: bool,
}

/// What was masked on the way from a counter to rates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) resets: usize,
    pub(super) rejected: usize,
}

impl Cleaning {
    /// The windows that are left out.
    pub(super) fn windows(&self) -> &[Mask] {
        &self.mask
    }

    /// Refuses a window that touches none of the traces: nothing would be left out, most likely by a
    /// slip in the date.
    pub(super) fn within<'a>(
        &self,
        name: &str,
        traces: impl Iterator<Item = &'a Trace> + Clone,
    ) -> Result<(), ForecastError> {
        let instants = |trace: &'a Trace| trace.samples().iter().map(|(at, _)| *at);
        let first = traces.clone().filter_map(|one| instants(one).next()).min();
        let last = traces.filter_map(|one| instants(one).next_back()).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(());
        };
        let mut windows = self.mask.iter();
        let outside = windows.find(|mask| mask.until < first || mask.from > last);
        outside.map_or(Ok(()), |mask| {
            Err(ForecastError::MaskOutside {
                name: name.to_owned(),
                mask: *mask,
                first,
                last,
            })
        })
    }

    /// Reads a trace of what `unit` says, or of a counter.
    pub(super) fn trace(&self, path: &Path, unit: Unit) -> Result<(Trace, Counted), ForecastError> {
        if !self.counter {
            return Ok((input::trace(path, unit)?, Counted::default()));
        }
        let read = Trace::parse_counter(&file::text(path)?);
        let (trace, rates) = read.map_err(|source| TraceFileError::Trace {
            path: path.to_owned(),
            source,
        })?;
        let CounterRates {
            samples: _,
            resets,
            rejected,
        } = rates;
        Ok((trace, Counted { resets, rejected }))
    }

    /// How the values were read.
    pub(super) fn in_words(&self, unit: Unit, trace: &Trace) -> String {
        if self.counter {
            "values taken as a counter of requests".to_owned()
        } else {
            unit.in_words(trace)
        }
    }

    /// What is known at an instant within the trace, without the masked windows.
    pub(super) fn known_within(
        &self,
        trace: &Trace,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, ForecastError> {
        self.unmasked(&input::known_within(trace, name, at)?, name, at)
    }

    /// What is known of a trace at an instant, without the masked windows.
    pub(super) fn known_at(
        &self,
        trace: &Trace,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, ForecastError> {
        self.unmasked(&input::known_at(trace, name, at)?, name, at)
    }

    fn unmasked(
        &self,
        series: &Series,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, ForecastError> {
        series
            .without(&self.mask)
            .ok_or_else(|| ForecastError::Origin {
                name: name.to_owned(),
                at,
                cause: "every value known by then lies in a window of --mask".to_owned(),
            })
    }
}
