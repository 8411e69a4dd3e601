//! What a command leaves: its file, and its summary on standard output.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::error::TuneError;

/// Writes a file.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), TuneError> {
    std::fs::write(path, content).map_err(|source| TuneError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The summary for a program, or `text` for a person; ends with its line.
pub(crate) fn render(
    json: bool,
    summary: &impl Serialize,
    text: String,
) -> Result<String, TuneError> {
    let text = if json {
        serde_json::to_string_pretty(summary)?
    } else {
        text
    };
    Ok(text + "\n")
}

/// Prints text; a reader that went away is no failure.
pub(crate) fn print(text: &str) -> Result<(), TuneError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(TuneError::Print(error)),
        _ => Ok(()),
    }
}
