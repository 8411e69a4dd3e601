//! Objects as the watches have them, and what is read beside the watches.

use std::sync::Arc;

use floodgate_api::{PaymentCluster, SaleEvent};
use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ResourceQuota, Service},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{
    ResourceExt,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::Store,
};

use crate::{nodes::Rooms, secrets::SecretCache};

/// A watched cluster, possibly malformed: one bad object must not stall the watch.
pub type Guarded = DeserializeGuard<PaymentCluster>;
/// A watched sale, possibly malformed.
pub type GuardedSale = DeserializeGuard<SaleEvent>;

/// What every pass reads from.
pub struct Stores {
    pub clusters: Store<Guarded>,
    pub sales: Store<GuardedSale>,
    /// Deployments of clusters.
    pub deployments: Store<Deployment>,
    /// Services of clusters, their metadata only.
    pub services: Store<PartialObjectMeta<Service>>,
    /// Network policies of clusters, their metadata only.
    pub network_policies: Store<PartialObjectMeta<NetworkPolicy>>,
    /// Disruption budgets of clusters, their metadata only.
    pub disruption_budgets: Store<PartialObjectMeta<PodDisruptionBudget>>,
    /// Autoscalers of others.
    pub autoscalers: Store<HorizontalPodAutoscaler>,
    /// Quotas of the namespaces.
    pub quotas: Store<ResourceQuota>,
    /// Secrets, read one by one.
    pub secrets: SecretCache,
    /// Room on the nodes, as it was read last.
    pub rooms: Arc<Rooms>,
}

impl Stores {
    /// Every sale of a namespace that can be read.
    pub fn sales_in(&self, namespace: &str) -> Vec<Arc<SaleEvent>> {
        let all = self.sales.state();
        let readable = all.iter().filter_map(|sale| sale.0.as_ref().ok());
        readable
            .filter(|sale| sale.namespace().as_deref() == Some(namespace))
            .map(|sale| Arc::new(sale.clone()))
            .collect()
    }
}
