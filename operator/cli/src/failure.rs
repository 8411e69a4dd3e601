//! How a command ends: its exit code, and what stands on stderr when it fails.

use std::process::ExitCode;

use crate::access::AccessError;
use crate::file::FileError;
use crate::output::OutputError;
use crate::overrides::OverrideError;
use crate::rehearse::RehearseError;
use crate::sale::SaleError;

/// Exit codes, as `--help` tells them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  something is wrong with what was asked about, or it was not found
  2  bad usage or bad input, or a file that cannot be read or written; nothing was sent
  3  the cluster cannot be reached, or does not allow it";

/// What a command that ran to its end found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing to object to.
    Fine,
    /// Something is wrong; what was printed says what.
    Wrong,
}

impl Finding {
    /// `Wrong` when something is.
    pub const fn wrong_if(wrong: bool) -> Self {
        if wrong { Self::Wrong } else { Self::Fine }
    }
}

impl From<Finding> for ExitCode {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Fine => Self::from(0),
            Finding::Wrong => Self::from(1),
        }
    }
}

/// Why a command could not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The Kubernetes cluster cannot be asked.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// An override is refused.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// A sale cannot be planned or told about.
    #[error(transparent)]
    Sale(#[from] SaleError),
    /// Nothing was rehearsed.
    #[error(transparent)]
    Rehearse(#[from] RehearseError),
    /// The answer cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The object is not there.
    #[error("{kind} `{name}` was not found in {place}; {hint}")]
    NotFound {
        /// Kind of the object.
        kind: &'static str,
        /// Name that was asked for.
        name: String,
        /// Where it was looked for.
        place: String,
        /// What to do.
        hint: String,
    },
    /// There is nothing of the kind at all; with where to look.
    #[error("{0}")]
    Nothing(String),
}

impl Failure {
    /// Exit code of this failure.
    pub fn exit_code(&self) -> ExitCode {
        let usage = match self {
            Self::Access(_) => return ExitCode::from(3),
            Self::NotFound { .. } | Self::Nothing(_) | Self::Output(_) => false,
            Self::File(_) | Self::Override(_) | Self::Sale(_) => true,
            Self::Rehearse(error) => error.is_usage(),
        };
        ExitCode::from(if usage { 2 } else { 1 })
    }
}
