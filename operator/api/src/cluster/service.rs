//! `spec.service`: what runs.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The payment service: image, resources and log filter. A change here, in `backends`, in a Secret
/// they name or of `prewarm.deadlineSeconds` rolls the pods; nothing else does.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Image that speaks the control contract, for example `registry.example/payment-svc:1.4.0`.
    /// A tag or a digest; 1 to 512 characters without spaces. Changing it rolls the pods, with up to
    /// a quarter more than desired during the rollout and never fewer.
    #[schemars(length(max = 512))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[A-Za-z0-9][A-Za-z0-9._:/@-]*$')")
            .message("must be an image reference without spaces, for example `registry.example/payment-svc:1.4.0`")
    ]))]
    pub image: String,
    /// When the kubelet pulls the image: `IfNotPresent` (default), `Always` or `Never`.
    #[serde(default)]
    pub image_pull_policy: PullPolicy,
    /// CPU and memory of one pod.
    #[serde(default)]
    pub resources: Resources,
    /// Log filter of the pods in the syntax of `RUST_LOG`, for example `info,payment_svc=debug`.
    /// Default `info`; 1 to 128 characters.
    #[serde(default = "default_log_filter")]
    #[schemars(length(min = 1, max = 128))]
    pub log_filter: String,
}

fn default_log_filter() -> String {
    "info".to_owned()
}

/// When the kubelet pulls an image.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PullPolicy {
    /// Only when the node lacks it.
    #[default]
    IfNotPresent,
    /// At every start.
    Always,
    /// Never; the node must have it already.
    Never,
}

impl PullPolicy {
    /// Spelling in a pod template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

/// CPU and memory of one pod. Requests equal limits, so that no neighbour takes what a sale was
/// promised, unless `cpuRequest` asks for less.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// CPU limit of a pod in cores or millicores, for example `2` or `500m`. Default `1`.
    #[schemars(length(min = 1, max = 8))]
    #[schemars(extend("x-kubernetes-validations" = [cpu_rule()]))]
    pub cpu: String,
    /// CPU request of a pod, to overcommit nodes. Default: the same as `cpu`; not more than `cpu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    #[schemars(extend("x-kubernetes-validations" = [cpu_rule()]))]
    pub cpu_request: Option<String>,
    /// Memory request and limit of a pod, in `Mi` or `Gi`. Default `512Mi`.
    #[schemars(length(min = 3, max = 8))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[1-9][0-9]{0,5}(Mi|Gi)$')")
            .message("must be a whole number of `Mi` or `Gi`, for example `512Mi`")
    ]))]
    pub memory: String,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpu: "1".to_owned(),
            cpu_request: None,
            memory: "512Mi".to_owned(),
        }
    }
}

fn cpu_rule() -> Rule {
    Rule::new("self.matches('^([1-9][0-9]{0,5}m|[1-9][0-9]{0,2})$')")
        .message("must be whole cores or millicores, for example `2` or `500m`")
}
