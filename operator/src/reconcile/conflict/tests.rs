//! Who writes the replicas, how often that is put back, and what a person's hand means in a sale.

use floodgate_api::PaymentClusterStatus;
use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> Timestamp {
    let start: Timestamp = "2026-11-10T15:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(second)
}

fn deployment(replicas: i32, generation: i64, manager: &str) -> Deployment {
    let entry = |manager: &str, time: &str| {
        json!({
            "manager": manager, "operation": "Update", "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1", "time": time,
            "fieldsV1": { "f:spec": { "f:replicas": {} } }
        })
    };
    serde_json::from_value(json!({
        "metadata": {
            "name": "till", "generation": generation,
            "managedFields": [
                entry("an-older-one", "2026-11-10T14:00:00Z"),
                entry(manager, "2026-11-10T15:00:00Z"),
                entry(floodgate_api::FIELD_MANAGER, "2026-11-10T15:01:00Z"),
            ]
        },
        "spec": { "replicas": replicas, "selector": {}, "template": {} }
    }))
    .unwrap()
}

/// A cell whose process ordered five pods.
fn ordered() -> Cell {
    let cell = Cell::default();
    cell.with_remembered(|remembered| {
        let ours = deployment(5, 1, "an-older-one");
        remembered.deployment = Some(std::sync::Arc::new(ours));
    });
    cell
}

/// What one pass makes of a Deployment that `manager` wrote.
fn noted(cell: &Cell, second: i64, live: Deployment, sales: Vec<Value>) -> Option<ByHand> {
    let observed = Observed {
        now: at(second),
        deployment: Some(std::sync::Arc::new(live)),
        sales: sales
            .into_iter()
            .map(|sale| std::sync::Arc::new(serde_json::from_value(sale).unwrap()))
            .collect(),
        ..crate::plan::tests::observed(5, json!({}))
    };
    note_writes(cell, &observed)
}

fn sale() -> Value {
    json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": "midnight", "namespace": "shop" },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": "2026-11-10T15:30:00Z", "end": "2026-11-10T17:00:00Z",
            "phases": [{ "name": "rush", "t0": "2026-11-10T16:00:00Z" }],
            "upliftPercent": 1000
        }
    })
}

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
    let live = deployment(7, 2, "argocd-controller");
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
fn f26_what_an_autoscaler_wrote_is_no_fight_once_it_is_gone() {
    let cell = ordered();
    noted(
        &cell,
        0,
        deployment(7, 2, "kube-controller-manager"),
        vec![],
    );
    noted(&cell, 1, deployment(6, 3, "argocd-controller"), vec![]);
    cell.with_remembered(|remembered| {
        let foreign = &mut remembered.foreign;
        foreign.forget_controllers();
        assert_eq!(foreign.recent(at(2)), Some("argocd-controller"));
        assert_eq!(
            foreign.writes.len(),
            1,
            "the autoscaler's write is forgotten"
        );
    });
}

#[test]
fn f27_a_fight_is_put_back_ever_less_often_and_at_least_each_minute() {
    let mut foreign = ForeignWrites::default();
    let mut pauses = Vec::new();
    for write in 0..12 {
        foreign.note(at(write), Some(write), "argocd-controller".to_owned());
        let pause = foreign
            .left_until()
            .map_or(0.0, |until| seconds_between(at(write), until));
        pauses.push(pause as i64);
    }
    assert_eq!(pauses, [0, 0, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60]);
    foreign.recent(at(1_000));
    assert_eq!(foreign.left_until(), None, "peace is kept by forgetting");
}

#[test]
fn f28_what_a_person_scales_to_in_a_sale_is_a_floor_until_it_ends() {
    let cell = ordered();
    let hand = noted(&cell, 1_800, deployment(9, 2, "kubectl"), vec![sale()]).unwrap();
    assert_eq!(
        (hand.replicas, hand.until),
        (9, "2026-11-10T17:00:00Z".parse().unwrap())
    );
    // It stays while the sale runs, whatever is put back, and ends with it.
    let ours = || deployment(9, 3, "kubectl");
    assert_eq!(noted(&cell, 3_600, ours(), vec![sale()]), Some(hand));
    assert_eq!(noted(&cell, 7_200, ours(), vec![sale()]), None);
}

#[test]
fn outside_a_sale_or_by_a_tool_a_count_is_no_floor() {
    let far = || noted(&ordered(), 1_800, deployment(9, 2, "kubectl"), vec![]);
    assert_eq!(far(), None);
    let tool = deployment(9, 2, "argocd-controller");
    assert_eq!(noted(&ordered(), 1_800, tool, vec![sale()]), None);
}

#[test]
fn s9_a_hand_outlives_a_restart_through_the_status() {
    let hand = ByHand {
        replicas: 9,
        until: at(7_200),
        manager: "kubectl".to_owned(),
    };
    let status = PaymentClusterStatus {
        overrides: vec![hand.shown()],
        ..PaymentClusterStatus::default()
    };
    assert_eq!(ByHand::recalled(&status), Some(hand));
    assert_eq!(ByHand::recalled(&PaymentClusterStatus::default()), None);
}
