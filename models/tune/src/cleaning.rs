//! What is left out of a trace before it is learned from: declared windows, resets of a counter.

use std::path::Path;

use clap::Args;
use floodgate_forecast::{Mask, Series, UnixMillis};
use floodgate_trace::{Counted, Trace, Unit};

use crate::error::TuneError;

/// Flags of every command that reads a trace.
#[derive(Debug, Args)]
pub(crate) struct Cleaning {
    /// Leave this window out of the history: an outage or a load test. Repeat it for several.
    /// The annotation `floodgate.dev/mask-history` takes the same format.
    #[arg(long, value_name = "FROM/TO")]
    mask: Vec<Mask>,
    /// Read the values as a counter, whatever --unit says: take the rates between them, mask resets.
    #[arg(long)]
    counter: bool,
}

impl Cleaning {
    /// The windows that are left out.
    pub(crate) fn windows(&self) -> &[Mask] {
        &self.mask
    }

    /// Refuses a window that touches none of the traces: nothing would be left out, most likely by a
    /// slip in the date.
    pub(crate) fn within<'a>(
        &self,
        name: &str,
        traces: impl Iterator<Item = &'a Trace> + Clone,
    ) -> Result<(), TuneError> {
        let first = traces.clone().map(|one| one.span().0.into()).min();
        let last = traces.map(|one| one.span().1.into()).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(());
        };
        let mut windows = self.mask.iter();
        let outside = windows.find(|mask| mask.until < first || mask.from > last);
        outside.map_or(Ok(()), |mask| {
            Err(TuneError::MaskOutside {
                name: name.to_owned(),
                mask: *mask,
                first,
                last,
            })
        })
    }

    /// Reads a trace of what `unit` says, or of a counter.
    pub(crate) fn trace(&self, path: &Path, unit: Unit) -> Result<(Trace, Counted), TuneError> {
        if self.counter {
            return Ok(floodgate_trace::read_counter(path)?);
        }
        Ok((floodgate_trace::read(path, unit)?, Counted::default()))
    }

    /// How the values were read.
    pub(crate) fn in_words(&self, unit: Unit, trace: &Trace) -> String {
        if self.counter {
            "values taken as a counter of requests".to_owned()
        } else {
            unit.in_words(trace)
        }
    }

    /// What is known at an instant that lies within the trace, without the masked windows.
    pub(crate) fn known_within(
        &self,
        trace: &Trace,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, TuneError> {
        let (first, last) = trace.span();
        let (first, last) = (first.into(), last.into());
        if !(first..=last).contains(&at) {
            return Err(TuneError::Outside {
                name: name.to_owned(),
                at,
                first,
                last,
            });
        }
        self.known_at(trace, name, at)
    }

    /// What is known of a trace at an instant, without the masked windows.
    pub(crate) fn known_at(
        &self,
        trace: &Trace,
        name: &str,
        at: UnixMillis,
    ) -> Result<Series, TuneError> {
        let known = known_at(trace, name, at)?;
        known.without(&self.mask).ok_or_else(|| TuneError::Origin {
            name: name.to_owned(),
            at,
            cause: "every value known by then lies in a window of --mask".to_owned(),
        })
    }
}

/// What is known of a trace at an instant.
pub(crate) fn known_at(trace: &Trace, name: &str, at: UnixMillis) -> Result<Series, TuneError> {
    Series::known_at(trace, at).map_err(|source| TuneError::Series {
        name: name.to_owned(),
        at,
        source,
    })
}
