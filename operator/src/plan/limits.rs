//! What the Kubernetes cluster and people allow: quotas, nodes, overrides, mode. Pure.

use floodgate_api::cluster::scaling::{NodeSupply, ScalingMode};
use floodgate_planner::Caps;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quota::replicas_max;
use crate::{
    observe::Observed,
    overrides::OverridesRead,
    quantity::quantity,
    snapshot::{ClusterKey, PlanLimits},
    validate::ValidatedCluster,
};

/// What may keep the plans of sales from coming true.
pub fn plan_limits(
    observed: &Observed,
    cluster: &ValidatedCluster,
    overrides: &OverridesRead,
) -> PlanLimits {
    let words = &overrides.overrides;
    let (cpu_request, memory) = requests(cluster);
    let pause = words.pause.as_ref();
    PlanLimits {
        quota_replicas_max: caps(observed, cluster).quota_replicas_max,
        recommend: cluster.mode == ScalingMode::Recommend,
        paused: pause.is_some_and(|pause| pause.value.stops_scaling()),
        overridden_to: words
            .pin
            .iter()
            .chain(&words.ceiling)
            .map(|word| word.value)
            .min(),
        nodes: cluster.nodes,
        cpu_request,
        memory,
    }
}

/// Cores and bytes that a pod requests.
fn requests(cluster: &ValidatedCluster) -> (f64, f64) {
    let amount = |text: &str| quantity(&Quantity(text.to_owned())).unwrap_or(0.0);
    let service = &cluster.service;
    (amount(&service.cpu_request), amount(&service.memory))
}

/// Limits of this moment, for the planner.
pub(super) fn caps(observed: &Observed, cluster: &ValidatedCluster) -> Caps {
    let pods = observed.pods.as_ref();
    let quotas = observed.quotas.iter().map(|quota| &**quota);
    Caps {
        quota_replicas_max: pods
            .and_then(|pods| replicas_max(quotas, &cluster.service, pods.current())),
        node_replicas_max: node_replicas_max(observed, cluster),
        unschedulable_pods: pods.map(|pods| pods.unschedulable()),
    }
}

/// The most pods the nodes hold where none are added; `None` while that is not known. The number is
/// counted up to `scaling.max`, beyond which nobody asks.
fn node_replicas_max(observed: &Observed, cluster: &ValidatedCluster) -> Option<u32> {
    if cluster.nodes == NodeSupply::Elastic {
        return None;
    }
    let room = observed.room.known(observed.now)?;
    let key = ClusterKey::of(&*observed.cluster);
    let (cpu_request, memory) = requests(cluster);
    Some(room.replicas_max(&key, cluster.scaling.replicas_max, cpu_request, memory))
}

#[cfg(test)]
mod tests;
