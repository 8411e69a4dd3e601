use std::path::Path;

use floodgate_api::annotation::REPLICAS_BEFORE_OVERRIDE;
use kube::ResourceExt;
use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::validate::{Address, tests::valid_cluster};

fn built(replicas: i32, control_token: &str) -> Resources<Prepared> {
    build(
        &valid_cluster(),
        &BuildInput {
            replicas,
            before_override: None,
            control_token,
        },
    )
}

/// Compares with the file of that name under `tests/golden`; `UPDATE_GOLDEN=1` rewrites it.
fn golden<K: Serialize>(name: &str, object: &K) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/build/tests")
        .join(name);
    let built = serde_saphyr::to_string(object).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &built).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == built,
        "{} differs; UPDATE_GOLDEN=1 rewrites it\n{built}",
        path.display()
    );
}

#[test]
fn manifests_are_as_committed() {
    let Resources {
        control_secret,
        service,
        network_policy,
        pod_disruption_budget,
        deployment,
        stage: PhantomData,
    } = built(7, "s3cret");
    golden("secret.yaml", &control_secret);
    golden("service.yaml", &service);
    golden("network-policy.yaml", &network_policy);
    golden("pod-disruption-budget.yaml", &pod_disruption_budget);
    golden("deployment.yaml", &deployment);
}

#[test]
fn every_object_carries_the_labels_and_is_owned_by_the_cluster() {
    let resources = built(2, "t");
    let objects = [
        serde_json::to_value(&resources.control_secret).unwrap(),
        serde_json::to_value(&resources.service).unwrap(),
        serde_json::to_value(&resources.network_policy).unwrap(),
        serde_json::to_value(&resources.pod_disruption_budget).unwrap(),
        serde_json::to_value(&resources.deployment).unwrap(),
    ];
    for object in objects {
        assert_eq!(
            object.pointer("/metadata/namespace"),
            Some(&Value::from("shop"))
        );
        assert_eq!(
            object.pointer("/metadata/ownerReferences/0/name"),
            Some(&Value::from("till"))
        );
        assert_eq!(
            object.pointer("/metadata/ownerReferences/0/controller"),
            Some(&true.into())
        );
        let labels = object.pointer("/metadata/labels").unwrap();
        assert_eq!(labels["floodgate.dev/cluster"], "till");
        assert_eq!(labels["app.kubernetes.io/managed-by"], "floodgate");
    }
}

fn template(resources: &Resources<Prepared>) -> Value {
    serde_json::to_value(&resources.deployment.spec.template).unwrap()
}

#[test]
fn another_count_changes_replicas_and_nothing_else() {
    let (few, many) = (built(3, "t"), built(20, "t"));
    assert_eq!(many.deployment.spec.replicas, Some(20));
    assert_eq!(
        template(&few),
        template(&many),
        "a scale step must not roll the pods"
    );
}

#[test]
fn a_changed_address_rolls_the_pods_and_a_changed_plan_does_not() {
    let input = BuildInput {
        before_override: None,
        replicas: 3,
        control_token: "t",
    };
    let moved = BuildInput {
        before_override: Some(2),
        ..input.clone()
    };
    let before = valid_cluster();
    let noted = build(&before, &moved);
    assert_eq!(template(&build(&before, &input)), template(&noted));
    assert_eq!(
        noted.deployment.annotations()[REPLICAS_BEFORE_OVERRIDE],
        "2"
    );
    let mut after = before.clone();
    after.scaling.capacity_rps = 1.0;
    after.traffic.url = "http://elsewhere".to_owned();
    assert_eq!(
        template(&build(&before, &input)),
        template(&build(&after, &input))
    );
    after.backends.addresses[0] = Address::new("postgres://till:new@10.0.0.5/till");
    assert_ne!(
        template(&build(&before, &input)),
        template(&build(&after, &input))
    );
}

/// Pod Security Standard "restricted".
#[test]
fn pods_are_restricted_and_hold_no_secret_in_the_open() {
    let template = template(&built(1, "s3cret"));
    let pod = &template["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    assert_eq!(
        container["securityContext"]["allowPrivilegeEscalation"],
        false
    );
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(
        container["securityContext"]["capabilities"]["drop"][0],
        "ALL"
    );
    let text = template.to_string();
    assert!(
        !text.contains("pw-zero") && !text.contains("s3cret"),
        "{text}"
    );
}

#[test]
fn the_selector_in_the_status_is_the_one_of_the_deployment() {
    assert_eq!(
        selector("till"),
        "app.kubernetes.io/instance=till,app.kubernetes.io/name=payment-svc"
    );
}
