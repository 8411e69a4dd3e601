//! The bearer token, as the mounted Secret has it now.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

/// Longest token file that is read, bytes.
const TOKEN_MAX: u64 = 4_096;

/// A token in a file that the kubelet may replace at any moment.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<(SystemTime, Vec<u8>)>>,
}

impl TokenFile {
    /// Reads nothing yet: the file may appear later.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Mutex::new(None),
        }
    }

    /// Whether an `Authorization` header carries the token.
    /// Without a readable, non-empty token nothing is let in.
    pub fn accepts(&self, header: Option<&[u8]>) -> bool {
        let Some(offered) = header.and_then(|value| value.strip_prefix(b"Bearer ")) else {
            return false;
        };
        self.current()
            .is_some_and(|token| equal_in_constant_time(&token, offered))
    }

    fn current(&self) -> Option<Vec<u8>> {
        let meta = fs::metadata(&self.path).ok()?;
        if meta.len() > TOKEN_MAX {
            return None;
        }
        let changed_at = meta.modified().ok()?;
        let mut read = self
            .read
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, token)) = read.as_ref()
            && *at == changed_at
        {
            return Some(token.clone());
        }
        let token = fs::read(&self.path).ok()?.trim_ascii().to_vec();
        if token.is_empty() {
            return None;
        }
        *read = Some((changed_at, token.clone()));
        Some(token)
    }
}

/// Compares without telling by its duration where the first difference is; the length may show.
fn equal_in_constant_time(known: &[u8], offered: &[u8]) -> bool {
    if known.len() != offered.len() {
        return false;
    }
    let difference = known.iter().zip(offered).fold(0u8, |difference, (a, b)| {
        std::hint::black_box(difference | (a ^ b))
    });
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_token_file_lets_nobody_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let token = TokenFile::new(path.clone());
        assert!(!token.accepts(Some(b"Bearer ")));
        fs::write(&path, "\n").expect("written");
        assert!(!token.accepts(Some(b"Bearer ")));
        assert!(!token.accepts(None));
    }

    #[test]
    fn a_replaced_token_counts_from_the_next_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, "first\n").expect("written");
        let token = TokenFile::new(path.clone());
        assert!(token.accepts(Some(b"Bearer first")));
        assert!(!token.accepts(Some(b"first")));
        assert!(!token.accepts(Some(b"Bearer firs")));
        fs::write(&path, "other").expect("written");
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        let file = fs::File::options().write(true).open(&path).expect("open");
        file.set_modified(later).expect("time set");
        assert!(token.accepts(Some(b"Bearer other")));
        assert!(!token.accepts(Some(b"Bearer first")));
    }
}
