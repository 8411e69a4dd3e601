//! Files of the cluster's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file or folder that could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl FileError {
    /// Makes the error of `doing` something to a path from its cause.
    pub fn of(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// Removes a folder with all in it, if it is there.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::of("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file, and the folders above it, unless it holds these bytes already.
///
/// A file that is written anew restarts the servers that watch it, so an unchanged one is not.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|before| before == bytes) {
        return Ok(());
    }
    write(path, bytes)
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = FileError::of("write", path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/server.json");
        write_if_changed(&path, b"one").unwrap();
        let past = std::time::SystemTime::UNIX_EPOCH;
        fs::File::open(&path).unwrap().set_modified(past).unwrap();
        write_if_changed(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), past);
        write_if_changed(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }
}
