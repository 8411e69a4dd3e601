//! `Service`, `NetworkPolicy` and `PodDisruptionBudget` of a cluster.

use floodgate_contract::{CONTROL_PORT, SERVICE_PORT};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use super::names::{pod_selector, selector_labels};
use crate::validate::ValidatedCluster;

/// Port of the Service.
const PORT: i32 = 80;

pub(super) fn service(cluster: &ValidatedCluster) -> Service {
    Service {
        metadata: metadata(cluster, cluster.name.clone()),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(selector_labels(&cluster.name)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: PORT,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String("http".to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// Payments from anywhere; control, probes and metrics from pods of this Kubernetes only (every
/// control call needs the token as well).
pub(super) fn policy(cluster: &ValidatedCluster) -> NetworkPolicy {
    let port = |number: u16| {
        Some(vec![NetworkPolicyPort {
            port: Some(IntOrString::Int(i32::from(number))),
            protocol: Some("TCP".to_owned()),
            ..NetworkPolicyPort::default()
        }])
    };
    let any_pod = NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    };
    NetworkPolicy {
        metadata: metadata(cluster, cluster.name.clone()),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pod_selector(&cluster.name)),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![
                NetworkPolicyIngressRule {
                    from: None,
                    ports: port(SERVICE_PORT),
                },
                NetworkPolicyIngressRule {
                    from: Some(vec![any_pod]),
                    ports: port(CONTROL_PORT),
                },
            ]),
            ..NetworkPolicySpec::default()
        }),
    }
}

/// One pod at a time, so that a node drain in a sale costs one pod's share; pods that are not Ready
/// may always go, or a broken rollout would block every drain.
pub(super) fn disruption_budget(cluster: &ValidatedCluster) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: metadata(cluster, cluster.name.clone()),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(pod_selector(&cluster.name)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}
