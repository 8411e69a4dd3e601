//! Gathers what one pass works on: the cluster, its Deployment, its Secrets and the snapshots.
//!
//! The only step that reads; it judges nothing.

use std::sync::Arc;

use floodgate_api::cluster::{backends::SecretKeyRef, scaling::NodeSupply};
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::{HoldCause, intake::PodRates};
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ResourceQuota};
use kube::{Api, ResourceExt, core::DeserializeGuard, runtime::reflector::ObjectRef};

use crate::{
    build::{CONTROL_TOKEN_KEY, control_secret_name},
    nodes::RoomSeen,
    reconcile::Context,
    secrets::{SecretError, text_of},
    snapshot::{Cell, ClusterKey, ForecastSnapshot, PodsSeen, PrometheusReading},
    validate::{Address, SecretValue, Secrets, secret_refs},
    writers::ByHand,
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
    /// Replicas that a person wrote during a sale, while they hold.
    pub by_hand: Option<ByHand>,
    /// How this process came to lead.
    pub started_by: HoldCause,
    /// Replicas this process ordered last.
    pub ordered: Option<i32>,
    /// Every sale of the namespace that can be read.
    pub sales: Vec<Arc<SaleEvent>>,
    /// Newest reading of Prometheus.
    pub prometheus: Option<Arc<PrometheusReading>>,
    /// Offered rates measured at the pods.
    pub rates: Option<Arc<PodRates>>,
    /// Pods and what they said.
    pub pods: Option<Arc<PodsSeen>>,
    /// The forecast.
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

/// Observes one cluster.
pub async fn observe(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    cluster: Arc<PaymentCluster>,
) -> Result<Observed, ObserveError> {
    let secrets = resolve(ctx, key, &secret_refs(&cluster.spec)).await?;
    let control = control_secret_name(&key.name);
    let control = ctx
        .secrets
        .read(&ctx.client, &key.namespace, &control)
        .await?;
    Ok(Observed {
        now: ctx.clock.now(),
        secrets,
        control_token: control.and_then(|secret| text_of(&secret, CONTROL_TOKEN_KEY)),
        deployment: deployment(ctx, key, cell).await?,
        quotas: quotas(ctx, &key.namespace),
        room: room(ctx, &cluster),
        by_hand: None,
        started_by: ctx.started_by,
        ordered: cell.with_remembered(|remembered| {
            remembered
                .deployment
                .as_ref()
                .and_then(|ordered| ordered.spec.replicas)
        }),
        sales: sales(ctx, &key.namespace),
        prometheus: cell.prometheus.load_full(),
        rates: cell.rates.load_full(),
        pods: cell.pods.load_full(),
        forecast: cell.forecast.load_full(),
        cluster,
    })
}

/// The room on the nodes as it was read last; a cluster whose nodes are elastic has no use for it.
fn room(ctx: &Context, cluster: &PaymentCluster) -> Arc<RoomSeen> {
    match cluster.spec.scaling.nodes {
        NodeSupply::Elastic => Arc::default(),
        NodeSupply::Fixed => ctx.rooms.ask(),
    }
}

async fn resolve(
    ctx: &Context,
    key: &ClusterKey,
    references: &[SecretKeyRef],
) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets::new();
    for reference in references {
        let secret = ctx
            .secrets
            .read(&ctx.client, &key.namespace, &reference.name)
            .await?;
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
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
) -> Result<Option<Arc<Deployment>>, ObserveError> {
    let watched = ctx
        .deployments
        .get(&ObjectRef::new(&key.name).within(&key.namespace));
    let written = cell.with_remembered(|remembered| remembered.deployment.clone());
    let generation = |one: &Arc<Deployment>| one.metadata.generation.unwrap_or(0);
    match (watched, written) {
        (Some(watched), Some(written))
            if watched.uid() == written.uid() && generation(&written) > generation(&watched) =>
        {
            Ok(Some(written))
        }
        (Some(watched), _) => Ok(Some(watched)),
        (None, _) => {
            let api: Api<Deployment> = Api::namespaced(ctx.client.clone(), &key.namespace);
            let live = api.get_opt(&key.name).await;
            let live = live.map_err(|e| ObserveError::Deployment(key.clone(), Box::new(e)))?;
            Ok(live.map(Arc::new))
        }
    }
}

fn quotas(ctx: &Context, namespace: &str) -> Vec<Arc<ResourceQuota>> {
    let mut all = ctx.quotas.state();
    all.retain(|quota| quota.namespace().as_deref() == Some(namespace));
    all
}

fn sales(ctx: &Context, namespace: &str) -> Vec<Arc<SaleEvent>> {
    let all = ctx.sales.state();
    let here = all
        .iter()
        .filter(|sale| sale.namespace().as_deref() == Some(namespace));
    let readable = here.filter_map(|sale| match sale.as_ref() {
        DeserializeGuard(Ok(sale)) => Some(Arc::new(sale.clone())),
        DeserializeGuard(Err(_)) => None,
    });
    readable.collect()
}
