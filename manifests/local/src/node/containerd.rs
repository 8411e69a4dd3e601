//! containerd with a configuration of its own, and the pause image that holds pods open.

use std::time::Duration;

use crate::addresses::{BRIDGE, POD_RANGE};
use crate::command::{self, CommandError};
use crate::file::{FileError, write_if_changed};
use crate::image::{self, ImageError};
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server};

/// containerd answers within a second when alone on the machine.
const BOUND: Duration = Duration::from_mins(1);
/// The image of the process that holds a pod's namespaces.
pub const PAUSE_IMAGE: &str = "floodgate.dev/pause:1";

/// containerd could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum ContainerdError {
    /// A configuration file could not be written.
    #[error(transparent)]
    Config(#[from] FileError),
    /// The server did not come up.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The pause image could not be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The pause image could not be imported.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// Starts containerd and makes sure the pause image is in its store.
pub async fn start(paths: &Paths) -> Result<(), ContainerdError> {
    write_if_changed(
        &paths.config("cni/10-floodgate.conflist"),
        cni_config(paths).as_bytes(),
    )?;
    write_if_changed(&paths.config("containerd.toml"), config(paths).as_bytes())?;
    process::ensure_running(paths, &server(paths)).await?;
    process::wait_ready(paths, "containerd", BOUND, || async {
        command::output(image::ctr(paths).arg("version"))
            .await
            .is_ok()
    })
    .await?;
    if !image::is_loaded(paths, PAUSE_IMAGE).await? {
        image::load(paths, PAUSE_IMAGE, &[paths.program("pause")]).await?;
    }
    Ok(())
}

fn server(paths: &Paths) -> Server {
    let config = paths.config("containerd.toml");
    Server {
        name: "containerd".into(),
        command: vec![
            "containerd".into(),
            "--config".into(),
            config.display().to_string(),
        ],
        settings: vec![config],
        ..Server::default()
    }
}

/// `restrict_oom_score_adj` because a machine may lack `CAP_SYS_RESOURCE`, and then every sandbox
/// dies with "can't get final child's PID from pipe".
fn config(paths: &Paths) -> String {
    let data = paths.data("containerd");
    let state = paths.run().join("containerd");
    format!(
        r#"version = 2
root = "{data}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
max_concurrent_downloads = 10

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{cni}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "/usr/sbin/runc"
Root = "{runc}"
"#,
        data = data.display(),
        state = state.display(),
        socket = paths.containerd_socket().display(),
        cni = paths.config("cni").display(),
        runc = paths.run().join("runc").display(),
    )
}

/// Pods hang on the bridge and leave the machine nowhere: no masquerading, no port mapping.
fn cni_config(paths: &Paths) -> String {
    let config = serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "floodgate-local",
        "plugins": [{
            "type": "bridge",
            "bridge": BRIDGE,
            "isGateway": true,
            "ipMasq": false,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "dataDir": paths.run().join("addresses"),
                "ranges": [[{ "subnet": POD_RANGE }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_containerd_lies_below_the_cluster() {
        let paths = Paths::at("/cluster".into());
        let text = config(&paths);
        for key in ["root", "state", "address", "conf_dir", "Root"] {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{key} =")))
                .unwrap();
            assert!(line.contains("\"/cluster/"), "{line}");
        }
    }

    #[test]
    fn pods_get_their_addresses_from_the_pod_range() {
        let config: serde_json::Value =
            serde_json::from_str(&cni_config(&Paths::at("/cluster".into()))).unwrap();
        assert_eq!(
            config["plugins"][0]["ipam"]["ranges"][0][0]["subnet"],
            POD_RANGE
        );
        assert_eq!(config["plugins"][0]["ipMasq"], false);
    }
}
