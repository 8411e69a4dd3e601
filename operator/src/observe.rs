//! Gathers what one pass works on: the cluster, its Deployment, its Secrets and the snapshots.
//!
//! The only step that reads; it judges nothing.

use std::sync::Arc;

use floodgate_api::cluster::{backends::SecretKeyRef, scaling::NodeSupply};
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::intake::PodRates;
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ResourceQuota};
use kube::{Api, Client, ResourceExt};

use crate::{
    build::{CONTROL_TOKEN_KEY, control_secret_name},
    clock::Clock,
    nodes::RoomSeen,
    secrets::{SecretCache, SecretError, text_of},
    snapshot::{Cell, ClusterKey, ForecastSnapshot, PodsSeen, PrometheusReading},
    stores::Stores,
    validate::{Address, SecretValue, Secrets, secret_refs},
};

/// What one pass works on.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The time of this pass; every later step uses this one.
    pub now: Timestamp,
    /// The object itself.
    pub cluster: Arc<PaymentCluster>,
    /// Secret keys it refers to.
    pub secrets: Secrets,
    /// Token of the control port, when its Secret exists.
    pub control_token: Option<String>,
    /// The Deployment, when it exists.
    pub deployment: Option<Arc<Deployment>>,
    /// Quotas of the namespace.
    pub quotas: Vec<Arc<ResourceQuota>>,
    /// Room on the nodes; asked for only where none are added.
    pub room: Arc<RoomSeen>,
    /// Every sale of the namespace that can be read.
    pub sales: Vec<Arc<SaleEvent>>,
    /// Newest reading of Prometheus.
    pub prometheus: Option<Arc<PrometheusReading>>,
    /// Offered rates measured at the pods.
    pub rates: Option<Arc<PodRates>>,
    /// Pods and what they said.
    pub pods: Option<Arc<PodsSeen>>,
    pub forecast: Arc<ForecastSnapshot>,
}

/// What could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A Secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The Deployment.
    #[error("cannot read Deployment {0}")]
    Deployment(ClusterKey, #[source] Box<kube::Error>),
}

impl ObserveError {
    /// Label of this error in metrics and logs.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Secret(_) => "observe_secret",
            Self::Deployment(..) => "observe_deployment",
        }
    }
}

/// Observes one cluster; `written` is its Deployment as the last write returned it.
pub async fn observe(
    client: &Client,
    stores: &Stores,
    clock: &Clock,
    cell: &Cell,
    cluster: Arc<PaymentCluster>,
    written: Option<&Arc<Deployment>>,
) -> Result<Observed, ObserveError> {
    let key = ClusterKey::of(&*cluster);
    let references = secret_refs(&cluster.spec);
    let secrets = resolve(client, &stores.secrets, &key, &references).await?;
    let control = control_secret_name(&key.name);
    let control = stores.secrets.read(client, &key.namespace, &control);
    let control = control.await?;
    let mut quotas = stores.quotas.state();
    quotas.retain(|quota| quota.namespace().as_deref() == Some(&key.namespace));
    Ok(Observed {
        now: clock.now(),
        secrets,
        control_token: control.and_then(|secret| text_of(&secret, CONTROL_TOKEN_KEY)),
        deployment: deployment(client, stores, &key, written).await?,
        quotas,
        // A cluster whose nodes are elastic has no use for the room on them.
        room: match cluster.spec.scaling.nodes {
            NodeSupply::Elastic => Arc::default(),
            NodeSupply::Fixed => stores.rooms.ask(),
        },
        sales: stores.sales_in(&key.namespace),
        prometheus: cell.prometheus.load_full(),
        rates: cell.rates.load_full(),
        pods: cell.pods.load_full(),
        forecast: cell.forecast.load_full(),
        cluster,
    })
}

async fn resolve(
    client: &Client,
    cache: &SecretCache,
    key: &ClusterKey,
    references: &[SecretKeyRef],
) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets::new();
    for reference in references {
        let secret = cache.read(client, &key.namespace, &reference.name).await?;
        let value = match secret {
            None => SecretValue::SecretMissing,
            Some(secret) => match text_of(&secret, &reference.key) {
                None => SecretValue::KeyMissing,
                Some(text) => SecretValue::Present(Address::new(text)),
            },
        };
        secrets.insert(reference.clone(), value);
    }
    Ok(secrets)
}

/// The Deployment: the newer one of what the watch has and what the last write returned.
///
/// Absence in a watch that may lag is never taken at its word: a Deployment thought missing would
/// be planned anew from the minimum, in the middle of a sale (S4).
async fn deployment(
    client: &Client,
    stores: &Stores,
    key: &ClusterKey,
    written: Option<&Arc<Deployment>>,
) -> Result<Option<Arc<Deployment>>, ObserveError> {
    let generation = |one: &Arc<Deployment>| one.metadata.generation.unwrap_or(0);
    match (stores.deployments.get(&key.object_ref()), written) {
        (Some(watched), Some(written))
            if watched.uid() == written.uid() && generation(written) > generation(&watched) =>
        {
            Ok(Some(Arc::clone(written)))
        }
        (Some(watched), _) => Ok(Some(watched)),
        (None, _) => {
            let api: Api<Deployment> = Api::namespaced(client.clone(), &key.namespace);
            let live = api.get_opt(&key.name).await;
            let live = live.map_err(|e| ObserveError::Deployment(key.clone(), Box::new(e)))?;
            Ok(live.map(Arc::new))
        }
    }
}
