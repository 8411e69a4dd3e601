//! What is done to the cluster on purpose: an override, faults, and the look at T0.

use std::time::Duration;

use floodgate_contract::{CONTROL_PORT, METRICS_PATH, metrics};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::Api;
use super::observe::{self, CLUSTER, NAMESPACE, OPERATOR_NAMESPACE, SALE, is_ready};
use super::script;
use super::timeline::{Timeline, local};
use crate::Cluster;
use crate::command::CommandError;

/// A pod that does not answer with its metrics in this time is not counted as warm.
const PROBE_BOUND: Duration = Duration::from_millis(800);

/// Pods as they report themselves just before T0, independently of the operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodCounts {
    /// Pods whose Ready condition is True.
    pub ready: u32,
    /// Pods that report themselves warm.
    pub warm: u32,
}

/// Announces the sale: tenfold load from T0 to the end of the second wave.
pub async fn announce(cluster: &Cluster, timeline: &Timeline) -> Result<(), CommandError> {
    let at = |t_s: f64| local(timeline.instant(t_s));
    let hot_keys: Vec<String> = (1..=20)
        .map(|index| format!("merchant:m-{index:04}"))
        .collect();
    let sale = json!({
        "apiVersion": "floodgate.dev/v1alpha1",
        "kind": "SaleEvent",
        "metadata": { "name": SALE, "namespace": NAMESPACE },
        "spec": {
            "clusterSelector": { "names": [CLUSTER] },
            "start": at(0.0),
            "end": at(script::AFTER_S),
            "upliftPercent": 1_000,
            "hotKeys": hot_keys,
            "phases": [{ "name": "midnight", "t0": at(script::T0_S), "end": at(script::AFTER_S) }],
        },
    });
    cluster.apply(&sale.to_string()).await
}

/// The annotation of the override, as a person would type it.
pub fn override_annotation() -> String {
    format!("floodgate.dev/floor-replicas={}", script::OVERRIDE_REPLICAS)
}

/// Annotates the override so that it ends at `until`.
pub async fn annotate(cluster: &Cluster, until: Timestamp) -> Result<(), CommandError> {
    cluster
        .kubectl_output(&[
            "annotate",
            "paymentcluster",
            CLUSTER,
            "--namespace",
            NAMESPACE,
            "--overwrite",
            &override_annotation(),
            &format!("floodgate.dev/override-until={}", local(until)),
            "floodgate.dev/override-reason=rehearsing a floor before the sale",
            "floodgate.dev/override-by=sale-day",
        ])
        .await
        .map(|_| ())
}

/// Kills the operator pod that leads, and returns its name.
pub async fn kill_operator(cluster: &Cluster, api: &Api) -> Result<String, CommandError> {
    let lease = api.read_or_null(&observe::lease_path()).await;
    let holder = lease
        .pointer("/spec/holderIdentity")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let pods = api.pods(OPERATOR_NAMESPACE, "").await;
    let leading = pods
        .iter()
        .find(|pod| holder.starts_with(name(pod)))
        .or(pods.first());
    kill(
        cluster,
        OPERATOR_NAMESPACE,
        leading.map_or("floodgate-operator", name),
    )
    .await
}

/// Kills one Ready payment pod, and returns its name.
pub async fn kill_payment_pod(cluster: &Cluster, api: &Api) -> Result<String, CommandError> {
    let pods = payment_pods(api).await;
    kill(
        cluster,
        NAMESPACE,
        pods.iter().find(|pod| is_ready(pod)).map_or(CLUSTER, name),
    )
    .await
}

/// Asks every payment pod itself whether it is warm.
pub async fn count_pods(api: &Api) -> PodCounts {
    let http = reqwest::Client::builder()
        .timeout(PROBE_BOUND)
        .build()
        .unwrap_or_default();
    let mut asked = tokio::task::JoinSet::new();
    let mut ready = 0;
    for pod in payment_pods(api).await {
        ready += u32::from(is_ready(&pod));
        let Some(address) = pod.pointer("/status/podIP").and_then(Value::as_str) else {
            continue;
        };
        let url = format!("http://{address}:{CONTROL_PORT}{METRICS_PATH}");
        let http = http.clone();
        asked.spawn(async move {
            let answer = http.get(url).send().await.ok()?;
            answer.text().await.ok().map(|text| reports_warm(&text))
        });
    }
    let answers = asked.join_all().await;
    let warm = answers
        .into_iter()
        .filter(|answer| *answer == Some(true))
        .count();
    PodCounts {
        ready,
        warm: warm as u32,
    }
}

/// Whether a pod reports in its metrics that it is warm.
fn reports_warm(exposition: &str) -> bool {
    exposition.lines().any(|line| {
        let mut words = line.split_whitespace();
        let metric = words
            .next()
            .map(|word| word.split('{').next().unwrap_or(word));
        let value = words.next().and_then(|word| word.parse::<f64>().ok());
        metric == Some(metrics::WARM) && value == Some(1.0)
    })
}

async fn kill(cluster: &Cluster, namespace: &str, pod: &str) -> Result<String, CommandError> {
    cluster
        .kubectl_output(&[
            "delete",
            "pod",
            pod,
            "--namespace",
            namespace,
            "--grace-period=0",
            "--force",
            "--wait=false",
        ])
        .await?;
    Ok(pod.to_owned())
}

async fn payment_pods(api: &Api) -> Vec<Value> {
    api.pods(NAMESPACE, &format!("floodgate.dev%2Fcluster%3D{CLUSTER}"))
        .await
}

fn name(pod: &Value) -> &str {
    pod.pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::reports_warm;

    #[test]
    fn only_a_pod_that_says_one_is_warm() {
        assert!(reports_warm("# TYPE payment_warm gauge\npayment_warm 1\n"));
        assert!(reports_warm("payment_warm{shard=\"0\"} 1.0 1700000000\n"));
        assert!(!reports_warm("payment_warm 0\n"));
        assert!(!reports_warm("payment_warm_score_ratio 1\n"));
        assert!(!reports_warm("<html>"));
    }
}
