//! Writing files of the cluster's folder.

use std::fs;
use std::io;
use std::path::Path;

/// Writes a file, and the folders above it, unless it holds these bytes already.
///
/// A file that is written anew restarts the servers that watch it, so an unchanged one is not.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|before| before == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
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
