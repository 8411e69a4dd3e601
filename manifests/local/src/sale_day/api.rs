//! Reading from the apiserver each second without a process each second.
//!
//! `kubectl proxy` keeps the credentials and serves a socket below the cluster's own folder; this
//! side speaks plain HTTP to it. Reads only.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use thiserror::Error;
use tokio::process::{Child, Command};

use crate::Cluster;
use crate::wait::{self, TimedOut};

/// A read that takes longer is given up: the next second wants its own.
const READ_BOUND: Duration = Duration::from_millis(900);
const START_BOUND: Duration = Duration::from_secs(20);

/// Why the apiserver could not be read.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The proxy could not be started.
    #[error("cannot start kubectl proxy")]
    Start(#[source] std::io::Error),
    /// The proxy did not answer.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// A read failed.
    #[error("cannot read {path}")]
    Read {
        /// What was read.
        path: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
}

/// A way to read objects.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    socket: PathBuf,
    /// Ends with this value.
    _proxy: Child,
}

impl Api {
    /// Starts the proxy and waits until it answers.
    pub async fn connect(cluster: &Cluster) -> Result<Self, ApiError> {
        let socket = cluster.root().join("run").join("sale-day.sock");
        // A socket that an interrupted day left behind would make the proxy fail.
        let _absent = std::fs::remove_file(&socket);
        let proxy = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(cluster.kubectl())
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .arg("proxy")
            .arg(format!("--unix-socket={}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(ApiError::Start)?;
        let http = reqwest::Client::builder()
            .unix_socket(socket.clone())
            .timeout(READ_BOUND)
            .build()
            .map_err(|source| ApiError::Read {
                path: "/".to_owned(),
                source,
            })?;
        let api = Self {
            http,
            socket,
            _proxy: proxy,
        };
        wait::until("an answer of kubectl proxy", START_BOUND, || async {
            api.read("/version").await.is_ok()
        })
        .await?;
        Ok(api)
    }

    /// The object at a path; none when there is none.
    pub async fn read(&self, path: &str) -> Result<Option<Value>, ApiError> {
        let error = |source| ApiError::Read {
            path: path.to_owned(),
            source,
        };
        let url = format!("http://localhost{path}");
        let answer = self.http.get(url).send().await.map_err(error)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(error)?;
        answer.json().await.map(Some).map_err(error)
    }

    /// The object at a path as far as it could be read in this second.
    pub async fn read_or_null(&self, path: &str) -> Value {
        self.read(path).await.ok().flatten().unwrap_or(Value::Null)
    }

    /// The pods of a namespace that are not being deleted, by a label selector as written in a
    /// URL; an empty one selects all.
    pub async fn pods(&self, namespace: &str, selector: &str) -> Vec<Value> {
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
        let mut list = self.read_or_null(&path).await;
        let pods = list.get_mut("items").and_then(Value::as_array_mut);
        let mut pods = pods.map(std::mem::take).unwrap_or_default();
        pods.retain(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
        pods
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.socket);
    }
}
