//! Speaks the control contract with pods: status, policy, warm.
//!
//! Each request has a short deadline and a place in a bounded number under way, so that a thousand
//! silent pods cost neither memory nor the other clusters' pace (S12, S14).

use std::{net::IpAddr, sync::Arc, time::Duration};

use floodgate_contract::{
    CONTROL_PORT, ControlStatus, POLICY_PATH, Policy, PolicyAck, STATUS_PATH, WARM_PATH, WarmAck,
    WarmRequest,
};
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;

/// Longest wait for a pod; its control port has a thread of its own and answers in a millisecond.
pub const DEADLINE: Duration = Duration::from_millis(500);
/// Requests under way at once: with 5 ms each that is 12,000 pods a second.
const IN_FLIGHT_MAX: usize = 64;

/// Where and how a pod's control port is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlAddress {
    /// Address of the pod.
    pub ip: IpAddr,
    /// Port of the control contract.
    pub port: u16,
    /// Bearer token of the cluster.
    pub token: Arc<str>,
}

impl ControlAddress {
    /// The contract's port at a pod's address.
    pub fn of_pod(ip: IpAddr, token: Arc<str>) -> Self {
        Self {
            ip,
            port: CONTROL_PORT,
            token,
        }
    }
}

impl std::fmt::Debug for ControlAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.ip, self.port)
    }
}

/// A request to a pod that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Not reached, or no answer in time, or not the contract's JSON.
    #[error("no answer from the control port of {address:?}")]
    NoAnswer {
        /// Who was asked.
        address: ControlAddress,
        #[source]
        source: reqwest::Error,
    },
    /// The pod answered with another status than 200.
    #[error("the control port of {address:?} answers {status}")]
    Refused {
        /// Who was asked.
        address: ControlAddress,
        /// What it said.
        status: StatusCode,
    },
    /// The process is ending.
    #[error("the operator is stopping")]
    Stopping,
}

/// Client of the control ports of all pods; cheap to clone.
#[derive(Clone, Debug)]
pub struct ControlClient {
    http: reqwest::Client,
    places: Arc<Semaphore>,
    metrics: Metrics,
}

impl ControlClient {
    /// A client that counts its requests in `metrics`.
    pub fn new(metrics: Metrics) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            http,
            places: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            metrics,
        })
    }

    /// What the pod sees and does.
    pub async fn status(&self, address: &ControlAddress) -> Result<ControlStatus, ControlError> {
        self.send::<(), _>(Method::GET, STATUS_PATH, "status", address, None)
            .await
    }

    /// Gives the pod the fleet policy.
    pub async fn put_policy(
        &self,
        address: &ControlAddress,
        policy: &Policy,
    ) -> Result<PolicyAck, ControlError> {
        self.send(Method::PUT, POLICY_PATH, "policy", address, Some(policy))
            .await
    }

    /// Gives the pod the hot set.
    pub async fn put_warm(
        &self,
        address: &ControlAddress,
        warm: &WarmRequest,
    ) -> Result<WarmAck, ControlError> {
        self.send(Method::PUT, WARM_PATH, "warm", address, Some(warm))
            .await
    }

    async fn send<B: Serialize, R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        name: &'static str,
        address: &ControlAddress,
        body: Option<&B>,
    ) -> Result<R, ControlError> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| ControlError::Stopping)?;
        let host = std::net::SocketAddr::new(address.ip, address.port);
        let request = self
            .http
            .request(method, format!("http://{host}{path}"))
            .bearer_auth(&address.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let result = answer(request, address).await;
        self.metrics.count_control(name, result.is_ok());
        result
    }
}

async fn answer<R: DeserializeOwned>(
    request: reqwest::RequestBuilder,
    address: &ControlAddress,
) -> Result<R, ControlError> {
    let no_answer = |source| ControlError::NoAnswer {
        address: address.clone(),
        source,
    };
    let response = request.send().await.map_err(no_answer)?;
    if response.status() != StatusCode::OK {
        let status = response.status();
        return Err(ControlError::Refused {
            address: address.clone(),
            status,
        });
    }
    response.json().await.map_err(no_answer)
}
