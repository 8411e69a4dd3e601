//! Bringing the cluster up: every step looks first and does only what is missing, so a second call
//! changes nothing and a half-dead cluster is repaired.

use std::future::Future;

use crate::backends::{self, postgres};
use crate::control_plane::{self, Listen};
use crate::error::{Cause, StepError};
use crate::node::{self, containerd};
use crate::paths::Paths;
use crate::progress::Progress;
use crate::{kubernetes_build, lock, network, packages, pki, preflight, prometheus};

/// Brings the whole cluster up.
pub async fn up(paths: &Paths, progress: &Progress) -> Result<(), StepError> {
    let show = Show { paths, progress };
    let _lock = show.step("lock", "lock", lock::of_cluster(paths)).await?;
    prepare(paths, progress).await?;
    let listen = Listen::full_cluster();
    let server = listen.server_url();
    show.step("certificates", "pki", async { pki::ensure(paths, &server) })
        .await?;
    show.step("bridge", "bridge", network::ensure(paths))
        .await?;
    tokio::try_join!(
        control_plane_and_node(&show, &listen),
        servers_for_pods(&show)
    )?;
    Ok(())
}

/// Installs the packages and builds the Kubernetes programs: what takes long and needs doing once.
pub async fn prepare(paths: &Paths, progress: &Progress) -> Result<(), StepError> {
    let show = Show { paths, progress };
    show.step("preflight", "preflight", preflight::check())
        .await?;
    show.step("packages", "packages", packages::ensure())
        .await?;
    build(paths, progress).await
}

/// Builds the Kubernetes programs.
pub async fn build(paths: &Paths, progress: &Progress) -> Result<(), StepError> {
    let step = progress.step("kubernetes programs");
    match kubernetes_build::ensure(paths, &step).await {
        Ok(built) => {
            step.done(if built { "built" } else { "up to date" });
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(StepError::new(
                "kubernetes programs",
                &paths.log("kubernetes-build"),
                error,
            ))
        }
    }
}

async fn control_plane_and_node(show: &Show<'_>, listen: &Listen) -> Result<(), StepError> {
    let paths = show.paths;
    let runtime = show.step("containerd", "containerd", containerd::start(paths));
    let api = async {
        show.step(
            "etcd and kube-apiserver",
            "kube-apiserver",
            control_plane::start_api(paths, listen),
        )
        .await
    };
    tokio::try_join!(runtime, api)?;
    let managers = show.step(
        "controllers and scheduler",
        "kube-controller-manager",
        control_plane::start_managers(paths),
    );
    let kubelet = show.step("kubelet", "kubelet", node::start_kubelet(paths));
    let proxy = show.step("kube-proxy", "kube-proxy", node::start_proxy(paths));
    let metrics = show.step("prometheus", "prometheus", prometheus::start(paths));
    tokio::try_join!(managers, kubelet, proxy, metrics)?;
    Ok(())
}

async fn servers_for_pods(show: &Show<'_>) -> Result<(), StepError> {
    let paths = show.paths;
    let ledger = async {
        let primary = |shard| async move {
            let name = postgres::primary_name(shard);
            show.step(&name, &name, postgres::start_primary(paths, shard))
                .await
        };
        tokio::try_join!(primary(0), primary(1))?;
        show.step(
            "postgres-replica",
            "postgres-replica",
            postgres::start_replica(paths),
        )
        .await
    };
    let cache = show.step("redis", "redis", backends::start_cache(paths));
    let events = show.step("nats", "nats", backends::start_events(paths));
    tokio::try_join!(ledger, cache, events)?;
    Ok(())
}

/// Shows steps and turns their failures into one line.
struct Show<'a> {
    paths: &'a Paths,
    progress: &'a Progress,
}

impl Show<'_> {
    async fn step<T, E: Into<Cause>>(
        &self,
        name: &str,
        log: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StepError> {
        let step = self.progress.step(name);
        match work.await {
            Ok(outcome) => {
                step.done("");
                Ok(outcome)
            }
            Err(cause) => {
                step.failed();
                Err(StepError::new(name, &self.paths.log(log), cause))
            }
        }
    }
}
