//! The stage the cluster tests play on: one cluster, one operator, one PaymentCluster `checkout`.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use floodgate_contract::{CONTROL_PORT, ControlStatus, STATUS_PATH};
use floodgate_local::sale_day::{api::Api, curve::Curve, deploy, observe};
use floodgate_local::{Cluster, wait};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Bound of a wait: many times what it takes on an idle machine.
pub const WAIT: Duration = Duration::from_secs(120);

/// A second to come.
pub fn ahead(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(seconds)
}

static SET: OnceCell<()> = OnceCell::const_new();

/// The stage.
pub struct Stage {
    /// The cluster of this machine.
    pub cluster: Cluster,
    api: Api,
    http: reqwest::Client,
}

/// A payment pod.
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its address, once it has one.
    pub address: Option<String>,
    /// Whether its Ready condition is True.
    pub ready: bool,
}

impl Stage {
    /// Sets the stage once a run, then hands out views of it.
    pub async fn set() -> Self {
        let cluster = Cluster::on_this_machine();
        let api = Api::connect(&cluster)
            .await
            .expect("kubectl proxy; is the cluster up?");
        SET.get_or_init(|| async {
            let out = tempfile::tempdir().expect("a folder");
            let curve = Curve::synthetic(Timestamp::now().as_second(), 0, 7);
            let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/image");
            deploy::clear(&cluster).await.expect("an empty stage");
            deploy::backfill(&cluster, &curve, out.path())
                .await
                .expect("history");
            deploy::operator(&cluster, &api)
                .await
                .expect("the operator");
            deploy::ledger(&cluster, &programs)
                .await
                .expect("the ledger");
            deploy::checkout(&cluster, &api)
                .await
                .expect("the PaymentCluster");
        })
        .await;
        Self {
            cluster,
            api,
            http: reqwest::Client::new(),
        }
    }

    /// Waits on a condition; fails with its name and what the PaymentCluster says.
    pub async fn eventually<F, Fut>(&self, what: &str, bound: Duration, probe: F)
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = bool>,
    {
        if let Err(timed_out) = wait::until(what, bound, probe).await {
            let object = self.object().await;
            panic!("{timed_out}\n{:#}", object["status"]);
        }
    }

    /// No sale, no override, base replicas, everything Ready.
    pub async fn quiet(&self) {
        for others in ["saleevents", "horizontalpodautoscalers"] {
            self.kubectl(&["delete", others, "--all", "--namespace", "pay"])
                .await;
        }
        self.patch_cluster(&json!({ "spec": { "scaling": { "mode": "Enforce" } } }))
            .await;
        let object = self.object().await;
        let annotations = object
            .pointer("/metadata/annotations")
            .and_then(Value::as_object);
        let ours: Vec<String> = annotations
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("floodgate.dev/"))
            .map(|(name, _)| format!("{name}-"))
            .collect();
        if !ours.is_empty() {
            let mut arguments = vec![
                "annotate",
                "paymentcluster",
                "checkout",
                "--namespace",
                "pay",
            ];
            arguments.extend(ours.iter().map(String::as_str));
            self.kubectl(&arguments).await;
        }
        self.eventually("a quiet cluster", WAIT, || async {
            let replicas = self.replicas().await;
            let ready = self.pods().await.iter().filter(|pod| pod.ready).count();
            replicas.is_some_and(|replicas| replicas <= 3 && replicas == ready)
                && self.condition("Overridden").await.as_deref() == Some("False")
                && self.condition("Ready").await.as_deref() == Some("True")
        })
        .await;
    }

    /// The PaymentCluster.
    pub async fn object(&self) -> Value {
        self.api.read_or_null(&observe::cluster_path()).await
    }

    /// Status of one of its conditions.
    pub async fn condition(&self, kind: &str) -> Option<String> {
        observe::condition(&self.object().await, kind)
    }

    /// When a condition last changed its status.
    pub async fn transition(&self, kind: &str) -> Option<Timestamp> {
        let object = self.object().await;
        let conditions = object.pointer("/status/conditions")?.as_array()?;
        let found = conditions
            .iter()
            .find(|condition| condition["type"] == kind)?;
        found["lastTransitionTime"].as_str()?.parse().ok()
    }

    /// Status, reason and message of a condition of another PaymentCluster.
    pub async fn condition_of(&self, name: &str, kind: &str) -> Option<(String, String, String)> {
        let path = format!("/apis/floodgate.dev/v1alpha1/namespaces/pay/paymentclusters/{name}");
        let object = self.api.read_or_null(&path).await;
        let conditions = object.pointer("/status/conditions")?.as_array()?;
        let found = conditions
            .iter()
            .find(|condition| condition["type"] == kind)?;
        let part = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        Some((part("status"), part("reason"), part("message")))
    }

    /// `spec.replicas` of the Deployment.
    pub async fn replicas(&self) -> Option<usize> {
        let deployment = self.api.read_or_null(&observe::deployment_path()).await;
        deployment
            .pointer("/spec/replicas")?
            .as_u64()?
            .try_into()
            .ok()
    }

    /// Replicas the status of a sale plans.
    pub async fn sale_planned(&self, name: &str) -> Option<usize> {
        let path = format!("/apis/floodgate.dev/v1alpha1/namespaces/pay/saleevents/{name}");
        let sale = self.api.read_or_null(&path).await;
        sale.pointer("/status/plannedReplicas")?
            .as_u64()?
            .try_into()
            .ok()
    }

    /// Payment pods that are not being deleted.
    pub async fn pods(&self) -> Vec<Pod> {
        let path = "/api/v1/namespaces/pay/pods?labelSelector=floodgate.dev%2Fcluster%3Dcheckout";
        let list = self.api.read_or_null(path).await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none())
            .map(|pod| Pod {
                name: pod["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                address: pod["status"]["podIP"].as_str().map(str::to_owned),
                ready: observe::condition(pod, "Ready").as_deref() == Some("True"),
            })
            .collect()
    }

    /// A pod's own word, asked on its control port with the operator's token.
    pub async fn status_of(&self, pod: &Pod) -> Option<ControlStatus> {
        let address = pod.address.as_deref()?;
        let token = self
            .cluster
            .kubectl_output(&[
                "get",
                "secret",
                "checkout-control",
                "--namespace",
                "pay",
                "--output=go-template={{.data.token | base64decode}}",
            ])
            .await
            .ok()?;
        let url = format!("http://{address}:{CONTROL_PORT}{STATUS_PATH}");
        let request = self
            .http
            .get(url)
            .bearer_auth(token.trim())
            .timeout(Duration::from_secs(2));
        request.send().await.ok()?.json().await.ok()
    }

    /// The word of every Ready pod; empty unless all of them answered.
    pub async fn statuses(&self) -> Vec<ControlStatus> {
        let mut statuses = Vec::new();
        for pod in self.pods().await.iter().filter(|pod| pod.ready) {
            match self.status_of(pod).await {
                Some(status) => statuses.push(status),
                None => return Vec::new(),
            }
        }
        statuses
    }

    /// Sets or removes annotations under our prefix.
    pub async fn annotate(&self, annotations: &[(&str, Option<&str>)]) {
        let words: Vec<String> = annotations
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("floodgate.dev/{name}={value}"),
                None => format!("floodgate.dev/{name}-"),
            })
            .collect();
        let mut arguments = vec![
            "annotate",
            "--overwrite",
            "paymentcluster",
            "checkout",
            "--namespace",
            "pay",
        ];
        arguments.extend(words.iter().map(String::as_str));
        self.kubectl(&arguments).await;
    }

    /// The uplift, percent, that lifts what is forecast now to `rps`: nothing is sent to the stage, so
    /// the forecast falls from what its history says the longer the tests take.
    pub async fn uplift_to(&self, rps: u32) -> u32 {
        let object = self.object().await;
        let upper_rps = object.pointer("/status/forecast/upperRps");
        let upper_rps = upper_rps.and_then(Value::as_u64).unwrap_or(0).max(1);
        let percent = u64::from(rps) * 100 / upper_rps;
        u32::try_from(percent)
            .unwrap_or(100_000)
            .clamp(200, 100_000)
    }

    /// Announces a sale with one phase.
    pub async fn apply_sale(&self, name: &str, t0: Timestamp, end: Timestamp, uplift_percent: u32) {
        let sale = json!({
            "apiVersion": "floodgate.dev/v1alpha1",
            "kind": "SaleEvent",
            "metadata": { "name": name, "namespace": "pay" },
            "spec": {
                "clusterSelector": { "names": ["checkout"] },
                "start": t0.to_string(),
                "end": end.to_string(),
                "upliftPercent": uplift_percent,
                "phases": [{ "name": "t0", "t0": t0.to_string() }],
            },
        });
        self.cluster
            .apply(&sale.to_string())
            .await
            .expect("the sale is accepted");
    }

    /// Withdraws a sale.
    pub async fn delete_sale(&self, name: &str) {
        self.kubectl(&["delete", "saleevent", name, "--namespace", "pay"])
            .await;
    }

    /// A sale, as the API has it.
    pub async fn sale(&self, name: &str) -> Value {
        let path = format!("/apis/floodgate.dev/v1alpha1/namespaces/pay/saleevents/{name}");
        self.api.read_or_null(&path).await
    }

    /// Edits a sale.
    pub async fn patch_sale(&self, name: &str, patch: &Value) {
        self.patch("saleevent", name, patch).await;
    }

    /// Edits the PaymentCluster.
    pub async fn patch_cluster(&self, patch: &Value) {
        self.patch("paymentcluster", "checkout", patch).await;
    }

    async fn patch(&self, kind: &str, name: &str, patch: &Value) {
        let patch = patch.to_string();
        let target = ["patch", kind, name, "--namespace", "pay", "--type=merge"];
        self.kubectl(&[target.as_slice(), &["--patch", &patch]].concat())
            .await;
    }

    /// How often the spec of the Deployment was written.
    pub async fn deployment_generation(&self) -> Option<u64> {
        let deployment = self.api.read_or_null(&observe::deployment_path()).await;
        deployment.pointer("/metadata/generation")?.as_u64()
    }

    /// Sets the operator's replicas and waits until that many run.
    pub async fn scale_operator(&self, replicas: u64) {
        let count = format!("--replicas={replicas}");
        self.kubectl(&[
            "scale",
            "deployment/floodgate-operator",
            "--namespace",
            observe::OPERATOR_NAMESPACE,
            &count,
        ])
        .await;
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/floodgate-operator",
            observe::OPERATOR_NAMESPACE
        );
        self.eventually("the operator's replicas", WAIT, || async {
            let deployment = self.api.read_or_null(&path).await;
            let ready = deployment["status"]["readyReplicas"].as_u64().unwrap_or(0);
            let all = deployment["status"]["replicas"].as_u64().unwrap_or(0);
            ready == replicas && all == replicas
        })
        .await;
    }

    /// Runs kubectl; fails with what it said.
    pub async fn kubectl(&self, arguments: &[&str]) -> String {
        match self.cluster.kubectl_output(arguments).await {
            Ok(output) => output,
            Err(error) => panic!("kubectl {arguments:?}: {error}"),
        }
    }
}
