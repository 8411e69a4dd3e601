//! Appends lines and hands them to the kernel every few milliseconds.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{FLUSH_EVERY, Line};

/// The journal could not be written; the run ends, for nothing may be sent unwritten.
#[derive(Clone, Debug, thiserror::Error)]
#[error("journal {} cannot be written", path.display())]
pub struct WriteError {
    path: PathBuf,
    #[source]
    source: Arc<io::Error>,
}

/// Lines not yet handed over, and how many bytes went in so far.
#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    accepted: u64,
}

/// What the flusher reports: bytes with the kernel, or why there will be no more.
type Flushed = Result<u64, WriteError>;

/// A journal open for appending.
#[derive(Debug)]
pub struct JournalWriter {
    pending: Arc<Mutex<Pending>>,
    flushed: watch::Receiver<Flushed>,
    stop: CancellationToken,
    flusher: JoinHandle<()>,
}

impl JournalWriter {
    /// Creates the file, which must not exist yet: a journal is evidence and is not overwritten.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        Self::open(path, File::options().create_new(true).append(true))
    }

    fn open(path: &Path, options: &OpenOptions) -> Result<Self, WriteError> {
        let failed = |source| WriteError {
            path: path.to_owned(),
            source: Arc::new(source),
        };
        let file = options.open(path).map_err(failed)?;
        let pending = Arc::new(Mutex::new(Pending::default()));
        let stop = CancellationToken::new();
        let (report, flushed) = watch::channel(Ok(0));
        let flusher = tokio::spawn(flush_until(
            stop.clone(),
            Arc::new(file),
            path.to_owned(),
            Arc::clone(&pending),
            report,
        ));
        Ok(Self {
            pending,
            flushed,
            stop,
            flusher,
        })
    }

    /// Adds a line; the mark it returns is what [`Self::wait_for`] takes.
    pub fn append(&self, line: &Line) -> u64 {
        let mut pending = lock(&self.pending);
        let before = pending.bytes.len();
        // Writing these types to memory cannot fail: no map has a key that is not a string.
        if serde_json::to_writer(&mut pending.bytes, line).is_err() {
            pending.bytes.truncate(before);
        }
        pending.bytes.push(b'\n');
        pending.accepted += (pending.bytes.len() - before) as u64;
        pending.accepted
    }

    /// Waits until everything up to a mark is with the kernel; at once in the usual case.
    pub async fn wait_for(&self, mark: u64) -> Result<(), WriteError> {
        let mut flushed = self.flushed.clone();
        let reached = |flushed: &Flushed| flushed.as_ref().map_or(true, |bytes| *bytes >= mark);
        // The flusher sends its last report before it drops the channel.
        let last = match flushed.wait_for(reached).await {
            Ok(last) => last.clone(),
            Err(_) => self.flushed.borrow().clone(),
        };
        last.map(|_| ())
    }

    /// Hands over what is left and makes it durable.
    pub async fn close(self) -> Result<(), WriteError> {
        self.stop.cancel();
        // The flusher neither panics nor is aborted; what it says is in the channel.
        let _ = self.flusher.await;
        self.flushed.borrow().clone().map(|_| ())
    }
}

async fn flush_until(
    stop: CancellationToken,
    file: Arc<File>,
    path: PathBuf,
    pending: Arc<Mutex<Pending>>,
    report: watch::Sender<Flushed>,
) {
    loop {
        let last = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(FLUSH_EVERY) => false,
        };
        let (bytes, mark) = {
            let mut pending = lock(&pending);
            (std::mem::take(&mut pending.bytes), pending.accepted)
        };
        let file = Arc::clone(&file);
        let write = move || -> io::Result<()> {
            (&*file).write_all(&bytes)?;
            if last { file.sync_data() } else { Ok(()) }
        };
        let written = tokio::task::spawn_blocking(write)
            .await
            .map_err(io::Error::other);
        let flushed = written
            .and_then(|written| written)
            .map(|()| mark)
            .map_err(|source| WriteError {
                path: path.clone(),
                source: Arc::new(source),
            });
        let ended = last || flushed.is_err();
        report.send_modify(|last| *last = flushed);
        if ended {
            return;
        }
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_to_whoever_waits() {
        // Every write to this device fails with "no space left".
        let full = Path::new("/dev/full");
        let writer = JournalWriter::open(full, File::options().append(true)).unwrap();
        let mark = writer.append(&Line::End {
            at: jiff::Timestamp::UNIX_EPOCH,
        });
        assert!(writer.wait_for(mark).await.is_err());
        assert!(writer.close().await.is_err());
    }
}
