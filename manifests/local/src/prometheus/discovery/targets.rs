//! The scrape target of one pod.

use serde_json::{Map, Value, json};

/// The target group of a pod, or none while it has no address.
pub fn of_pod(pod: &Value) -> Option<Value> {
    let ip = pod["status"]["podIP"]
        .as_str()
        .filter(|ip| !ip.is_empty())?;
    let metadata = &pod["metadata"];
    let mut labels = Map::new();
    let mut insert = |name: &str, value: &Value| {
        if let Some(text) = value.as_str() {
            labels.insert(format!("__meta_kubernetes_{name}"), text.into());
        }
    };
    insert("namespace", &metadata["namespace"]);
    insert("pod_name", &metadata["name"]);
    insert("pod_uid", &metadata["uid"]);
    insert("pod_ip", &pod["status"]["podIP"]);
    insert("pod_phase", &pod["status"]["phase"]);
    insert("pod_node_name", &pod["spec"]["nodeName"]);
    for (field, prefix) in [("labels", "pod_label_"), ("annotations", "pod_annotation_")] {
        for (name, value) in metadata[field].as_object().into_iter().flatten() {
            insert(&format!("{prefix}{}", label_name(name)), value);
        }
    }
    Some(json!({ "targets": [ip], "labels": labels }))
}

/// A name Prometheus accepts, made the way its own discovery makes it.
fn label_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_annotations_are_named_as_kubernetes_discovery_names_them() {
        let pod = json!({
            "metadata": {
                "namespace": "pay",
                "name": "checkout-1",
                "labels": { "floodgate.dev/cluster": "checkout" },
                "annotations": { "prometheus.io/port": "9901" },
            },
            "status": { "podIP": "198.18.0.7", "phase": "Running" },
        });
        let target = of_pod(&pod).unwrap();
        assert_eq!(target["targets"][0], "198.18.0.7");
        let labels = &target["labels"];
        assert_eq!(
            labels["__meta_kubernetes_pod_label_floodgate_dev_cluster"],
            "checkout"
        );
        assert_eq!(
            labels["__meta_kubernetes_pod_annotation_prometheus_io_port"],
            "9901"
        );
    }
}
