//! The load generator and its audit, as processes of their own.
//!
//! The generator keeps to its plan by itself; this side starts it, reads a line a second, and
//! afterwards asks the ledger whether every acknowledged payment is in it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::report::{Money, Phase};
use super::timeline::Timeline;
use crate::command::last_line_of_file;
use crate::file::FileError;

/// Why the load did not come to its end, or could not be audited.
#[derive(Debug, Error)]
pub enum TrafficError {
    /// A program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A file of the run.
    #[error(transparent)]
    File(#[from] FileError),
    /// The output of a program is not what was expected.
    #[error("cannot read the output of {what}")]
    Parse {
        /// The program.
        what: &'static str,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
    /// The generator failed.
    #[error("payment-load ended with {status}: {last_line}")]
    Failed {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The last line of its log.
        last_line: String,
    },
}

/// The files of a run.
#[derive(Debug, Clone)]
pub struct Files {
    /// The plan given to the generator.
    pub plan: PathBuf,
    /// Every intent and what became of it.
    pub journal: PathBuf,
    /// Counts by phase.
    pub summary: PathBuf,
    /// What the generator printed on standard error.
    pub log: PathBuf,
}

impl Files {
    /// The files of a run in a folder.
    pub fn below(out: &Path) -> Self {
        Self {
            plan: out.join("plan.json"),
            journal: out.join("journal.bin"),
            summary: out.join("load.json"),
            log: out.join("load.log"),
        }
    }
}

/// A generator under way; ends with this value.
#[derive(Debug)]
pub struct Load {
    child: Child,
    files: Files,
    timeline: Timeline,
}

/// The summary of a run, as far as the report needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Counts by phase, in order.
    pub phases: Vec<PhaseSummary>,
    /// Refusals without a `Retry-After`.
    pub refusals_without_retry_after: Option<u64>,
}

/// One phase of a summary.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PhaseSummary {
    /// Name from the plan.
    pub name: String,
    /// Intents that got no answer after they were sent.
    pub unknown: u64,
    /// Everything else, named as in the report.
    #[serde(flatten)]
    pub phase: Phase,
}

impl Load {
    /// Starts the generator with a plan; a journal of an earlier day is removed.
    pub fn start(
        programs: &Path,
        files: Files,
        plan: &Value,
        timeline: Timeline,
    ) -> Result<Self, TrafficError> {
        let file_error = |path| FileError::of("write", path);
        for old in [&files.journal, &files.summary] {
            if old.exists() {
                std::fs::remove_file(old).map_err(file_error(old))?;
            }
        }
        std::fs::write(&files.plan, format!("{plan:#}\n")).map_err(file_error(&files.plan))?;
        let log = std::fs::File::create(&files.log).map_err(file_error(&files.log))?;
        let program = programs.join("payment-load");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&program)
            .arg("run")
            .arg("--plan")
            .arg(&files.plan)
            .arg("--journal")
            .arg(&files.journal)
            .arg("--out")
            .arg(&files.summary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| TrafficError::Start { program, source })?;
        Ok(Self {
            child,
            files,
            timeline,
        })
    }

    /// Follows the generator to its end and returns its summary.
    pub async fn follow(mut self) -> Result<Summary, TrafficError> {
        if let Some(stdout) = self.child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                // A line that is no JSON is one the generator wrote for a person.
                if let Ok(line) = serde_json::from_str(&line) {
                    self.timeline.load(&line);
                }
            }
        }
        let status = self.child.wait().await;
        let status = status.map_err(FileError::of("read", &self.files.log))?;
        if !status.success() {
            let last_line = last_line_of_file(&self.files.log).unwrap_or_default();
            return Err(TrafficError::Failed { status, last_line });
        }
        let path = &self.files.summary;
        let text = std::fs::read(path).map_err(FileError::of("read", path))?;
        serde_json::from_slice(&text).map_err(|source| TrafficError::Parse {
            what: "payment-load run",
            source,
        })
    }
}

/// Looks up every acknowledged payment of the journal in the ledger.
///
/// A broken promise is a finding, not a failure: it comes back as figures.
pub async fn audit(
    programs: &Path,
    files: &Files,
    shards: &[String],
) -> Result<Money, TrafficError> {
    let program = programs.join("payment-load");
    let mut command = Command::new(&program);
    command
        .arg("audit")
        .arg("--journal")
        .arg(&files.journal)
        .arg("--json");
    for shard in shards {
        command.args(["--shard", shard]);
    }
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| TrafficError::Start { program, source })?;
    if output.stdout.trim_ascii().is_empty() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last_line = crate::command::last_line(&stderr)
            .unwrap_or_default()
            .to_owned();
        return Err(TrafficError::Failed {
            status: output.status,
            last_line,
        });
    }
    let money: Money =
        serde_json::from_slice(&output.stdout).map_err(|source| TrafficError::Parse {
            what: "payment-load audit",
            source,
        })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let complaint = crate::command::last_line(&stderr).unwrap_or_default();
    Ok(Money {
        audit_passed: Some(output.status.success()),
        complaint: complaint.to_owned(),
        ..money
    })
}

#[cfg(test)]
mod tests;
