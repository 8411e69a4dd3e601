//! The one node: containerd, kubelet and kube-proxy.

pub mod containerd;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::addresses::{
    HOST, KUBELET_HEALTH_PORT, KUBELET_PORT, NODE, POD_RANGE, PROXY_HEALTH_PORT, PROXY_METRICS_PORT,
};
use crate::command;
use crate::control_plane::{answers, kubectl};
use crate::file::{FileError, write_if_changed};
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server};

/// The node registers within seconds; on a machine that compiles beside it, in tens.
const NODE_BOUND: Duration = Duration::from_mins(3);
/// kube-proxy's first table is written within a second.
const PROXY_BOUND: Duration = Duration::from_secs(90);
/// The cgroup everything of the cluster's pods lies in, below each hierarchy's root.
pub const CGROUP: &str = "floodgate-local";

/// The node could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A configuration file or a cgroup could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A server did not come up.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Starts the kubelet and waits until its node is Ready.
pub async fn start_kubelet(paths: &Paths) -> Result<(), NodeError> {
    for folder in cgroup_folders() {
        fs::create_dir_all(&folder).map_err(FileError::of("write", &folder))?;
    }
    write(&paths.config("kubelet.json"), &kubelet_config(paths))?;
    process::ensure_running(paths, &kubelet(paths)).await?;
    process::wait_ready(paths, "kubelet", NODE_BOUND, || async {
        answers(format!("http://127.0.0.1:{KUBELET_HEALTH_PORT}/healthz")).await
            && node_is_ready(paths).await
    })
    .await?;
    Ok(())
}

/// Starts kube-proxy and waits until it has written its tables.
pub async fn start_proxy(paths: &Paths) -> Result<(), NodeError> {
    write(&paths.config("kube-proxy.json"), &proxy_config(paths))?;
    let config = paths.config("kube-proxy.json");
    let server = Server {
        name: "kube-proxy".into(),
        command: vec![
            paths.program("kube-proxy").display().to_string(),
            format!("--config={}", config.display()),
        ],
        settings: vec![config, paths.pki("ca.crt")],
        ..Server::default()
    };
    process::ensure_running(paths, &server).await?;
    process::wait_ready(paths, "kube-proxy", PROXY_BOUND, || {
        answers(format!("http://127.0.0.1:{PROXY_HEALTH_PORT}/healthz"))
    })
    .await?;
    Ok(())
}

/// The folder of the cluster's cgroup in every hierarchy that holds processes.
pub fn cgroup_folders() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    // One hierarchy (version 2) has its controllers at the root, several (version 1) below it.
    if root.join("cgroup.controllers").exists() {
        return vec![root.join(CGROUP)];
    }
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        // Links are second names of the same hierarchy.
        .filter(|path| path.is_dir() && !path.is_symlink())
        .map(|path| path.join(CGROUP))
        .collect()
}

async fn node_is_ready(paths: &Paths) -> bool {
    let arguments = [
        "get",
        "node",
        NODE,
        "--output",
        "jsonpath={.status.conditions[?(@.type=='Ready')].status}",
    ];
    command::output(kubectl(paths).args(arguments))
        .await
        .is_ok_and(|status| status == "True")
}

fn kubelet(paths: &Paths) -> Server {
    let config = paths.config("kubelet.json");
    Server {
        name: "kubelet".into(),
        command: vec![
            paths.program("kubelet").display().to_string(),
            format!("--config={}", config.display()),
            format!("--kubeconfig={}", paths.kubeconfig("kubelet").display()),
            format!("--hostname-override={NODE}"),
            format!("--node-ip={HOST}"),
            format!("--root-dir={}", paths.data("kubelet").display()),
            format!("--cert-dir={}", paths.data("kubelet/pki").display()),
        ],
        settings: vec![config, paths.pki("ca.crt")],
        ..Server::default()
    }
}

/// A kubelet that starts many small pods quickly, and evicts nothing on a developer's disk.
fn kubelet_config(paths: &Paths) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": HOST,
        "port": KUBELET_PORT,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": paths.pki("ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": paths.pki("kubelet-server.crt"),
        "tlsPrivateKeyFile": paths.pki("kubelet-server.key"),
        "containerRuntimeEndpoint": format!("unix://{}", paths.containerd_socket().display()),
        "podLogsDir": paths.data("pod-logs"),
        "volumePluginDir": paths.data("kubelet/volume-plugins"),
        "staticPodPath": "",
        "resolvConf": "",
        "clusterDNS": [],
        "makeIPTablesUtilChains": false,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{CGROUP}"),
        "enforceNodeAllocatable": [],
        "failSwapOn": false,
        "maxPods": 60,
        "serializeImagePulls": false,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 300,
        "kubeAPIBurst": 600,
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "10s",
        "volumeStatsAggPeriod": "-1s",
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "shutdownGracePeriod": "0s",
    })
}

/// nftables rules; traffic to Services is masqueraded, because pods answer each other over the
/// bridge and the answer would not pass the table that knows the Service's address.
fn proxy_config(paths: &Paths) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": HOST,
        "hostnameOverride": NODE,
        "clusterCIDR": POD_RANGE,
        "clientConnection": { "kubeconfig": paths.kubeconfig("proxy"), "qps": 300, "burst": 600 },
        "healthzBindAddress": format!("127.0.0.1:{PROXY_HEALTH_PORT}"),
        "metricsBindAddress": format!("127.0.0.1:{PROXY_METRICS_PORT}"),
        "nftables": { "masqueradeAll": true, "minSyncPeriod": "200ms", "syncPeriod": "30s" },
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    })
}

fn write(path: &Path, config: &Value) -> Result<(), FileError> {
    write_if_changed(path, format!("{config:#}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubelet_writes_below_the_cluster_and_keeps_out_of_iptables() {
        let config = kubelet_config(&Paths::at("/cluster".into()));
        assert_eq!(config["podLogsDir"], "/cluster/data/pod-logs");
        assert_eq!(config["makeIPTablesUtilChains"], false);
    }

    #[test]
    fn kube_proxy_leaves_the_machines_connection_tracking_alone() {
        let config = proxy_config(&Paths::at("/cluster".into()));
        assert_eq!(config["conntrack"]["maxPerCore"], 0);
        assert_eq!(config["conntrack"]["tcpEstablishedTimeout"], "0s");
    }
}
