//! Names, labels and selectors that several child objects of a cluster share.

use std::collections::BTreeMap;

use floodgate_api::CLUSTER_LABEL;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Key of the control Secret with the bearer token.
pub const CONTROL_TOKEN_KEY: &str = "token";

/// Name of the Secret with the control token of a cluster.
pub fn control_secret_name(cluster: &str) -> String {
    format!("{cluster}-control")
}

/// Label selector of the pods of a cluster, as `status.selector` and the scale subresource show it.
pub fn selector(cluster: &str) -> String {
    let pairs: Vec<String> = selector_labels(cluster)
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// Labels of every object and pod of a cluster.
pub fn labels(cluster: &str) -> BTreeMap<String, String> {
    let mut labels = selector_labels(cluster);
    labels.insert(
        "app.kubernetes.io/managed-by".to_owned(),
        "floodgate".to_owned(),
    );
    labels.insert(CLUSTER_LABEL.to_owned(), cluster.to_owned());
    labels
}

/// The labels a Deployment selects by; they can never change once it exists.
pub fn selector_labels(cluster: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/instance".to_owned(), cluster.to_owned()),
        (
            "app.kubernetes.io/name".to_owned(),
            "payment-svc".to_owned(),
        ),
    ])
}

/// The selector of a Deployment and of whatever picks its pods.
pub fn pod_selector(cluster: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector_labels(cluster)),
        ..LabelSelector::default()
    }
}
