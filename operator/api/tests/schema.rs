//! What holds for every field a person may set: bounded, described, no float, no unsigned.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

use floodgate_api::{PaymentCluster, SaleEvent};
use kube::CustomResourceExt;
use serde_json::Value;

/// Visits every property below `schema` with its path.
fn visit(path: &str, schema: &Value, check: &mut impl FnMut(&str, &Value)) {
    check(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{path}.{name}"), property, check);
    }
    for (field, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[field].is_object() {
            visit(&format!("{path}{suffix}"), &schema[field], check);
        }
    }
}

fn schemas() -> Vec<(String, Value)> {
    let crds = [PaymentCluster::crd(), SaleEvent::crd()];
    let schema = |crd| {
        let crd = serde_json::to_value(crd).unwrap();
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        (
            kind,
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone(),
        )
    };
    crds.into_iter().map(schema).collect()
}

/// B24: whatever is sent, its size and the cost of the rules on it are bounded.
#[test]
fn b10_b11_b24_every_field_of_the_spec_is_bounded() {
    for (kind, schema) in schemas() {
        visit(&kind, &schema["properties"]["spec"], &mut |path, node| {
            let has = |field: &str| !node[field].is_null();
            match node["type"].as_str().unwrap() {
                "string" => assert!(has("maxLength") || has("enum"), "{path} has no maxLength"),
                "array" => {
                    assert!(has("maxItems"), "{path} has no maxItems");
                    assert!(has("x-kubernetes-list-type"), "{path} has no list type");
                }
                "integer" => assert!(has("minimum") && has("maximum"), "{path} has no range"),
                "object" => {
                    assert!(
                        has("properties") || has("maxProperties"),
                        "{path} is not bounded"
                    );
                }
                other => panic!("{path} is of type {other}"),
            }
        });
    }
}

#[test]
fn every_field_is_described_and_no_number_is_a_float_or_unsigned() {
    for (kind, schema) in schemas() {
        for part in ["spec", "status"] {
            visit(&kind, &schema["properties"][part], &mut |path, node| {
                assert!(
                    node["description"].is_string() || path.ends_with([']', '}']),
                    "{path}"
                );
                let format = node["format"].as_str().unwrap_or_default();
                assert!(
                    !format.starts_with("uint") && node["type"] != "number",
                    "{path}: {format}"
                );
            });
        }
    }
}

#[test]
fn no_status_tells_the_same_thing_twice_in_a_phase_word() {
    for (kind, schema) in schemas() {
        let status = &schema["properties"]["status"]["properties"];
        assert!(
            status["conditions"].is_object() && status["phase"].is_null(),
            "{kind}"
        );
    }
}
