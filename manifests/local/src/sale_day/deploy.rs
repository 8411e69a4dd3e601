//! What has to run before the day begins: history, operator, ledger, PaymentCluster.
//!
//! Each step is idempotent and bounded. The namespaces of an earlier day are removed first, so that
//! every day starts with the images just loaded and pods that are cold.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use thiserror::Error;
use tokio::process::Command;

use super::api::{Api, ApiError};
use super::curve::Curve;
use super::minutes::{self, MinutesError};
use super::observe::{self, CLUSTER, NAMESPACE, OPERATOR_NAMESPACE, is_ready};
use super::{history, not_ready, script};
use crate::Cluster;
use crate::command::{self, CommandError};
use crate::file::FileError;
use crate::paths::workspace;
use crate::prometheus::PrometheusError;
use crate::wait::{self, TimedOut};

/// Bound of a wait on the cluster: many times what it takes, short enough for a person.
const WAIT: Duration = Duration::from_mins(2);
/// The same for kubectl's own waits.
const KUBECTL_TIMEOUT: &str = "--timeout=120s";
const OPERATOR_OVERLAY: &str = "manifests/operator/overlays/local";
const CHECKOUT: &str = include_str!("checkout.yaml");
/// Opening balance of each user, minor units: nobody runs out within a day.
const BALANCE_MINOR: &str = "100000000";

/// Why something could not be deployed.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The trace is not usable.
    #[error(transparent)]
    Trace(#[from] MinutesError),
    /// The history file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Prometheus did not take the history.
    #[error(transparent)]
    Prometheus(#[from] PrometheusError),
    /// kubectl or a program of the payment service failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The apiserver could not be read.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Something did not come true in time.
    #[error("{0}{1}")]
    TimedOut(TimedOut, String),
}

/// The curve of the day: from a trace, or synthetic.
pub fn curve(trace: Option<&Path>, seed: u64) -> Result<(Curve, String), DeployError> {
    let now = Timestamp::now();
    let Some(path) = trace else {
        let offset_s = i64::from(TimeZone::system().to_offset(now).seconds());
        return Ok((
            Curve::synthetic(now.as_second(), offset_s, seed),
            "synthetic".to_owned(),
        ));
    };
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok((
        Curve::from_trace(now.as_second(), &minutes::read(path)?),
        name,
    ))
}

/// Removes what an earlier day left.
pub async fn clear(cluster: &Cluster) -> Result<String, DeployError> {
    cluster
        .kubectl_output(&[
            "delete",
            "namespace",
            NAMESPACE,
            OPERATOR_NAMESPACE,
            "--ignore-not-found",
            "--wait",
            KUBECTL_TIMEOUT,
        ])
        .await?;
    Ok("an earlier day's namespaces are gone".to_owned())
}

/// Replaces what Prometheus knows by the curve's past.
pub async fn backfill(cluster: &Cluster, curve: &Curve, out: &Path) -> Result<String, DeployError> {
    let path = out.join("history.om");
    let file_error = FileError::of("write", &path);
    std::fs::create_dir_all(out).map_err(file_error)?;
    let file = File::create(&path).map_err(file_error)?;
    history::write_openmetrics(curve, NAMESPACE, CLUSTER, BufWriter::new(file))
        .map_err(file_error)?;
    cluster.prometheus_forget().await?;
    cluster.backfill(&path).await?;
    let days = curve.past_rps.len() as f64 / 1_440.0;
    let missing = curve
        .past_rps
        .iter()
        .filter(|value| value.is_none())
        .count();
    Ok(format!("{days:.1} days at 1 min, {missing} min missing"))
}

/// Installs the CRDs and the operator, and waits until it leads.
pub async fn operator(cluster: &Cluster, api: &Api) -> Result<String, DeployError> {
    let overlay = workspace().join(OPERATOR_OVERLAY);
    let overlay = overlay.to_string_lossy();
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--kustomize",
        &overlay,
    ];
    cluster.kubectl_output(&apply).await?;
    let established = [
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        KUBECTL_TIMEOUT,
    ];
    cluster.kubectl_output(&established).await?;
    let leads = || async {
        let lease = api.read_or_null(&observe::lease_path()).await;
        let holder = lease.pointer("/spec/holderIdentity");
        let ready = api.pods(OPERATOR_NAMESPACE, "").await.iter().any(is_ready);
        ready && holder.is_some_and(serde_json::Value::is_string)
    };
    if let Err(timed_out) = wait::until("the operator being Ready and leading", WAIT, leads).await {
        let reasons = not_ready::of_pods(&api.pods(OPERATOR_NAMESPACE, "").await);
        return Err(DeployError::TimedOut(timed_out, format!(": {reasons}")));
    }
    Ok("leads".to_owned())
}

/// Makes the backends' Secrets, migrates the shards and books the opening deposits.
pub async fn ledger(cluster: &Cluster, programs: &Path) -> Result<String, DeployError> {
    cluster.create_secrets(NAMESPACE).await?;
    let users = script::USERS.to_string();
    let merchants = script::MERCHANTS.to_string();
    let service = |arguments: &[&str]| {
        let mut command = Command::new(programs.join("payment-svc"));
        command.args(arguments).env("RUST_LOG", "warn");
        for (index, url) in cluster.shard_urls().iter().enumerate() {
            command.env(format!("PAYMENT_SHARD_{index}_URL"), url);
        }
        command
    };
    command::output(&mut service(&["migrate"])).await?;
    let seed = [
        ["seed", "--users"].as_slice(),
        &[
            &users,
            "--merchants",
            &merchants,
            "--balance-minor",
            BALANCE_MINOR,
            "--currency",
            "CNY",
        ],
    ]
    .concat();
    command::output(&mut service(&seed)).await?;
    Ok(format!(
        "{users} users and {merchants} merchants on {} shards",
        cluster.shard_urls().len()
    ))
}

/// Applies the PaymentCluster and waits until it is Ready, warm and its forecast trusted.
pub async fn checkout(cluster: &Cluster, api: &Api) -> Result<String, DeployError> {
    cluster.apply(CHECKOUT).await?;
    let path = observe::cluster_path();
    let ready = || async {
        let object = api.read_or_null(&path).await;
        let deployment = api.read_or_null(&observe::deployment_path()).await;
        let replicas = deployment
            .pointer("/spec/replicas")
            .and_then(serde_json::Value::as_u64);
        let warm = object
            .pointer("/status/replicas/warm")
            .and_then(serde_json::Value::as_u64);
        let is_true = |kind| observe::condition(&object, kind).as_deref() == Some("True");
        is_true("Ready") && is_true("ForecastTrusted") && replicas.is_some() && warm >= replicas
    };
    let what = "PaymentCluster checkout being Ready, warm and forecast";
    if let Err(timed_out) = wait::until(what, WAIT, ready).await {
        let conditions = not_ready::of_conditions(&api.read_or_null(&path).await);
        let pods = not_ready::of_pods(&api.pods(NAMESPACE, "").await);
        return Err(DeployError::TimedOut(
            timed_out,
            format!(": {conditions}; {pods}"),
        ));
    }
    let object = api.read_or_null(&path).await;
    let number = |pointer: &str| {
        object
            .pointer(pointer)
            .map_or("?".to_owned(), std::string::ToString::to_string)
    };
    Ok(format!(
        "Ready with {} warm pods; forecast {} req/s, upper {}",
        number("/status/replicas/warm"),
        number("/status/forecast/p50Rps"),
        number("/status/forecast/upperRps")
    ))
}

/// Where the payment service answers: its cluster address.
pub async fn target(api: &Api) -> Result<String, DeployError> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/{CLUSTER}");
    let service = api.read(&path).await?.unwrap_or_default();
    let address = service
        .pointer("/spec/clusterIP")
        .and_then(serde_json::Value::as_str);
    Ok(format!("http://{}:80", address.unwrap_or_default()))
}
