//! Who writes the replicas, and what a person's hand leaves in the status.

use serde_json::{Value, json};

use super::*;
use crate::tests::fixtures::{now, written_by};

#[test]
fn f26_f27_a_writer_is_named_for_what_it_is() {
    for (manager, kind) in [
        ("kubectl", WriterKind::Person),
        ("kubectl-client-side-apply", WriterKind::Person),
        ("k9s", WriterKind::Person),
        ("argocd-controller", WriterKind::GitOps),
        ("argocd-application-controller", WriterKind::GitOps),
        ("kustomize-controller", WriterKind::GitOps),
        ("helm", WriterKind::GitOps),
        ("Helm", WriterKind::GitOps),
        ("fluxcd", WriterKind::Controller),
        ("kube-controller-manager", WriterKind::Controller),
        ("octopus", WriterKind::Controller),
        ("keda-operator", WriterKind::Controller),
    ] {
        assert_eq!(WriterKind::of(manager), kind, "{manager}");
    }
    let live = written_by("argocd-controller", 7, 2);
    assert_eq!(
        manager_of_replicas(&live).as_deref(),
        Some("argocd-controller"),
        "the last one, and not ourselves"
    );
}

#[test]
fn f26_an_autoscaler_of_keda_is_named_by_its_scaled_object() {
    let spec =
        json!({ "maxReplicas": 9, "scaleTargetRef": { "kind": "Deployment", "name": "till" } });
    let named = |metadata: Value| {
        let object = json!({ "metadata": metadata, "spec": spec });
        autoscaler_name(&serde_json::from_value(object).unwrap())
    };
    let owner = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "till-so", "uid": "1"
    });
    let owned = named(json!({ "name": "keda-hpa-till", "ownerReferences": [owner] }));
    assert!(owned.starts_with("ScaledObject till-so of KEDA"), "{owned}");
    let labels = json!({ "app.kubernetes.io/managed-by": "keda-operator" });
    assert!(named(json!({ "name": "x", "labels": labels })).starts_with("KEDA's"));
    assert_eq!(named(json!({ "name": "x" })), "HorizontalPodAutoscaler x");
}

#[test]
fn s9_a_hand_outlives_a_restart_through_the_status() {
    let hand = ByHand {
        replicas: 9,
        until: now(),
        manager: "kubectl".to_owned(),
    };
    let status = PaymentClusterStatus {
        overrides: vec![hand.shown()],
        ..PaymentClusterStatus::default()
    };
    assert_eq!(ByHand::recalled(&status), Some(hand));
    assert_eq!(ByHand::recalled(&PaymentClusterStatus::default()), None);
}
