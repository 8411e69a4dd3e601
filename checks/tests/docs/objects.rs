//! YAML in the documentation parses, and what it shows of our kinds is accepted field by field.

use floodgate_api::{PaymentCluster, SaleEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::pages::{Block, pages};

#[test]
fn every_object_shown_is_read_without_loss() {
    let mut wrong = Vec::new();
    for page in pages() {
        let blocks = page.blocks();
        for block in blocks
            .iter()
            .filter(|block| ["yaml", "yml"].contains(&block.language))
        {
            let faults = faults(block).into_iter();
            wrong.extend(
                faults.map(|fault| format!("{}:{}: {fault}", page.path.display(), block.line)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn faults(block: &Block) -> Vec<String> {
    match serde_saphyr::from_multiple::<Value>(&block.text) {
        Err(error) => vec![error.to_string()],
        Ok(documents) => documents.iter().flat_map(faults_of).collect(),
    }
}

fn faults_of(object: &Value) -> Vec<String> {
    match object["kind"].as_str() {
        Some("PaymentCluster") => lost::<PaymentCluster>(object),
        Some("SaleEvent") => lost::<SaleEvent>(object),
        _ => Vec::new(),
    }
}

/// What is not there any more when the object is written back.
fn lost<K: DeserializeOwned + Serialize>(written: &Value) -> Vec<String> {
    match serde_json::from_value::<K>(written.clone()) {
        Err(error) => vec![error.to_string()],
        Ok(object) => {
            let mut lost = Vec::new();
            compare(
                "",
                written,
                &serde_json::to_value(object).unwrap(),
                &mut lost,
            );
            lost
        }
    }
}

fn compare(path: &str, written: &Value, read: &Value, lost: &mut Vec<String>) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (name, value) in written {
                compare(
                    &format!("{path}.{name}"),
                    value,
                    read.get(name).unwrap_or(&Value::Null),
                    lost,
                );
            }
        }
        (Value::Array(written), Value::Array(read)) => {
            written
                .iter()
                .zip(read)
                .for_each(|(written, read)| compare(&format!("{path}[]"), written, read, lost));
        }
        _ if written == read => {}
        _ => lost.push(format!("`{path}` is not a field or not read as {written}")),
    }
}

#[test]
fn a_misspelt_field_and_broken_yaml_are_named() {
    let block = |text: &str| Block {
        language: "yaml",
        line: 1,
        text: text.to_owned(),
    };
    let sale = "kind: SaleEvent\napiVersion: floodgate.dev/v1alpha1\nmetadata: {name: a}\nspec:\n  clusterSelector: {names: [a]}\n  \
                start: \"2026-11-11T00:00:00+08:00\"\n  end: \"2026-11-11T02:00:00+08:00\"\n  upliftPercnt: 3\n  phases: []\n";
    assert_eq!(
        faults(&block(sale)),
        ["`.spec.upliftPercnt` is not a field or not read as 3"]
    );
    assert_eq!(faults(&block("a: [1")).len(), 1);
    assert_eq!(
        faults(&block("a: 1\n---\nb: {c: d}\n")),
        Vec::<String>::new()
    );
}
