//! Objects as the watches have them.

use floodgate_api::{PaymentCluster, SaleEvent};
use k8s_openapi::api::{
    core::v1::Service, networking::v1::NetworkPolicy, policy::v1::PodDisruptionBudget,
};
use kube::{
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::Store,
};

/// A watched cluster, possibly malformed: one bad object must not stall the watch.
pub type Guarded = DeserializeGuard<PaymentCluster>;
/// A watched sale, possibly malformed.
pub type GuardedSale = DeserializeGuard<SaleEvent>;

/// Metadata of what clusters own beside the Deployment.
pub struct OwnedStores {
    /// Services.
    pub services: Store<PartialObjectMeta<Service>>,
    /// Network policies.
    pub network_policies: Store<PartialObjectMeta<NetworkPolicy>>,
    /// Disruption budgets.
    pub disruption_budgets: Store<PartialObjectMeta<PodDisruptionBudget>>,
}
