//! A list of events known ahead: `timestamp,label`.

use jiff::Timestamp;

use crate::rows::{TraceError, instant, lines};

/// Reads a list of `timestamp,label`, one event a row in any order, each with its line from 1.
pub fn instants(text: &str) -> Result<Vec<(usize, Timestamp)>, TraceError> {
    let rows = lines(text).filter(|(first, _, row)| !(*first && row.starts_with("timestamp")));
    let dated = rows.map(|(_, line, row)| {
        let time = row.split(',').next().unwrap_or(row);
        let at = instant(time).map_err(|cause| TraceError::Row { line, cause })?;
        Ok((line, at))
    });
    dated.collect()
}
