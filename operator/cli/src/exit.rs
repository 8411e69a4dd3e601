//! How a command ends: its exit code.

use std::process::ExitCode;

/// Exit codes, as `--help` lists them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  something is wrong with the object, or it was not found
  2  bad usage or bad input, or a file that cannot be read or written; nothing was sent
  3  the cluster cannot be reached, or denies access";

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to object to.
    Fine,
    /// Something is wrong with the object, or it is not there.
    Wrong,
    /// The command line or a file is at fault; nothing was sent.
    Usage,
    /// The cluster cannot be reached, or denies access.
    NoAccess,
}

impl Exit {
    /// `Wrong` when something is.
    pub const fn wrong_if(wrong: bool) -> Self {
        if wrong { Self::Wrong } else { Self::Fine }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Wrong => 1,
            Exit::Usage => 2,
            Exit::NoAccess => 3,
        })
    }
}
