//! The processes of pods: the shims that hold containers, and what runs inside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::node::cgroup_folders;
use crate::paths::Paths;
use crate::process::Identity;
use crate::wait::{self, TimedOut};

/// A killed process vanishes at once unless it waits for a disk.
const BOUND: Duration = Duration::from_secs(20);

/// The shims of this cluster's containers, known by the socket they were given.
pub fn shims(paths: &Paths) -> Vec<Identity> {
    let socket = paths.containerd_socket().display().to_string();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            is_shim_of(&String::from_utf8_lossy(&line), &socket)
        })
        .filter_map(Identity::of)
        .collect()
}

/// The processes inside the cluster's cgroups.
pub fn processes() -> Vec<Identity> {
    let mut pids = BTreeSet::new();
    for folder in cgroup_folders() {
        for inner in folders_below(&folder) {
            let listing = fs::read_to_string(inner.join("cgroup.procs")).unwrap_or_default();
            pids.extend(listing.lines().filter_map(|line| line.parse::<u32>().ok()));
        }
    }
    pids.into_iter()
        .filter_map(Identity::of)
        .filter(Identity::is_alive)
        .collect()
}

/// Ends every pod: its processes, its shim, and the socket the shim leaves in `/run`.
pub async fn kill_pods(paths: &Paths) -> Result<(), TimedOut> {
    let sockets = shim_sockets(paths);
    wait::until("the end of all pods", BOUND, || {
        let alive: Vec<_> = processes().into_iter().chain(shims(paths)).collect();
        for process in &alive {
            process.kill();
        }
        async move { alive.is_empty() }
    })
    .await?;
    for socket in sockets {
        // Usually gone already; the shim removes it when it ends by itself.
        let _gone = fs::remove_file(socket);
    }
    Ok(())
}

/// Removes the cluster's cgroups, which the kernel allows once they hold nothing.
pub async fn remove_cgroups() -> Result<(), TimedOut> {
    wait::until("the removal of the cgroups", BOUND, || {
        for folder in cgroup_folders() {
            for inner in folders_below(&folder) {
                let _still_held = fs::remove_dir(inner);
            }
        }
        async { !cgroup_folders().iter().any(|folder| folder.exists()) }
    })
    .await
}

/// A folder and all below it, deepest first.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Ok(entries) = fs::read_dir(folder) {
        for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
            found.extend(folders_below(&entry.path()));
        }
        found.push(folder.to_owned());
    }
    found
}

/// Each running task has a folder whose file `address` names the socket of its shim.
fn shim_sockets(paths: &Paths) -> Vec<PathBuf> {
    let tasks = paths
        .run()
        .join("containerd/io.containerd.runtime.v2.task/k8s.io");
    let Ok(entries) = fs::read_dir(tasks) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("address")).ok())
        .filter_map(|address| Some(PathBuf::from(address.trim().strip_prefix("unix://")?)))
        .collect()
}

fn is_shim_of(command_line: &str, socket: &str) -> bool {
    let mut arguments = command_line.split('\0');
    let program = arguments.next().unwrap_or_default();
    program.ends_with("containerd-shim-runc-v2") && arguments.any(|argument| argument == socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shim_of_another_containerd_is_not_ours() {
        let line = "/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-address\0/a.sock\0";
        assert!(is_shim_of(line, "/a.sock"));
        assert!(!is_shim_of(line, "/run/containerd/containerd.sock"));
    }
}
