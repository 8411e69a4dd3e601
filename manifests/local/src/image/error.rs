//! Why an image could not be made or loaded.

use std::io;

use crate::command::CommandError;
use crate::file::FileError;

/// An image that could not be made or loaded.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No program was named.
    #[error("an image needs at least one program")]
    Empty,
    /// A file that belongs into the image could not be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The archive could not be written.
    #[error("cannot write the archive")]
    Write(#[from] io::Error),
    /// A tool failed.
    #[error(transparent)]
    Command(#[from] CommandError),
}
