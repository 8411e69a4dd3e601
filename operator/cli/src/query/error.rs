//! Why there is nothing to answer from.

use crate::access::AccessError;
use crate::exit::Exit;
use crate::file::FileError;
use crate::output::OutputError;

/// A query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The Kubernetes cluster cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The answer cannot be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The object is not there.
    #[error("{kind} `{name}` was not found in {place}; {hint}")]
    NotFound {
        kind: String,
        name: String,
        place: String,
        hint: String,
    },
    /// The object on the server cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no object of the kind; with where to look.
    #[error("{0}")]
    Nothing(String),
}

/// An object that the server holds and that cannot be read as its kind.
#[derive(Debug, thiserror::Error)]
#[error("{kind} `{name}` in namespace {namespace} cannot be read; correct it first: {cause}")]
pub struct Unreadable {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub cause: String,
}

impl QueryError {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::File(_) | Self::Unreadable(_) => Exit::Usage,
            Self::Access(_) => Exit::NoAccess,
            Self::Output(_) | Self::NotFound { .. } | Self::Nothing(_) => Exit::Wrong,
        }
    }
}
