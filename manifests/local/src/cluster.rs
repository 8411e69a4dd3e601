//! A handle on the full cluster: where it is, and what can be done with it.

use std::path::{Path, PathBuf};

use crate::addresses::{REPLICA_PORT, SHARD_PORTS};
use crate::backends::postgres;
use crate::command::{self, CommandError};
use crate::error::StepError;
use crate::image::{self, ImageError};
use crate::paths::Paths;
use crate::process::ProcessError;
use crate::progress::Progress;
use crate::prometheus::{self, PrometheusError};
use crate::{control_plane, down, kubernetes_build, leftovers, secrets, up};

/// The full cluster of this checkout, up or not.
#[derive(Debug, Clone)]
pub struct Cluster {
    paths: Paths,
}

impl Cluster {
    /// The cluster below `target/local` of this checkout. Does nothing to it.
    pub fn on_this_machine() -> Self {
        Self {
            paths: Paths::of_this_checkout(),
        }
    }

    /// The folder everything of the cluster lies in.
    pub fn root(&self) -> &Path {
        self.paths.root()
    }

    /// The kubeconfig of the cluster's admin.
    pub fn kubeconfig(&self) -> PathBuf {
        self.paths.kubeconfig("admin")
    }

    /// kubectl of the cluster's version.
    pub fn kubectl(&self) -> PathBuf {
        self.paths.program("kubectl")
    }

    /// The log of one server, by its name: `kube-apiserver`, `postgres-0`, ...
    pub fn log(&self, server: &str) -> PathBuf {
        self.paths.log(server)
    }

    /// Where Prometheus answers, without a trailing slash.
    pub fn prometheus_url(&self) -> String {
        prometheus::url()
    }

    /// The primaries in shard order.
    pub fn shard_urls(&self) -> Vec<String> {
        SHARD_PORTS
            .iter()
            .map(|port| postgres::url(&self.paths, *port))
            .collect()
    }

    /// The streaming replica of shard 0.
    pub fn replica_url(&self) -> String {
        postgres::url(&self.paths, REPLICA_PORT)
    }

    /// Redis.
    pub fn cache_url(&self) -> String {
        secrets::cache_url()
    }

    /// NATS.
    pub fn events_url(&self) -> String {
        secrets::events_url()
    }

    /// Brings the cluster up, or back up.
    pub async fn up(&self, progress: &Progress) -> Result<(), StepError> {
        // Boxed: a dozen steps at once make a future too large for the stack of a caller.
        Box::pin(up::up(&self.paths, progress)).await
    }

    /// Takes the cluster down and removes its state.
    pub async fn down(&self, progress: &Progress) -> Result<(), StepError> {
        down::down(&self.paths, progress).await
    }

    /// Installs packages and builds the Kubernetes programs, without starting anything.
    pub async fn prepare(&self, progress: &Progress) -> Result<(), StepError> {
        up::prepare(&self.paths, progress).await
    }

    /// Builds the Kubernetes programs.
    pub async fn build(&self, progress: &Progress) -> Result<(), StepError> {
        up::build(&self.paths, progress).await
    }

    /// Starts `program`, which is this one, once more to build the Kubernetes programs.
    pub async fn build_in_background(&self, program: &Path) -> Result<(), ProcessError> {
        kubernetes_build::start_in_background(&self.paths, program)
            .await
            .map(|_started| ())
    }

    /// Whether the apiserver reports itself ready.
    pub async fn is_up(&self) -> bool {
        control_plane::api_ready(&self.paths).await
    }

    /// What of the cluster is on the machine now, one sentence each.
    pub async fn leftovers(&self) -> Vec<String> {
        leftovers::find(&self.paths).await
    }

    /// Runs kubectl as admin and returns what it printed.
    pub async fn kubectl_output(&self, arguments: &[&str]) -> Result<String, CommandError> {
        command::output(control_plane::kubectl(&self.paths).args(arguments)).await
    }

    /// Applies manifests, YAML or JSON, as admin.
    pub async fn apply(&self, manifests: &str) -> Result<(), CommandError> {
        control_plane::apply(&self.paths, manifests).await
    }

    /// Makes a namespace and the Secrets of this machine's backends in it.
    pub async fn create_secrets(&self, namespace: &str) -> Result<(), CommandError> {
        secrets::create(&self.paths, namespace).await
    }

    /// Makes an image of programs and loads it into the node's image store.
    pub async fn load_image(
        &self,
        reference: &str,
        programs: &[PathBuf],
    ) -> Result<(), ImageError> {
        image::load(&self.paths, reference, programs).await
    }

    /// Ends Prometheus and keeps its data.
    pub async fn prometheus_stop(&self) -> Result<(), PrometheusError> {
        prometheus::stop(&self.paths).await
    }

    /// Starts Prometheus again and waits until it answers.
    pub async fn prometheus_start(&self) -> Result<(), PrometheusError> {
        prometheus::resume(&self.paths).await
    }

    /// Follows the pods for Prometheus until the process is ended.
    pub async fn discover_pods(&self) -> std::io::Result<()> {
        prometheus::discovery::run(&self.paths).await
    }

    /// Ends Prometheus and removes all it knows; the next start or backfill begins anew.
    pub async fn prometheus_forget(&self) -> Result<(), PrometheusError> {
        prometheus::forget(&self.paths).await
    }

    /// Adds a history, a file in the OpenMetrics text format, to what Prometheus knows.
    pub async fn backfill(&self, openmetrics: &Path) -> Result<(), PrometheusError> {
        prometheus::backfill(&self.paths, openmetrics).await
    }

    /// The lines a shell evaluates to reach the cluster.
    pub fn environment(&self) -> String {
        let shards = self.shard_urls().join(",");
        [
            format!("export KUBECONFIG='{}'", self.kubeconfig().display()),
            format!("export PATH='{}':\"$PATH\"", self.paths.bin().display()),
            format!("export PROMETHEUS_URL='{}'", self.prometheus_url()),
            format!("export SHARD_URLS='{shards}'"),
            format!("export REPLICA_URL='{}'", self.replica_url()),
            format!("export CACHE_URL='{}'", self.cache_url()),
            format!("export EVENTS_URL='{}'", self.events_url()),
        ]
        .join("\n")
    }
}
