//! The rows of a text: columns `timestamp,value`, RFC 3339, blank value = missing.
//!
//! A header, blank lines, a byte order mark and either kind of line end are fine. A bad row is named
//! by its line, its field and its value, and never guessed at.

use jiff::Timestamp;
use thiserror::Error;

/// An instant as messages show it.
const EXAMPLE: &str = "2026-11-11T00:00:00+08:00";
/// Characters of a bad field that a message repeats.
const ECHO_CHARS: usize = 40;

/// One row of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When the value was recorded.
    pub at: Timestamp,
    /// The value; `None` where it is missing.
    pub value: Option<f64>,
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// A row breaks the format.
    #[error("line {line}: {cause}")]
    Row {
        /// Line in the text, from 1.
        line: usize,
        /// What it holds and what is accepted.
        cause: RowError,
    },
    /// There is no step between rows.
    #[error("{0} rows; must have at least two rows of `timestamp,value`")]
    TooShort(usize),
}

/// Why a row cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RowError {
    /// The first line is neither a header nor a row.
    #[error("`{0}` must be the header `timestamp,value` or a row such as `{EXAMPLE},42`")]
    Header(String),
    /// Not two columns.
    #[error("`{0}` must have two columns, `timestamp,value`")]
    Columns(String),
    /// No instant.
    #[error("timestamp `{0}` must be RFC 3339 with a zone, such as `{EXAMPLE}`")]
    Timestamp(String),
    /// Out of order.
    #[error("timestamp `{at}` must be later than {before}, that of the row before")]
    Order {
        /// The instant of the row.
        at: Timestamp,
        /// The instant of the row before.
        before: Timestamp,
    },
    /// No load.
    #[error("value `{0}` must be a number of at least 0, or blank")]
    Value(String),
}

/// Every row of a text; `accepts` says which numbers are values.
pub(crate) fn read(text: &str, accepts: impl Fn(f64) -> bool) -> Result<Vec<Sample>, TraceError> {
    let mut samples: Vec<Sample> = Vec::new();
    for (first, line, row) in lines(text) {
        if first && row.starts_with("timestamp") {
            continue;
        }
        let sample = sample(row, &accepts).and_then(|sample| match samples.last() {
            Some(&Sample { at: before, .. }) if before >= sample.at => {
                let at = sample.at;
                Err(RowError::Order { at, before })
            }
            _ => Ok(sample),
        });
        samples.push(sample.map_err(|cause| match cause {
            RowError::Columns(_) | RowError::Timestamp(_) if first => TraceError::Row {
                line,
                cause: RowError::Header(echo(row)),
            },
            cause => TraceError::Row { line, cause },
        })?);
    }
    Ok(samples)
}

/// The lines that hold something: whether it is the first of them, its number from 1, its text.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (bool, usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).zip(1..);
    let filled = lines.filter(|(row, _)| !row.is_empty());
    filled
        .enumerate()
        .map(|(index, (row, line))| (index == 0, line, row))
}

fn sample(row: &str, accepts: &impl Fn(f64) -> bool) -> Result<Sample, RowError> {
    let mut fields = row.split(',').map(str::trim);
    let (Some(time), Some(value), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err(RowError::Columns(echo(row)));
    };
    let at = instant(time)?;
    let value = match value {
        "" => None,
        text => match text.parse::<f64>() {
            Ok(number) if accepts(number) => Some(number),
            _ => return Err(RowError::Value(echo(text))),
        },
    };
    Ok(Sample { at, value })
}

/// Reads one instant: RFC 3339 with a zone.
pub fn instant(text: &str) -> Result<Timestamp, RowError> {
    let text = text.trim();
    text.parse().map_err(|_| RowError::Timestamp(echo(text)))
}

/// A field as a message repeats it: short, and without what a terminal would obey.
fn echo(field: &str) -> String {
    let plain = field.chars().filter(|letter| !letter.is_control());
    plain.take(ECHO_CHARS).collect()
}
