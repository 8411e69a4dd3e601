//! Every CEL rule of the schema with a case it accepts and a case it rejects.
//!
//! The last test holds the tables complete: a rule whose message no reject case produced fails it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod cases;

use std::collections::BTreeSet;

use cases::{CLUSTER, Case, SALE, cluster_cases, sale_cases};
use floodgate_api::{PaymentCluster, SaleEvent};
use kube::CustomResourceExt;
use kube::core::cel::{validate_cel, validate_cel_update};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The base object with `value` set at each JSON pointer; `null` removes the field.
fn with<K: DeserializeOwned>(base: &str, changes: &[(&str, Value)]) -> K {
    let mut object: Value = serde_saphyr::from_str(base).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = object
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("no parent: {pointer}"));
        match parent {
            Value::Array(items) => items[field.parse::<usize>().unwrap()] = value.clone(),
            Value::Object(fields) if value.is_null() => drop(fields.remove(field)),
            Value::Object(fields) => drop(fields.insert(field.to_owned(), value.clone())),
            _ => panic!("{pointer} leads into a scalar"),
        }
    }
    serde_json::from_value(object).unwrap()
}

fn messages<K: CustomResourceExt + Serialize>(object: &K) -> Vec<String> {
    match validate_cel(object) {
        Ok(()) => Vec::new(),
        Err(errors) => errors
            .into_vec()
            .into_iter()
            .map(|error| error.message)
            .collect(),
    }
}

fn check<K: CustomResourceExt + Serialize + DeserializeOwned>(base: &str, cases: &[Case]) {
    for case in cases {
        let accepted = messages(&with::<K>(base, &case.accept));
        assert_eq!(accepted, Vec::<String>::new(), "accepts: {}", case.message);
        let rejected = messages(&with::<K>(base, &case.reject));
        assert!(
            rejected.iter().any(|message| message == case.message),
            "rejects {:?} with `{}`, got {rejected:?}",
            case.reject,
            case.message
        );
    }
}

#[test]
fn rules_of_payment_clusters_accept_and_reject() {
    assert_eq!(
        messages(&with::<PaymentCluster>(CLUSTER, &[])),
        Vec::<String>::new()
    );
    check::<PaymentCluster>(CLUSTER, &cluster_cases());
}

#[test]
fn b12_b13_b14_rules_of_sales_accept_and_reject() {
    assert_eq!(
        messages(&with::<SaleEvent>(SALE, &[])),
        Vec::<String>::new()
    );
    check::<SaleEvent>(SALE, &sale_cases());
}

/// B22.
#[test]
fn b22_shards_keep_number_names_and_order() {
    let before: PaymentCluster = with(CLUSTER, &[]);
    let mut moved = before.clone();
    moved.spec.backends.shards[0].primary_secret_ref.key = "elsewhere".to_owned();
    assert!(
        validate_cel_update(&moved, &before).is_ok(),
        "an address may change"
    );
    let shards = &before.spec.backends.shards;
    let mut renamed = shards.clone();
    renamed[1].name = "s9".to_owned();
    let reversed = shards.iter().rev().cloned().collect();
    for shards in [renamed, reversed, shards[..1].to_vec()] {
        let mut after = before.clone();
        after.spec.backends.shards = shards;
        let errors = validate_cel_update(&after, &before).unwrap_err();
        assert_eq!(errors.into_vec()[0].message, cases::SHARDS_MOVED);
    }
}

#[test]
fn every_rule_of_the_schema_has_a_case() {
    let mut covered: BTreeSet<&str> = BTreeSet::from([cases::SHARDS_MOVED]);
    let (clusters, sales) = (cluster_cases(), sale_cases());
    covered.extend(clusters.iter().chain(&sales).map(|case| case.message));
    for crd in [PaymentCluster::crd(), SaleEvent::crd()] {
        let crd = serde_json::to_value(crd).unwrap();
        let mut rules = Vec::new();
        collect_rules(&crd, &mut rules);
        assert!(!rules.is_empty());
        for rule in rules {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(message.contains("must "), "says what must be: {rule}");
            assert!(covered.contains(message), "no case for: {rule}");
        }
    }
}

fn collect_rules(node: &Value, rules: &mut Vec<Value>) {
    match node {
        Value::Object(fields) => {
            for (name, child) in fields {
                match child {
                    Value::Array(items) if name == "x-kubernetes-validations" => {
                        rules.extend(items.iter().cloned());
                    }
                    _ => collect_rules(child, rules),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_rules(item, rules)),
        _ => {}
    }
}
