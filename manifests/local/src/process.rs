//! Servers that outlive the program that started them.
//!
//! A server is started in a session of its own and recorded with its start time, so that a later
//! call finds it again and never takes a stranger with a reused pid for it.
//! Invariant: only recorded processes are ever signalled.

mod identity;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::process::Command;

pub use identity::Identity;

use crate::command::last_line_of_file;
use crate::file::FileError;
use crate::paths::Paths;
use crate::wait;

/// A server to run.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Its name: of the record, the log and in messages.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The files whose change asks for a restart.
    pub settings: Vec<PathBuf>,
    /// The signal that stops it.
    pub stop_signal: StopSignal,
}

/// The signal a server understands as "end soon and in order".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopSignal {
    /// SIGTERM, for nearly all.
    #[default]
    Terminate,
    /// SIGINT, for those who take SIGTERM as "when all clients have left", as PostgreSQL does.
    Interrupt,
    /// SIGTERM to it and all it started: for a build, whose compilers would go on without it.
    TerminateGroup,
}

/// What is remembered of a started server.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    identity: Identity,
    fingerprint: String,
    #[serde(alias = "ending")]
    stop_signal: StopSignal,
}

/// A server that could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A file of the cluster's folder could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program could not be started.
    #[error("cannot start {name}")]
    Start {
        /// The server.
        name: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server ended while it was waited for.
    #[error("{name} ended at once: {last_line}")]
    Ended {
        /// The server.
        name: String,
        /// The last line of its log.
        last_line: String,
    },
    /// The server did not become ready, or did not end, in time.
    #[error(transparent)]
    TimedOut(#[from] wait::TimedOut),
}

/// How long a server may take to end after it was asked to, before it is killed.
const END_GRACE: Duration = Duration::from_secs(15);
/// How long a killed server may take to vanish: longer means it hangs in the kernel.
const KILL_BOUND: Duration = Duration::from_secs(10);

/// Starts the server unless it runs already with the same command and settings.
///
/// Returns true if it was started by this call.
pub async fn ensure_running(paths: &Paths, server: &Server) -> Result<bool, ProcessError> {
    if is_running(paths, server) {
        return Ok(false);
    }
    end(paths, &server.name).await?;
    let identity = start(paths, server)?;
    let record = Record {
        identity,
        fingerprint: fingerprint(server),
        stop_signal: server.stop_signal,
    };
    write_record(paths, &server.name, &record)?;
    Ok(true)
}

/// Whether the server runs with this command and these settings.
pub fn is_running(paths: &Paths, server: &Server) -> bool {
    read_record(paths, &server.name).is_some_and(|record| {
        record.identity.is_alive() && record.fingerprint == fingerprint(server)
    })
}

/// Waits until the running server satisfies `probe`; fails early if it ends meanwhile.
pub async fn wait_ready<F, Fut>(
    paths: &Paths,
    name: &str,
    bound: Duration,
    mut probe: F,
) -> Result<(), ProcessError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let mut ended = false;
    let condition = format!("the readiness of {name}");
    let alive = || read_record(paths, name).is_some_and(|record| record.identity.is_alive());
    wait::until(&condition, bound, || {
        ended = !alive();
        let ready = probe();
        async move { ended || ready.await }
    })
    .await?;
    if ended {
        let last_line = last_line_of_file(&paths.log(name)).unwrap_or_else(|| "no output".into());
        return Err(ProcessError::Ended {
            name: name.to_owned(),
            last_line,
        });
    }
    Ok(())
}

/// Ends a recorded server: asks first, kills after a grace. Forgets its record.
pub async fn end(paths: &Paths, name: &str) -> Result<(), ProcessError> {
    if let Some(record) = read_record(paths, name) {
        end_process(&record, name).await?;
    }
    let record = record_path(paths, name);
    match std::fs::remove_file(&record) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::of("remove", &record)(error).into())
        }
        _ => Ok(()),
    }
}

async fn end_process(record: &Record, name: &str) -> Result<(), ProcessError> {
    let identity = &record.identity;
    identity.ask_to_stop(record.stop_signal);
    let gone = || async { !identity.is_alive() };
    if wait::until("a quiet end", END_GRACE, gone).await.is_ok() {
        return Ok(());
    }
    identity.kill();
    Ok(wait::until(&format!("the end of {name}"), KILL_BOUND, gone).await?)
}

/// The recorded servers that are alive now, by name.
pub fn running(paths: &Paths) -> Vec<(String, Identity)> {
    let mut alive: Vec<_> = recorded(paths)
        .into_iter()
        .filter_map(|name| {
            let record = read_record(paths, &name)?;
            record
                .identity
                .is_alive()
                .then_some((name, record.identity))
        })
        .collect();
    alive.sort_by(|left, right| left.0.cmp(&right.0));
    alive
}

/// The names of all recorded servers, dead or alive.
pub fn recorded(paths: &Paths) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(paths.run()) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .strip_suffix(".pid")
                .map(str::to_owned)
        })
        .collect()
}

fn start(paths: &Paths, server: &Server) -> Result<Identity, ProcessError> {
    let log_path = paths.log(&server.name);
    let log = create(&log_path)?;
    let start = |source| ProcessError::Start {
        name: server.name.clone(),
        source,
    };
    // `setsid` replaces itself by the server, so the pid is the server's, and the server survives
    // the end of this program and of its terminal.
    let child = Command::new("setsid")
        .args(&server.command)
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_err(start)?)
        .stdout(log)
        .spawn()
        .map_err(start)?;
    let pid = child.id().unwrap_or_default();
    Identity::of(pid).ok_or_else(|| ProcessError::Ended {
        name: server.name.clone(),
        last_line: last_line_of_file(&log_path).unwrap_or_else(|| "no output".into()),
    })
}

fn create(path: &Path) -> Result<std::fs::File, ProcessError> {
    let file = FileError::of("write", path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(file)?;
    }
    Ok(std::fs::File::create(path).map_err(file)?)
}

fn fingerprint(server: &Server) -> String {
    let mut hash = Sha256::new();
    for word in &server.command {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    for path in &server.settings {
        hash.update(std::fs::read(path).unwrap_or_default());
    }
    format!("{:x}", hash.finalize())
}

fn record_path(paths: &Paths, name: &str) -> PathBuf {
    paths.run().join(format!("{name}.pid"))
}

fn read_record(paths: &Paths, name: &str) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(record_path(paths, name)).ok()?).ok()
}

fn write_record(paths: &Paths, name: &str, record: &Record) -> Result<(), ProcessError> {
    let path = record_path(paths, name);
    let file = FileError::of("write", &path);
    std::fs::create_dir_all(paths.run()).map_err(file)?;
    let text = serde_json::to_vec(record).map_err(|error| file(error.into()))?;
    // Written whole or not at all: a torn record would lose a running server.
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).map_err(file)?;
    Ok(std::fs::rename(&draft, &path).map_err(file)?)
}

#[cfg(test)]
mod tests;
