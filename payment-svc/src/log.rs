//! The log, written without waiting for its reader.
//!
//! Lines go through a bounded queue to a thread of their own.
//! Invariant: a pipe that is full or dead costs lines, never a payment. Lost lines are counted, and
//! the count is the next line that gets through.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Lines that may wait, some hundred bytes each: seconds of a busy pod's log.
const LINES_MAX: usize = 4_096;

/// Starts the thread that writes to `sink`. Dropping the guard writes what waits, for a second at
/// most.
pub fn start(sink: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    let lost = Arc::new(OnceLock::new());
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_MAX)
        .thread_name("log")
        .finish(Reporting {
            sink,
            lost: Arc::clone(&lost),
            reported: 0,
        });
    lost.get_or_init(|| writer.error_counter());
    (writer, guard)
}

/// A sink that also gets a line whenever lines were lost.
struct Reporting<W> {
    sink: W,
    lost: Arc<OnceLock<ErrorCounter>>,
    reported: usize,
}

impl<W: Write> Write for Reporting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.sink.write_all(line)?;
        let lost = self.lost.get().map_or(0, ErrorCounter::dropped_lines);
        if lost > self.reported {
            let count = lost - self.reported;
            writeln!(
                self.sink,
                r#"{{"level":"WARN","fields":{{"message":"log lines were lost","count":{count}}}}}"#
            )?;
            self.reported = lost;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

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
        let (mut log, guard) = start(sink);
        // Whoever writes here would wait for ever if the log waited for its reader.
        for number in 0..2 * LINES_MAX {
            log.write_all(format!("line {number}\n").as_bytes())
                .expect("never fails");
        }
        let lost = log.error_counter().dropped_lines();
        assert!(lost >= LINES_MAX - 1, "{lost}");
        drop(read_on);
        drop(guard);
        let text = String::from_utf8(written.lock().expect("whole").clone()).expect("text");
        assert!(text.starts_with("line 0\n"), "{text}");
        assert!(text.contains(&format!(
            "\"message\":\"log lines were lost\",\"count\":{lost}"
        )));
        assert_eq!(text.lines().count(), 2 * LINES_MAX - lost + 1, "one report");
    }

    #[test]
    fn what_was_put_is_written_before_the_process_ends() {
        let (read_on, until) = sync_channel::<()>(0);
        drop(read_on);
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Stalled {
            until,
            written: Arc::clone(&written),
        };
        let (mut log, guard) = start(sink);
        for _ in 0..100 {
            log.write_all(b"line\n").expect("never fails");
        }
        drop(guard);
        assert_eq!(*written.lock().expect("whole"), b"line\n".repeat(100));
    }
}
