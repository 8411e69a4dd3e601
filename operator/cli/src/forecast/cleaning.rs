//! What is left out of a trace before it is learned from: declared windows, resets of a counter.

use std::path::Path;

use clap::Args;
use floodgate_forecast::{CounterRates, Mask, Series, Trace, UnixMillis};

use super::{ForecastError, input};

/// Flags of every command that reads a trace.
#[derive(Debug, Args)]
pub(super) struct Cleaning {
    /// Window to leave out of the history, an outage or a load test; may be given several times.
    /// The operator reads the same words from the annotation `floodgate.dev/mask-history`.
    #[arg(long, value_name = "FROM/TO")]
    mask: Vec<Mask>,
    /// The values count up, as a counter does: rates are taken between them, resets are masked.
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
    /// Reads a trace, of rates or of a counter.
    pub(super) fn trace(&self, path: &Path) -> Result<(Trace, Counted), ForecastError> {
        if !self.counter {
            return Ok((input::trace(path)?, Counted::default()));
        }
        let read = Trace::parse_counter(&input::text(path)?);
        let (trace, rates) = read.map_err(|source| ForecastError::Trace {
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

    /// What is known of a trace at an instant, without the masked windows.
    pub(super) fn known_at(
        &self,
        trace: &Trace,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, ForecastError> {
        let series = input::known_at(trace, name, at)?;
        series
            .without(&self.mask)
            .ok_or_else(|| ForecastError::Origin {
                name: name.to_owned(),
                at,
                cause: "every value known by then lies in a window of --mask".to_owned(),
            })
    }
}
