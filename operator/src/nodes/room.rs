//! Room on the nodes for more pods, from what the nodes offer and what runs on them. Pure.
//!
//! It is a count by first fit over CPU, memory and pod slots; taints are respected by leaving every
//! tainted node out. A cluster that grows by itself has more room than this says. The room is not
//! shared out: two clusters that both want the last of it both see that there is some.

use std::collections::HashMap;

use floodgate_api::CLUSTER_LABEL;
use k8s_openapi::{
    api::core::v1::{Container, Node, Pod, PodSpec},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;

use crate::{quantity::quantity, snapshot::ClusterKey};

/// What is left on each node that takes pods, and how many pods of each cluster it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRoom {
    nodes: Vec<Left>,
    /// The place of a node in `nodes`.
    places: HashMap<String, usize>,
    present: HashMap<ClusterKey, u32>,
}

/// What pods may still request of a node, or what a pod requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Left {
    cpu: f64,
    memory: f64,
    pods: f64,
}

impl NodeRoom {
    /// Counts the nodes that take pods; before their pods are.
    pub(super) fn add_nodes(&mut self, nodes: &[Node]) {
        for node in nodes.iter().filter(|node| takes_pods(node)) {
            let status = node.status.as_ref();
            let offered = status.and_then(|one| one.allocatable.as_ref());
            let amount = |name: &str| {
                let offered: Option<&Quantity> = offered.and_then(|offered| offered.get(name));
                offered.and_then(quantity).unwrap_or(0.0)
            };
            self.places.insert(node.name_any(), self.nodes.len());
            self.nodes.push(Left {
                cpu: amount("cpu"),
                memory: amount("memory"),
                pods: amount("pods"),
            });
        }
    }

    /// Takes what pods request off their nodes.
    pub(super) fn add_pods(&mut self, pods: &[Pod]) {
        for pod in pods.iter().filter(|pod| !has_ended(pod)) {
            let Some(spec) = &pod.spec else { continue };
            let Some(node) = spec.node_name.as_deref() else {
                continue;
            };
            if let Some(name) = pod.labels().get(CLUSTER_LABEL) {
                let key = ClusterKey {
                    namespace: pod.namespace().unwrap_or_default(),
                    name: name.clone(),
                };
                *self.present.entry(key).or_default() += 1;
            }
            let place = self.places.get(node).copied();
            if let Some(left) = place.and_then(|place| self.nodes.get_mut(place)) {
                left.cpu -= requested(spec, "cpu");
                left.memory -= requested(spec, "memory");
                left.pods -= 1.0;
            }
        }
    }

    /// Room for `free` more pods of any size beside the `present` ones of a cluster.
    #[cfg(test)]
    pub(crate) fn for_pods(free: f64, cluster: ClusterKey, present: u32) -> Self {
        Self {
            nodes: vec![Left {
                cpu: f64::INFINITY,
                memory: f64::INFINITY,
                pods: free,
            }],
            places: HashMap::new(),
            present: HashMap::from([(cluster, present)]),
        }
    }

    /// Places up to `wanted` pods of so many cores and bytes; how many fitted.
    pub fn place(&mut self, wanted: u32, cpu: f64, memory: f64) -> u32 {
        let mut placed = 0;
        for left in &mut self.nodes {
            let taken = left.fits(cpu, memory).min(wanted - placed);
            left.cpu -= cpu * f64::from(taken);
            left.memory -= memory * f64::from(taken);
            left.pods -= f64::from(taken);
            placed += taken;
        }
        placed
    }

    /// The most pods of so many cores and bytes that a cluster can have on the nodes: those that
    /// run and those that still fit; counted up to `most`.
    pub fn replicas_max(&self, cluster: &ClusterKey, most: u32, cpu: f64, memory: f64) -> u32 {
        let mut count = self.present.get(cluster).copied().unwrap_or(0);
        for left in &self.nodes {
            if count >= most {
                return most;
            }
            count = count.saturating_add(left.fits(cpu, memory));
        }
        count.min(most)
    }
}

impl Left {
    /// How many pods of so many cores and bytes still fit.
    fn fits(self, cpu: f64, memory: f64) -> u32 {
        let fits = [self.cpu / cpu.max(1e-3), self.memory / memory.max(1.0)];
        let fits = fits.into_iter().fold(self.pods, f64::min) + 1e-9;
        fits.floor().clamp(0.0, f64::from(u32::MAX)) as u32
    }
}

/// What the scheduler counts of a pod: its containers and sidecars together, or the largest
/// container that runs before them, and the overhead of its runtime.
fn requested(spec: &PodSpec, name: &str) -> f64 {
    let asked = |container: &Container| -> f64 {
        let requests = container.resources.as_ref();
        let requests = requests.and_then(|one| one.requests.as_ref());
        let amount = requests.and_then(|requests| quantity(requests.get(name)?));
        amount.unwrap_or(0.0)
    };
    let mut together: f64 = spec.containers.iter().map(asked).sum();
    let mut before: f64 = 0.0;
    let mut sidecars: f64 = 0.0;
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars += asked(container);
        } else {
            before = before.max(sidecars + asked(container));
        }
    }
    together += sidecars;
    let overhead = spec.overhead.as_ref();
    let overhead = overhead.and_then(|overhead| quantity(overhead.get(name)?));
    together.max(before) + overhead.unwrap_or(0.0)
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|one| one.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded"))
}

fn takes_pods(node: &Node) -> bool {
    let spec = node.spec.as_ref();
    let shut = spec.is_some_and(|spec| {
        let taints = spec.taints.as_deref().unwrap_or_default();
        let keeps_out = |effect: &str| matches!(effect, "NoSchedule" | "NoExecute");
        spec.unschedulable == Some(true) || taints.iter().any(|one| keeps_out(&one.effect))
    });
    let conditions = node.status.as_ref().and_then(|one| one.conditions.as_ref());
    let ready = conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one.type_ == "Ready" && one.status == "True")
    });
    ready && !shut
}

#[cfg(test)]
mod tests;
