//! The apiserver all tests share, a namespace for each, and the operator in it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use floodgate_api::{PaymentCluster, SaleEvent, crds::crds};
use floodgate_local::ApiOnlyCluster;
use floodgate_operator::{
    clock::Clock,
    controllers::{Operator, operate},
    metrics::Metrics,
    readiness::Readiness,
};
use floodgate_planner::HoldCause;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Namespace, Secret},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config, Resource,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{sync::OnceCell, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::writes::{Writes, WritesLayer};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(90);

static SERVER: OnceCell<(ApiOnlyCluster, PathBuf)> = OnceCell::const_new();

/// A namespace of its own on the shared apiserver.
pub struct Stage {
    pub client: Client,
    pub config: Config,
    pub namespace: String,
}

impl Stage {
    /// A namespace with the Secrets a cluster refers to.
    pub async fn with_secrets(namespace: &str) -> Self {
        let stage = Self::empty(namespace).await;
        stage.create_backends_secret().await;
        stage
    }

    /// A namespace with nothing in it.
    pub async fn empty(namespace: &str) -> Self {
        let (_, kubeconfig) = SERVER.get_or_init(start).await;
        Self::on(config_of(kubeconfig).await, namespace).await
    }

    /// A namespace with the Secrets a cluster refers to, on an apiserver of its own, for tests of
    /// what all namespaces share.
    pub async fn alone(namespace: &str) -> (ApiOnlyCluster, Self) {
        let (server, kubeconfig) = start().await;
        let stage = Self::on(config_of(&kubeconfig).await, namespace).await;
        stage.create_backends_secret().await;
        (server, stage)
    }

    /// A namespace with nothing in it, on another apiserver.
    pub async fn on(config: Config, namespace: &str) -> Self {
        let client = Client::try_from(config.clone()).unwrap();
        let meta = ObjectMeta {
            name: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        let object = Namespace {
            metadata: meta,
            ..Namespace::default()
        };
        Api::all(client.clone())
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        Self {
            client,
            config,
            namespace: namespace.to_owned(),
        }
    }

    pub async fn create_backends_secret(&self) {
        let addresses = [
            ("pg", "postgres://payments:x@127.0.0.1:5432/payments"),
            ("redis", "redis://127.0.0.1:6379/"),
            ("nats", "nats://127.0.0.1:4222"),
        ];
        let addresses = addresses.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some("backends".to_owned()),
                ..ObjectMeta::default()
            },
            string_data: Some(addresses.into()),
            ..Secret::default()
        };
        self.api()
            .create(&PostParams::default(), &secret)
            .await
            .unwrap();
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates the smallest useful cluster, changed by `patch` (a JSON merge patch of its spec).
    pub async fn create_cluster(&self, name: &str, prometheus: &str, patch: Value) {
        let mut object = json!({
            "apiVersion": floodgate_api::API_VERSION,
            "kind": "PaymentCluster",
            "metadata": { "name": name },
            "spec": {
                "service": { "image": "example.test/payment-svc:1" },
                "backends": {
                    "shards": [{ "name": "s0", "primarySecretRef": { "name": "backends", "key": "pg" } }],
                    "cacheSecretRef": { "name": "backends", "key": "redis" },
                    "eventsSecretRef": { "name": "backends", "key": "nats" }
                },
                "traffic": { "prometheus": { "url": prometheus }, "stalenessSeconds": 5 }
            }
        });
        merge(&mut object["spec"], patch);
        let cluster: PaymentCluster = serde_json::from_value(object).unwrap();
        self.api()
            .create(&PostParams::default(), &cluster)
            .await
            .unwrap();
    }

    /// Merges a JSON patch into an object.
    pub async fn patch<K>(&self, name: &str, patch: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let api: Api<K> = self.api();
        api.patch(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }

    pub async fn cluster(&self, name: &str) -> PaymentCluster {
        self.api().get(name).await.unwrap()
    }

    pub async fn sale(&self, name: &str) -> SaleEvent {
        self.api().get(name).await.unwrap()
    }

    /// Starts an operator of this namespace whose writes are counted.
    pub fn operator(&self) -> Running {
        self.operator_with(Writes::unlimited())
    }

    /// Starts an operator whose process dies as `writes` says.
    pub fn operator_with(&self, writes: Writes) -> Running {
        floodgate_operator::telemetry::start(floodgate_operator::telemetry::LogFormat::Text);
        let stop = CancellationToken::new();
        let builder = ClientBuilder::try_from(self.config.clone()).unwrap();
        let client = builder.with_layer(&WritesLayer(writes.clone())).build();
        let metrics = Metrics::default();
        let operator = Operator {
            client,
            identity: "test".to_owned(),
            namespace: Some(self.namespace.clone()),
            clock: Clock::system(),
            metrics: metrics.clone(),
            readiness: Readiness::default(),
            started_by: HoldCause::Restart,
        };
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            operate(operator, stopping).await.unwrap();
        });
        Running {
            metrics,
            writes,
            stop,
            task: Some(task),
        }
    }
}

/// An operator that runs; it is killed when the value goes.
pub struct Running {
    pub metrics: Metrics,
    pub writes: Writes,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Waits until several passes in a row have written nothing.
    pub async fn settle(&self) {
        let settled = async {
            loop {
                let (writes, passes) = (self.writes.count(), self.metrics.reconciles.get());
                until("three more passes", async || {
                    self.metrics.reconciles.get() >= passes + 3
                })
                .await;
                if self.writes.count() == writes {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, settled)
            .await
            .expect("the operator comes to rest");
    }

    /// Stops it the way SIGTERM does.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            task.await.unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Polls until `holds`.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let polled = async {
        while !holds().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polled)
        .await
        .unwrap_or_else(|_| panic!("in time: {what}"));
}

async fn config_of(kubeconfig: &Path) -> Config {
    let read = Kubeconfig::read_from(kubeconfig).unwrap();
    Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .unwrap()
}

async fn start() -> (ApiOnlyCluster, PathBuf) {
    let server = ApiOnlyCluster::start()
        .await
        .expect("an API-only cluster starts");
    let kubeconfig = server.kubeconfig();
    let client = Client::try_from(config_of(&kubeconfig).await).unwrap();
    let api: Api<CustomResourceDefinition> = Api::all(client);
    for (_, crd) in crds() {
        api.create(&PostParams::default(), &crd).await.unwrap();
        let name = crd.metadata.name.unwrap();
        let established = kube::runtime::conditions::is_crd_established();
        let wait = kube::runtime::wait::await_condition(api.clone(), &name, established);
        tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    }
    (server, kubeconfig)
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}
