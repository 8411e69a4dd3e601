//! Who wrote the replicas, by the name of the field manager, and what a person wrote. Pure.

use floodgate_api::{
    FIELD_MANAGER,
    cluster::status::{OverrideStatus, PaymentClusterStatus},
};
use floodgate_words::Reason;
use jiff::Timestamp;
use k8s_openapi::{
    api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler},
    apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time},
};
use kube::ResourceExt;

/// Managers of tools that make a cluster what a repository says, by how their names begin.
const GITOPS: [&str; 7] = [
    "argocd",
    "argo-cd",
    "kustomize-controller",
    "helm",
    "flux",
    "fleet",
    "gitops",
];
/// Managers that carry out what a person just typed or clicked.
const PERSON: [&str; 7] = [
    "kubectl",
    "k9s",
    "lens",
    "freelens",
    "headlamp",
    "dashboard",
    "oc",
];

/// Name under which a count that a person wrote is shown among the overrides.
const BY_HAND: &str = "scaled-by-hand";

/// What kind of writer somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriterKind {
    Person,
    /// A tool that makes the cluster what a repository says.
    GitOps,
    /// Any other controller.
    Controller,
}

impl WriterKind {
    /// The kind of a field manager.
    pub(crate) fn of(manager: &str) -> Self {
        let name = manager.to_ascii_lowercase();
        let begins = |with: &&str| {
            name.strip_prefix(*with)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        };
        if GITOPS.iter().any(begins) {
            Self::GitOps
        } else if PERSON.iter().any(begins) {
            Self::Person
        } else {
            Self::Controller
        }
    }

    /// The reason to give.
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Person => Reason::ScaledByHand,
            Self::GitOps => Reason::GitOpsWriter,
            Self::Controller => Reason::ForeignWriter,
        }
    }
}

/// The other manager that wrote the replicas last.
pub(crate) fn manager_of_replicas(deployment: &Deployment) -> Option<String> {
    let fields = deployment.metadata.managed_fields.as_ref()?;
    let writes_replicas = |one: &&ManagedFieldsEntry| {
        one.fields_v1
            .as_ref()
            .is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    };
    fields
        .iter()
        .filter(|one| one.manager.as_deref() != Some(FIELD_MANAGER))
        .filter(writes_replicas)
        .max_by_key(|one| one.time.as_ref().map(|time| time.0))
        .and_then(|one| one.manager.clone())
}

/// An autoscaler under the name a person looks for: KEDA makes its own from a `ScaledObject`.
pub(crate) fn autoscaler_name(autoscaler: &HorizontalPodAutoscaler) -> String {
    let name = autoscaler.name_any();
    let owners = autoscaler.owner_references();
    if let Some(owner) = owners.iter().find(|owner| owner.kind == "ScaledObject") {
        return format!(
            "ScaledObject {} of KEDA (HorizontalPodAutoscaler {name})",
            owner.name
        );
    }
    let by_keda = autoscaler
        .labels()
        .get("app.kubernetes.io/managed-by")
        .is_some_and(|by| by == "keda-operator");
    if by_keda {
        format!("KEDA's HorizontalPodAutoscaler {name}")
    } else {
        format!("HorizontalPodAutoscaler {name}")
    }
}

/// A count that a person wrote while a sale was near or ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    pub replicas: u32,
    /// End of the sale.
    pub until: Timestamp,
    pub manager: String,
}

impl ByHand {
    /// Its entry among the overrides of the status, where it outlives a restart.
    pub fn shown(&self) -> OverrideStatus {
        OverrideStatus {
            name: BY_HAND.to_owned(),
            value: self.replicas.to_string(),
            until: Time(self.until),
            reason: "scaled by hand during a sale".to_owned(),
            by: Some(self.manager.chars().take(128).collect()),
        }
    }

    /// What an earlier process has shown.
    pub fn recalled(status: &PaymentClusterStatus) -> Option<Self> {
        let shown = status.overrides.iter().find(|one| one.name == BY_HAND)?;
        Some(Self {
            replicas: shown.value.parse().ok()?,
            until: shown.until.0,
            manager: shown.by.clone().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
