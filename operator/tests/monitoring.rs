//! Alerts and dashboard use metrics that exist: names are held to the constants of both crates.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use floodgate_operator::metrics::names;
use serde_json::Value;

fn manifest(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../manifests/monitoring")
        .join(file);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every text under a field of that name, anywhere below `node`.
fn texts<'a>(node: &'a Value, field: &str, found: &mut Vec<&'a str>) {
    match node {
        Value::Object(fields) => {
            for (name, child) in fields {
                match child {
                    Value::String(text) if name == field => found.push(text),
                    _ => texts(child, field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, field, found)),
        _ => {}
    }
}

/// The names of metrics in an expression; a histogram counts under its own name.
fn metrics(expression: &str) -> impl Iterator<Item = String> + '_ {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("payment_") || word.starts_with("floodgate_"))
        .map(|word| {
            let histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| word.strip_suffix(suffix));
            histogram.unwrap_or(word).to_owned()
        })
}

#[test]
fn alerts_and_panels_use_metrics_that_exist() {
    let known: BTreeSet<&str> = names::ALL
        .into_iter()
        .chain(floodgate_contract::metrics::ALL)
        .collect();
    for file in ["rules.yaml", "dashboard.json"] {
        let manifest = manifest(file);
        let mut expressions = Vec::new();
        texts(&manifest, "expr", &mut expressions);
        assert!(expressions.len() > 8, "{file} has expressions");
        for expression in expressions {
            let mut used = metrics(expression).peekable();
            assert!(
                used.peek().is_some(),
                "{file} asks for a metric of ours: {expression}"
            );
            for name in used {
                assert!(
                    known.contains(name.as_str()),
                    "{file} uses unknown `{name}`"
                );
            }
        }
    }
}

#[test]
fn every_alert_has_a_severity_a_summary_and_a_runbook() {
    let rules = manifest("rules.yaml");
    let groups = rules["spec"]["groups"].as_array().unwrap();
    let alerts: Vec<&Value> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    for alert in &alerts {
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{alert}"
        );
        for field in ["summary", "runbook"] {
            assert!(
                alert["annotations"][field]
                    .as_str()
                    .is_some_and(|text| text.len() > 20),
                "{alert}"
            );
        }
    }
    let named: BTreeSet<&str> = alerts
        .iter()
        .map(|alert| alert["alert"].as_str().unwrap())
        .collect();
    assert_eq!(named.len(), alerts.len(), "names of alerts are unique");
}

/// What fires, by the Prometheus that will evaluate the rules: a sale that is not prepared is told
/// of at the first evaluation, under the namespace and the cluster it is about.
#[test]
fn an_unprepared_sale_fires_at_once_and_names_its_cluster() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let groups = serde_json::json!({ "groups": manifest("rules.yaml")["spec"]["groups"] });
    std::fs::write(folder.join("rules.json"), groups.to_string()).unwrap();
    let series = |namespace: &str, values: &str| {
        let labels = format!(r#"{{namespace="{namespace}",cluster="till",pod="operator-0"}}"#);
        let series = format!("floodgate_unprepared_sales{labels}");
        serde_json::json!({ "series": series, "values": values })
    };
    let fired = |at: &str, namespaces: &[&str]| {
        let sample = |namespace: &&str| {
            let labels = format!(
                r#"ALERTS{{alertname="FloodgateSaleNotPrepared",alertstate="firing",cluster="till",namespace="{namespace}",severity="critical"}}"#
            );
            serde_json::json!({ "labels": labels, "value": 1 })
        };
        let samples: Vec<Value> = namespaces.iter().map(sample).collect();
        let asked = r#"ALERTS{alertname="FloodgateSaleNotPrepared"}"#;
        serde_json::json!({ "expr": asked, "eval_time": at, "exp_samples": samples })
    };
    let test = serde_json::json!({
        "rule_files": ["rules.json"],
        "evaluation_interval": "15s",
        "tests": [{
            "interval": "15s",
            "input_series": [series("shop", "0 1 1 1 0 0"), series("mall", "0 0 1 1 1 0")],
            "promql_expr_test": [
                fired("0s", &[]),
                fired("15s", &["shop"]),
                fired("30s", &["mall", "shop"]),
                fired("60s", &["mall"]),
                fired("75s", &[]),
            ],
        }],
    });
    std::fs::write(folder.join("rules_test.json"), test.to_string()).unwrap();
    let judged = Command::new("promtool")
        .args(["test", "rules", "rules_test.json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    let told = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{told}{said}");
}
