//! What a command prints, in the chosen format.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// The answer cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It cannot be written as JSON.
    #[error("cannot write the answer as JSON")]
    Json(#[source] serde_json::Error),
    /// It cannot be written as YAML.
    #[error("cannot write the answer as YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
    /// Standard output takes nothing.
    #[error("cannot write to standard output")]
    Write(#[source] std::io::Error),
}

/// Format of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    #[default]
    Table,
    /// For a person, with more columns.
    Wide,
    /// For a program.
    Json,
    /// For a program, or a file.
    Yaml,
}

impl Format {
    /// `answer` for a program, or what `table` makes of it for a person; ends with a line break.
    pub fn render<T: Serialize>(
        self,
        answer: &T,
        table: impl FnOnce() -> String,
    ) -> Result<String, OutputError> {
        match self {
            Self::Table | Self::Wide => Ok(table()),
            Self::Json => serde_json::to_string_pretty(answer)
                .map(|text| text + "\n")
                .map_err(OutputError::Json),
            Self::Yaml => serde_saphyr::to_string(answer).map_err(OutputError::Yaml),
        }
    }
}

/// `-o` of a command.
#[derive(Clone, Copy, Debug, Args)]
pub struct OutputArgs {
    /// Output format.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

impl OutputArgs {
    /// Prints `answer` for a program, or what `table` makes of it for a person.
    pub fn print<T: Serialize>(
        self,
        answer: &T,
        table: impl FnOnce() -> String,
    ) -> Result<(), OutputError> {
        print(&self.output.render(answer, table)?)
    }

    /// Whether more columns are wanted.
    pub fn wide(self) -> bool {
        self.output == Format::Wide
    }
}

/// Prints text, in colour where standard output takes it; a reader that has gone is no failure.
pub fn print(text: &str) -> Result<(), OutputError> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(OutputError::Write(error))
        }
        _ => Ok(()),
    }
}
