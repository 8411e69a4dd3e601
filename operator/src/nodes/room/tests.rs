//! What still fits on nodes that are partly full.

use serde_json::{Value, json};

use super::*;

const GIB: f64 = 1_073_741_824.0;

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

fn requests(cpu: &str) -> Value {
    json!({ "requests": { "cpu": cpu, "memory": "1Gi" } })
}

fn pod(node: &str, cpu: &str, phase: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": "other", "namespace": "shop" },
        "spec": {
            "nodeName": node,
            "containers": [{ "name": "c", "resources": requests(cpu) }]
        },
        "status": { "phase": phase }
    }))
    .unwrap()
}

/// A pod of the cluster `till`.
fn own(node: &str) -> Pod {
    let mut pod = pod(node, "500m", "Running");
    let labels = pod.labels_mut();
    labels.insert(CLUSTER_LABEL.to_owned(), "till".to_owned());
    pod
}

fn room(nodes: &[Node], pods: &[Pod]) -> NodeRoom {
    let mut room = NodeRoom::default();
    room.add_nodes(nodes);
    room.add_pods(pods);
    room
}

fn till() -> ClusterKey {
    ClusterKey {
        namespace: "shop".to_owned(),
        name: "till".to_owned(),
    }
}

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
    let mut room = room(&nodes, &pods);
    // Three of 500m on a, three on b.
    assert_eq!(room.clone().place(10, 0.5, 0.5 * GIB), 6);
    assert_eq!(room.place(2, 0.5, 0.5 * GIB), 2);
    assert_eq!(room.place(10, 0.5, 0.5 * GIB), 4, "what is placed is taken");
    assert_eq!(NodeRoom::default().place(3, 0.5, GIB), 0);
}

#[test]
fn f31_a_cluster_can_have_what_stands_and_what_still_fits() {
    let nodes = [node("a", "2", &json!({})), node("b", "1", &json!({}))];
    let empty = room(&nodes, &[]);
    assert_eq!(empty.replicas_max(&till(), 100, 0.5, 0.5 * GIB), 6);
    // A pod that came to stand takes the room it was counted for, and nothing changes.
    let begun = room(&nodes, &[own("a"), own("b")]);
    assert_eq!(begun.replicas_max(&till(), 100, 0.5, 0.5 * GIB), 6);
    assert_eq!(begun.replicas_max(&till(), 3, 0.5, 0.5 * GIB), 3);
    // Those of others only take room away.
    let crowded = room(&nodes, &[own("a"), pod("b", "1", "Running")]);
    assert_eq!(crowded.replicas_max(&till(), 100, 0.5, 0.5 * GIB), 4);
    // A node that is overfull takes nothing from the others.
    let overfull = room(&nodes, &[pod("b", "3", "Running"), own("gone")]);
    assert_eq!(overfull.replicas_max(&till(), 100, 0.5, 0.5 * GIB), 5);
}

#[test]
fn what_runs_before_and_beside_the_containers_takes_room_too() {
    let spec = |init: &Value, overhead: &Value| -> PodSpec {
        serde_json::from_value(json!({
            "containers": [
                { "name": "c", "resources": requests("500m") },
                { "name": "d", "resources": requests("250m") }
            ],
            "initContainers": init,
            "overhead": overhead
        }))
        .unwrap()
    };
    let check = |init: Value, overhead: Value, cpu: f64| {
        let asked = requested(&spec(&init, &overhead), "cpu");
        assert!((asked - cpu).abs() < 1e-9, "{init} {overhead}: {asked}");
    };
    let first = json!({ "name": "i", "resources": requests("2") });
    let small = json!({ "name": "i", "resources": requests("100m") });
    let sidecar = json!({ "name": "s", "restartPolicy": "Always", "resources": requests("1") });
    check(json!([]), json!({}), 0.75);
    check(json!([small]), json!({}), 0.75);
    check(json!([first]), json!({}), 2.0);
    check(json!([sidecar]), json!({}), 1.75);
    check(json!([sidecar, first]), json!({ "cpu": "250m" }), 3.25);
}
