//! Nodes that are all there is, on an apiserver of its own: nodes belong to no namespace.

use floodgate_operator::metrics::DecisionLabels;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    cluster_objects::{replicas, says},
    pods::{Answer, FakePrometheus},
    stage::{Stage, until},
};

/// A node of so many cores that takes pods.
async fn create_node(stage: &Stage, name: &str, cpu: &str) {
    let api: Api<Node> = Api::all(stage.client.clone());
    let node: Node = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    api.create(&PostParams::default(), &node).await.unwrap();
    let status = json!({ "status": {
        "allocatable": { "cpu": cpu, "memory": "64Gi", "pods": "110" },
        "conditions": [{ "type": "Ready", "status": "True", "reason": "SaidTheTest" }]
    } });
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(&status))
        .await
        .unwrap();
    // Without a controller nobody takes off what keeps pods from a node that just came.
    let open = json!({ "spec": { "taints": null } });
    api.patch(name, &PatchParams::default(), &Patch::Merge(&open))
        .await
        .unwrap();
}

/// A pod of somebody else that takes room on a node.
async fn create_pod(stage: &Stage, name: &str, node: &str, cpu: &str) {
    let pod: Pod = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "nodeName": node, "containers": [{
            "name": "c", "image": "example.test/x:1",
            "resources": { "requests": { "cpu": cpu } }
        }] }
    }))
    .unwrap();
    let api: Api<Pod> = stage.api();
    api.create(&PostParams::default(), &pod).await.unwrap();
}

#[tokio::test]
async fn f31_fixed_nodes_cap_the_pods_and_say_so_and_elastic_ones_do_not() {
    let (_server, stage) = Stage::alone("nodes").await;
    // Four cores, one of them taken: six pods of half a core. A tainted node has room for nobody.
    create_node(&stage, "small", "4").await;
    create_node(&stage, "shut", "64").await;
    let shut = json!({ "spec": { "unschedulable": true } });
    let api: Api<Node> = Api::all(stage.client.clone());
    api.patch("shut", &PatchParams::default(), &Patch::Merge(&shut))
        .await
        .unwrap();
    create_pod(&stage, "other", "small", "1").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(90.0)).await;
    let spec = json!({
        "service": { "resources": { "cpu": "500m" } },
        "scaling": { "min": 2, "max": 12, "capacityRps": 50, "nodes": "Fixed" }
    });
    stage.create_cluster("till", &prometheus.url, spec).await;
    // The rights of the manifests suffice to see the nodes.
    let operator = stage.as_installed().await.operator();
    until("the load fits, and the room is known", async || {
        let cluster = stage.cluster("till").await;
        let status = cluster.status.clone().unwrap_or_default();
        let fits = "the expected load fits within `scaling.max`";
        says(&cluster, "CapacitySufficient", "True", "CapacitySufficient")
            && status.conditions.iter().any(|one| one.message == fits)
    })
    .await;
    prometheus.say(Answer::Rps(390.0));
    let full = async || {
        says(
            &stage.cluster("till").await,
            "CapacitySufficient",
            "False",
            "NodesFull",
        )
    };
    until("full nodes are told of", full).await;
    assert_eq!(
        replicas(&stage, "till").await,
        Some(6),
        "what fits of eight"
    );
    let decision = stage.cluster("till").await.status.unwrap().decision;
    let decision = decision.unwrap();
    assert_eq!((decision.to, &*decision.reason), (6, "NodesFull"));
    let labels = DecisionLabels {
        direction: "up",
        reason: "NodesFull".to_owned(),
    };
    let counted = operator.metrics.decisions.get_or_create(&labels).get();
    assert_eq!(counted, 1, "the metric has the same reason");
    let elastic = json!({ "spec": { "scaling": { "nodes": "Elastic" } } });
    stage
        .patch::<floodgate_api::PaymentCluster>("till", elastic)
        .await;
    until("all eight are asked for", async || {
        replicas(&stage, "till").await == Some(8)
    })
    .await;
    operator.stop().await;
}
