//! Taking the cluster down, and proving that nothing of it is left.

use std::io;

use crate::error::{Cause, StepError};
use crate::file::{FileError, remove_folder};
use crate::leftovers;
use crate::paths::Paths;
use crate::process;
use crate::progress::Progress;
use crate::{lock, network};

/// The cluster could not be taken down.
#[derive(Debug, thiserror::Error)]
pub enum DownError {
    /// A mount or the cluster's folder could not be removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something is still there.
    #[error("still there: {}", found.join(", "))]
    LeftOver {
        /// What, one sentence each.
        found: Vec<String>,
    },
}

/// What ends first: whatever would start again, or complain about, what ends after it.
const FIRST: [&str; 5] = [
    "kubelet",
    "kube-scheduler",
    "kube-controller-manager",
    "kube-proxy",
    "prometheus",
];
/// What ends next, before the store it would hang on without.
const NEXT: [&str; 1] = ["kube-apiserver"];
/// What is removed of the cluster's folder; the built programs and the logs stay.
const STATE: [&str; 5] = ["data", "run", "pki", "kubeconfig", "config"];

/// Ends every process of the cluster and removes everything it made on the machine and its state.
pub async fn down(paths: &Paths, progress: &Progress) -> Result<(), StepError> {
    let failed = |step: &str, cause: Cause| StepError::new(step, &paths.log("down"), cause);
    let _lock = lock::of_cluster(paths)
        .await
        .map_err(|error| failed("lock", error.into()))?;
    let step = progress.step("servers");
    let servers = async {
        end_all(paths, &FIRST.map(str::to_owned)).await?;
        leftovers::kill_pods(paths).await?;
        end_all(paths, &NEXT.map(str::to_owned)).await?;
        end_all(paths, &process::recorded(paths)).await
    };
    servers.await.map_err(|cause| failed("servers", cause))?;
    step.done("ended");

    let step = progress.step("mounts, network, cgroups");
    let machine = async {
        leftovers::unmount(paths.root())?;
        network::remove(paths).await?;
        leftovers::remove_cgroups().await?;
        leftovers::remove_files(paths);
        Ok::<(), Cause>(())
    };
    machine
        .await
        .map_err(|cause| failed("mounts, network, cgroups", cause))?;
    step.done("removed");

    let step = progress.step("state");
    clear(paths).map_err(|error| failed("state", error.into()))?;
    let found = leftovers::find(paths).await;
    if !found.is_empty() {
        return Err(failed("check", DownError::LeftOver { found }.into()));
    }
    step.done("removed, nothing left");
    Ok(())
}

/// Ends these servers all at once: within one group none of them minds the others' end.
async fn end_all(paths: &Paths, names: &[String]) -> Result<(), Cause> {
    let mut ends = tokio::task::JoinSet::new();
    for name in names {
        let (paths, name) = (paths.clone(), name.clone());
        ends.spawn(async move { process::end(&paths, &name).await });
    }
    while let Some(ended) = ends.join_next().await {
        ended??;
    }
    Ok(())
}

fn clear(paths: &Paths) -> Result<(), FileError> {
    // A mount that is still there would have its content deleted.
    if let Some(path) = leftovers::below(paths.root()).pop() {
        let mounted = io::Error::other("something is still mounted there");
        return Err(FileError::of("remove", &path)(mounted));
    }
    for name in STATE {
        remove_folder(&paths.root().join(name))?;
    }
    Ok(())
}
