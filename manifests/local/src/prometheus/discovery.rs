//! Telling Prometheus which pods there are.
//!
//! Debian builds Prometheus without its Kubernetes discovery. This module follows the pods through
//! the apiserver and writes them to a file that Prometheus watches, under the very label names
//! Kubernetes discovery uses, so that the relabelling is the one of a real cluster.

mod targets;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::paths::Paths;

/// A rest after the apiserver went away, short against the time Prometheus may be blind.
const REST: Duration = Duration::from_millis(500);
/// Changes within this time are written once.
const GATHER: Duration = Duration::from_millis(100);

/// One event of a watch on pods.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// Follows the pods and keeps the file of targets current, until the process is ended.
pub async fn run(paths: &Paths) -> io::Result<()> {
    let file = targets_file(paths);
    loop {
        // A watch ends now and then; the next one begins with every pod there is.
        follow(paths, &file).await?;
        tokio::time::sleep(REST).await;
    }
}

/// The file Prometheus reads its targets from.
pub fn targets_file(paths: &Paths) -> PathBuf {
    paths.run().join("prometheus-targets.json")
}

/// One watch, from every pod there is to its end.
async fn follow(paths: &Paths, file: &Path) -> io::Result<()> {
    // The kernel ends the watch with this process, however this process ends: an open watch would
    // keep the apiserver from ending.
    let mut watch = Command::new("setpriv");
    watch
        .args(["--pdeathsig", "KILL", "--"])
        .arg(paths.program("kubectl"));
    watch
        .arg("--kubeconfig")
        .arg(paths.kubeconfig("prometheus"));
    watch.args([
        "--request-timeout=0",
        "get",
        "--raw",
        "/api/v1/pods?watch=true",
    ]);
    let mut child = watch
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    let Some(stdout) = child.stdout.take() else {
        return Ok(());
    };
    let mut events = BufReader::new(stdout).lines();
    let mut pods = BTreeMap::new();
    let mut changed = false;
    loop {
        match tokio::time::timeout(GATHER, events.next_line()).await {
            Ok(Ok(Some(line))) => changed |= take(&mut pods, &line),
            Ok(_) => return Ok(()),
            Err(_) if changed => {
                write(file, &pods)?;
                changed = false;
            }
            Err(_) => {}
        }
    }
}

/// Takes one event into account. Returns whether the targets changed.
fn take(pods: &mut BTreeMap<String, Value>, line: &str) -> bool {
    let Ok(event) = serde_json::from_str::<Event>(line) else {
        return false;
    };
    let Some(uid) = event.object["metadata"]["uid"].as_str().map(str::to_owned) else {
        return false;
    };
    let target = match event.kind.as_str() {
        "ADDED" | "MODIFIED" => targets::of_pod(&event.object),
        _ => None,
    };
    match target {
        Some(target) => pods.insert(uid, target.clone()) != Some(target),
        None => pods.remove(&uid).is_some(),
    }
}

/// Written whole or not at all: Prometheus may read at any moment.
fn write(file: &Path, pods: &BTreeMap<String, Value>) -> io::Result<()> {
    let groups: Vec<_> = pods.values().collect();
    let draft = file.with_extension("draft");
    std::fs::write(&draft, serde_json::to_vec(&groups)?)?;
    std::fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, ip: &str) -> String {
        serde_json::json!({
            "type": kind,
            "object": {
                "metadata": { "uid": "1", "namespace": "pay", "name": "checkout-1" },
                "status": { "podIP": ip, "phase": "Running" },
            },
        })
        .to_string()
    }

    #[test]
    fn a_pod_is_a_target_from_its_address_to_its_deletion() {
        let mut pods = BTreeMap::new();
        assert!(!take(&mut pods, &event("ADDED", "")));
        assert!(take(&mut pods, &event("MODIFIED", "198.18.0.7")));
        assert!(!take(&mut pods, &event("MODIFIED", "198.18.0.7")));
        assert!(take(&mut pods, &event("DELETED", "198.18.0.7")));
        assert!(pods.is_empty());
    }

    #[test]
    fn a_line_that_is_no_event_changes_nothing() {
        assert!(!take(
            &mut BTreeMap::new(),
            "{\"type\":\"ERROR\",\"object\":{}}"
        ));
        assert!(!take(&mut BTreeMap::new(), "not json"));
    }
}
