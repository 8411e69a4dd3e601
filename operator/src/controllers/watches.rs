//! The watches of a leading operator, each with its store.

use std::sync::Arc;

use floodgate_api::CLUSTER_LABEL;
use futures::{StreamExt, stream::BoxStream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::Deployment,
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Pod, ResourceQuota, Service},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
};
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::{self, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use crate::{
    nodes::Rooms,
    secrets::SecretCache,
    stores::{Guarded, GuardedSale, Stores},
    synced::Synced,
};

/// An API in one namespace or in all.
pub fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Events of a watch, after they went through its store.
pub(super) type Events<K> = BoxStream<'static, watcher::Result<watcher::Event<K>>>;

/// A watch and its store.
pub(super) struct Watched<K: Resource<DynamicType = ()> + Clone + 'static> {
    pub(super) store: Store<K>,
    pub(super) events: Events<K>,
}

pub(super) struct Watches {
    /// Says when every store was filled once.
    pub(super) synced: Synced,
    pub(super) clusters: Watched<Guarded>,
    pub(super) sales: Watched<GuardedSale>,
    pub(super) pods: Watched<Pod>,
    pub(super) deployments: Watched<Deployment>,
    pub(super) owned: OwnedWatches,
    pub(super) autoscalers: Watched<HorizontalPodAutoscaler>,
    pub(super) quotas: Watched<ResourceQuota>,
}

/// Watches of the metadata of what clusters own beside the Deployment.
pub(super) struct OwnedWatches {
    pub(super) services: Watched<PartialObjectMeta<Service>>,
    pub(super) network_policies: Watched<PartialObjectMeta<NetworkPolicy>>,
    pub(super) disruption_budgets: Watched<PartialObjectMeta<PodDisruptionBudget>>,
}

impl Watches {
    /// Prepares every watch; nothing is asked before its events are polled.
    pub(super) fn prepare(client: &Client, namespace: Option<&str>) -> Self {
        let synced = Synced::default();
        let everything = watcher::Config::default;
        let labelled = || watcher::Config::default().labels(CLUSTER_LABEL);
        let counted = |name| (name, Some(&synced));
        Self {
            clusters: watched(client, namespace, everything(), counted("clusters")),
            sales: watched(client, namespace, everything(), counted("sales")),
            pods: watched(client, namespace, labelled(), counted("pods")),
            deployments: watched(client, namespace, labelled(), counted("deployments")),
            owned: OwnedWatches {
                services: watched(client, namespace, labelled(), counted("services")),
                network_policies: watched(client, namespace, labelled(), counted("policies")),
                disruption_budgets: watched(client, namespace, labelled(), counted("budgets")),
            },
            // Autoscalers are watched to report a conflict; decisions do not wait for them.
            autoscalers: watched(client, namespace, everything(), ("autoscalers", None)),
            // The apiserver enforces quotas; knowing them ahead only spares attempts.
            quotas: watched(client, namespace, everything(), ("quotas", None)),
            synced: synced.clone(),
        }
    }

    /// The stores of the watches, and what is read beside them.
    pub(super) fn stores(&self, rooms: Arc<Rooms>) -> Stores {
        Stores {
            clusters: self.clusters.store.clone(),
            sales: self.sales.store.clone(),
            deployments: self.deployments.store.clone(),
            services: self.owned.services.store.clone(),
            network_policies: self.owned.network_policies.store.clone(),
            disruption_budgets: self.owned.disruption_budgets.store.clone(),
            autoscalers: self.autoscalers.store.clone(),
            quotas: self.quotas.store.clone(),
            secrets: SecretCache::default(),
            rooms,
        }
    }
}

fn watched<K>(
    client: &Client,
    namespace: Option<&str>,
    config: watcher::Config,
    (name, synced): (&'static str, Option<&Synced>),
) -> Watched<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let api = scoped::<K>(client, namespace);
    let events = watcher(api, config).default_backoff().reflect(writer);
    let events = match synced {
        Some(synced) => synced.watching(name, events).boxed(),
        None => events.boxed(),
    };
    Watched { store, events }
}
