//! Room on the nodes for more pods, from what the nodes offer and what stands on them. Pure.
//!
//! It is a count by first fit over CPU, memory and pod slots; taints are respected by leaving every
//! tainted node out. A cluster that grows by itself has more room than this says.

use std::collections::HashMap;

use k8s_openapi::{
    api::core::v1::{Node, Pod},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;

use crate::plan::quantity;

/// What is left on each node that takes pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct NodeRoom {
    nodes: Vec<Left>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Left {
    cpu: f64,
    memory: f64,
    pods: f64,
}

impl NodeRoom {
    /// Room on `nodes` beside `pods`.
    pub(super) fn of(nodes: &[Node], pods: &[Pod]) -> Self {
        let mut used: HashMap<&str, (f64, f64, f64)> = HashMap::new();
        for pod in pods.iter().filter(|pod| !has_ended(pod)) {
            let Some(spec) = &pod.spec else { continue };
            let Some(node) = spec.node_name.as_deref() else {
                continue;
            };
            let requests = |name: &str| -> f64 {
                let containers = spec.containers.iter();
                let asked = containers.filter_map(|one| {
                    let requests = one.resources.as_ref()?.requests.as_ref()?;
                    quantity(requests.get(name)?)
                });
                asked.sum()
            };
            let sum = used.entry(node).or_default();
            sum.0 += requests("cpu");
            sum.1 += requests("memory");
            sum.2 += 1.0;
        }
        let left = nodes.iter().filter(|node| takes_pods(node)).map(|node| {
            let offered = node
                .status
                .as_ref()
                .and_then(|one| one.allocatable.as_ref());
            let amount = |name: &str| {
                let offered: Option<&Quantity> = offered.and_then(|offered| offered.get(name));
                offered.and_then(quantity).unwrap_or(0.0)
            };
            let (cpu, memory, pods) = used
                .get(node.name_any().as_str())
                .copied()
                .unwrap_or_default();
            Left {
                cpu: amount("cpu") - cpu,
                memory: amount("memory") - memory,
                pods: amount("pods") - pods,
            }
        });
        Self {
            nodes: left.collect(),
        }
    }

    /// Places up to `wanted` pods of so many cores and bytes; how many fitted.
    pub(super) fn place(&mut self, wanted: u32, cpu: f64, memory: f64) -> u32 {
        let mut placed = 0;
        for left in &mut self.nodes {
            let fits = [
                left.cpu / cpu.max(1e-3),
                left.memory / memory.max(1.0),
                left.pods,
            ];
            let fits = fits.into_iter().fold(f64::INFINITY, f64::min) + 1e-9;
            let taken = (fits.floor().max(0.0) as u32).min(wanted - placed);
            left.cpu -= cpu * f64::from(taken);
            left.memory -= memory * f64::from(taken);
            left.pods -= f64::from(taken);
            placed += taken;
        }
        placed
    }
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
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, cpu: &str, spec: &Value) -> Node {
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "spec": spec,
            "status": {
                "allocatable": { "cpu": cpu, "memory": "4Gi", "pods": "10" },
                "conditions": [{ "type": "Ready", "status": "True" }]
            }
        }))
        .unwrap()
    }

    fn pod(node: &str, cpu: &str, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "other" },
            "spec": { "nodeName": node, "containers": [{
                "name": "c", "resources": { "requests": { "cpu": cpu, "memory": "1Gi" } }
            }] },
            "status": { "phase": phase }
        }))
        .unwrap()
    }

    const GIB: f64 = 1_073_741_824.0;

    #[test]
    fn f31_room_is_what_is_left_on_nodes_that_take_pods() {
        let tainted = json!({ "taints": [{ "key": "x", "effect": "NoSchedule" }] });
        let nodes = [
            node("a", "2", &json!({})),
            node("b", "1500m", &json!({})),
            node("c", "8", &tainted),
            node("d", "8", &json!({ "unschedulable": true })),
        ];
        let pods = [pod("a", "500m", "Running"), pod("b", "1", "Succeeded")];
        let mut room = NodeRoom::of(&nodes, &pods);
        // Three of 500m on a, three on b.
        assert_eq!(room.clone().place(10, 0.5, 0.5 * GIB), 6);
        assert_eq!(room.place(2, 0.5, 0.5 * GIB), 2);
        assert_eq!(room.place(10, 0.5, 0.5 * GIB), 4, "what is placed is taken");
        assert_eq!(NodeRoom::default().place(3, 0.5, GIB), 0);
    }
}
