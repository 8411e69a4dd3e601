//! What a local cluster leaves on the machine, found by looking at the machine itself.
//!
//! `down` removes what this module finds and then looks again: an empty answer is its proof.

mod mounts;
mod pods;

use std::fs;
use std::path::{Path, PathBuf};

pub use mounts::{below, unmount};
pub use pods::{kill_pods, remove_cgroups};

use crate::addresses::BRIDGE;
use crate::node::cgroup_folders;
use crate::paths::Paths;
use crate::process;
use crate::{network, packages};

/// Links to pod logs that the kubelet makes at a place nobody can choose.
const LOG_LINKS: &str = "/var/log/containers";
/// Where libcni remembers its results, one file per pod, at a place nobody can choose.
const NETWORK_RESULTS: &str = "/var/lib/cni/results";
/// The folders that are removed when they are empty: made by programs of the cluster at places
/// nobody can choose, unless they were there before.
const SHARED_FOLDERS: [&str; 9] = [
    LOG_LINKS,
    NETWORK_RESULTS,
    "/var/lib/cni",
    "/run/containerd/s",
    "/run/containerd/fifo",
    "/run/containerd",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet",
];

/// Everything of the cluster that is on the machine now, one sentence each.
pub async fn find(paths: &Paths) -> Vec<String> {
    let mut found = Vec::new();
    for (name, identity) in process::running(paths) {
        found.push(format!("process {} ({name})", identity.pid));
    }
    found.extend(
        pods::shims(paths)
            .iter()
            .map(|shim| format!("container shim {}", shim.pid)),
    );
    found.extend(
        pods::processes()
            .iter()
            .map(|pod| format!("pod process {}", pod.pid)),
    );
    found.extend(
        below(paths.root())
            .iter()
            .map(|at| format!("mount {}", at.display())),
    );
    if network::bridge_exists() {
        found.push(format!("network link {BRIDGE}"));
    }
    for (family, table) in network::proxy_tables().await.unwrap_or_default() {
        found.push(format!("firewall table {family} {table}"));
    }
    let cgroups = cgroup_folders()
        .into_iter()
        .filter(|folder| folder.exists());
    found.extend(cgroups.map(|folder| format!("cgroup {}", folder.display())));
    found.extend(
        files(paths)
            .iter()
            .map(|path| format!("file {}", path.display())),
    );
    found
}

/// Removes the files that programs of the cluster made outside its folder, and the folders above
/// them that are empty then.
pub fn remove_files(paths: &Paths) {
    for path in files(paths) {
        // Looked at again by `find`, which reports what could not be removed.
        let _told_later = fs::remove_file(path);
    }
    for folder in SHARED_FOLDERS {
        // Fails, as it should, where somebody else still has something in it.
        let _in_use = fs::remove_dir(folder);
    }
}

/// The files outside the cluster's folder that are the cluster's.
fn files(paths: &Paths) -> Vec<PathBuf> {
    let links = entries(Path::new(LOG_LINKS))
        .into_iter()
        .filter(|link| fs::read_link(link).is_ok_and(|target| target.starts_with(paths.root())));
    let root = paths.root().display().to_string();
    let results = entries(Path::new(NETWORK_RESULTS))
        .into_iter()
        .filter(|result| fs::read_to_string(result).is_ok_and(|text| text.contains(&root)));
    let device_socket = Path::new("/var/lib/kubelet/device-plugins/kubelet.sock");
    // Another kubelet on the machine answers on it; a stale socket refuses.
    let stale =
        device_socket.exists() && std::os::unix::net::UnixStream::connect(device_socket).is_err();
    links
        .chain(results)
        .chain(stale.then(|| device_socket.to_owned()))
        .chain(packages::left_behind())
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}
