//! Objects that cannot be read, beside ones that can.

use floodgate_api::{PaymentCluster, crds::crds};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, Config,
    api::{ApiResource, DynamicObject, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;

use crate::{
    cluster_objects::{NO_PROMETHEUS, replicas},
    conflicts::notes,
    stage::{Stage, until},
};

/// The CRDs of an apiserver of its own, without a schema: what an older version let through.
async fn without_schema() -> (floodgate_local::ApiOnlyCluster, Stage) {
    let server = floodgate_local::ApiOnlyCluster::start()
        .await
        .expect("an API-only cluster starts");
    let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    let client = Client::try_from(config.clone()).unwrap();
    let api: Api<CustomResourceDefinition> = Api::all(client);
    for (_, mut crd) in crds() {
        let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let version = crd.spec.versions.first_mut().unwrap();
        let schema = version.schema.as_mut().unwrap();
        schema.open_api_v3_schema = Some(serde_json::from_value(anything).unwrap());
        if let Some(subresources) = version.subresources.as_mut() {
            subresources.scale = None;
        }
        api.create(&PostParams::default(), &crd).await.unwrap();
        let name = crd.metadata.name.unwrap();
        let established = kube::runtime::conditions::is_crd_established();
        let wait = kube::runtime::wait::await_condition(api.clone(), &name, established);
        tokio::time::timeout(crate::stage::PATIENCE, wait)
            .await
            .unwrap()
            .unwrap();
    }
    (server, Stage::on(config, "malformed").await)
}

#[tokio::test]
async fn s12_a_malformed_object_stalls_nobody_and_says_what_is_wrong() {
    let (_server, stage) = without_schema().await;
    stage.create_backends_secret().await;
    let kind = ApiResource::erase::<PaymentCluster>(&());
    let api: Api<DynamicObject> =
        Api::namespaced_with(stage.client.clone(), &stage.namespace, &kind);
    let malformed: DynamicObject = serde_json::from_value(json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "PaymentCluster",
        "metadata": { "name": "broken" },
        "spec": { "service": 5 }
    }))
    .unwrap();
    api.create(&PostParams::default(), &malformed)
        .await
        .unwrap();
    stage.create_cluster("till", NO_PROMETHEUS, json!({})).await;
    let operator = stage.operator();
    until("the good one converges", async || {
        replicas(&stage, "till").await == Some(2)
    })
    .await;
    until("the malformed one says so", async || {
        let object = api.get("broken").await.unwrap();
        let conditions = object
            .data
            .pointer("/status/conditions")
            .cloned()
            .unwrap_or_default();
        let mut conditions = conditions
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter();
        conditions.any(|one| one["type"] == "Accepted" && one["reason"] == "Malformed")
    })
    .await;
    until("an Event says so", async || {
        !notes(&stage, "Malformed").await.is_empty()
    })
    .await;
    let passes = operator.metrics.reconciles.get();
    until("the good one goes on", async || {
        operator.metrics.reconciles.get() > passes + 5
    })
    .await;
    operator.stop().await;
}
