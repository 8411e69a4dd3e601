//! Why a PostgreSQL server could not be brought up.

use std::io;

use crate::command::CommandError;
use crate::process::ProcessError;

/// A PostgreSQL server could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No PostgreSQL is installed.
    #[error("no PostgreSQL below /usr/lib/postgresql")]
    NotInstalled,
    /// A file or folder could not be made.
    #[error("cannot write the data folder")]
    File(#[from] io::Error),
    /// A tool failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server did not come up.
    #[error(transparent)]
    Process(#[from] ProcessError),
}
