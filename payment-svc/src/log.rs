//! The log, written without waiting for whoever reads it.
//!
//! Lines go through a bounded queue to a thread of their own.
//! Invariant: a pipe that is full or dead costs lines, never a payment. Lost lines are counted, and
//! the count is the next line that gets through.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait, some hundred bytes each: seconds of a busy pod's log.
const LINES_MAX: usize = 4_096;

enum Entry {
    Line(Vec<u8>),
    /// Told when everything before it is written.
    Flush(SyncSender<()>),
}

/// Where lines are put; clones write to the same sink.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl LogWriter {
    /// Starts the thread that writes to `sink`; fails when there can be no thread.
    pub fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, entries) = sync_channel(LINES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&entries, &counted, sink))?;
        Ok(Self { queue, lost })
    }

    /// Waits until what was put so far is written, at most for `bound`.
    pub fn flush_within(&self, bound: Duration) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Entry::Flush(done)).is_ok() {
            // Whether it was written or the time is up, there is nothing left to do.
            let _ = written.recv_timeout(bound);
        }
    }
}

impl Write for LogWriter {
    /// Puts one line; a line that finds the queue full is lost.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Entry::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(entries: &Receiver<Entry>, lost: &AtomicU64, mut sink: impl Write) {
    for entry in entries {
        let line = match entry {
            Entry::Line(line) => line,
            Entry::Flush(done) => {
                // Who asked may have stopped waiting.
                let _ = done.send(());
                continue;
            }
        };
        if sink.write_all(&line).is_err() {
            lost.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let said = writeln!(
                sink,
                r#"{{"level":"WARN","fields":{{"message":"log lines were lost","count":{count}}}}}"#
            );
            if said.is_err() {
                lost.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// A line in one piece, as the formatter of events puts it.
    fn put(log: &mut LogWriter, line: &str) {
        log.write_all(line.as_bytes()).expect("never fails");
    }

    /// A pipe nobody reads until the other end of the channel is dropped.
    struct Stalled {
        until: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.until.recv();
            self.written.lock().expect("whole").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn f85_a_pipe_nobody_reads_costs_lines_and_stops_nobody() {
        let (read_on, until) = sync_channel::<()>(0);
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Stalled {
            until,
            written: Arc::clone(&written),
        };
        let mut log = LogWriter::start(sink).expect("a thread");
        for number in 0..2 * LINES_MAX {
            put(&mut log, &format!("line {number}\n"));
        }
        log.flush_within(Duration::ZERO);
        drop(read_on);
        // The first place that is free takes one line more.
        while log.lost.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        put(&mut log, "after\n");
        log.flush_within(LONG);
        let text = String::from_utf8(written.lock().expect("whole").clone()).expect("text");
        assert!(text.starts_with("line 0\n"), "{text}");
        assert!(text.contains(r#""message":"log lines were lost","count":"#));
    }

    #[test]
    fn what_was_put_is_written_when_the_log_is_flushed() {
        let (read_on, until) = sync_channel::<()>(0);
        drop(read_on);
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Stalled {
            until,
            written: Arc::clone(&written),
        };
        let mut log = LogWriter::start(sink).expect("a thread");
        for _ in 0..100 {
            put(&mut log, "line\n");
        }
        log.flush_within(LONG);
        assert_eq!(*written.lock().expect("whole"), b"line\n".repeat(100));
    }
}
