//! Every sample is read without loss: a misspelt field would be missing from what is written back.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

use std::path::Path;

use floodgate_api::{PaymentCluster, SaleEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Asserts that everything in `written` is in `read`, which may hold defaults besides.
fn assert_within(path: &str, written: &Value, read: &Value) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (name, value) in written {
                let path = format!("{path}.{name}");
                let read = read
                    .get(name)
                    .unwrap_or_else(|| panic!("{path} is not a field"));
                assert_within(&path, value, read);
            }
        }
        (Value::Array(written), Value::Array(read)) => {
            assert_eq!(written.len(), read.len(), "{path}");
            written
                .iter()
                .zip(read)
                .for_each(|(written, read)| assert_within(path, written, read));
        }
        _ => assert_eq!(written, read, "{path}"),
    }
}

fn check<K: DeserializeOwned + Serialize>(file: &str) -> (Value, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../manifests/samples")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let written: Value = serde_saphyr::from_str(&text).unwrap();
    let object: K = serde_json::from_value(written.clone()).unwrap();
    let read = serde_json::to_value(object).unwrap();
    assert_within(file, &written, &read);
    (read, text)
}

#[test]
fn samples_use_only_fields_that_exist() {
    check::<PaymentCluster>("full.yaml");
    check::<SaleEvent>("sale.yaml");
    check::<SaleEvent>("sale-learned.yaml");
}

#[test]
fn the_smallest_useful_cluster_is_short_and_gets_every_default() {
    let (read, text) = check::<PaymentCluster>("minimal.yaml");
    assert!(
        text.lines().count() <= 18,
        "about 15 lines, comment included"
    );
    for section in ["scaling", "forecast", "prewarm", "degradation"] {
        assert!(read["spec"][section].is_object(), "{section}");
    }
    assert_eq!(read["spec"]["traffic"]["stalenessSeconds"], 30);
}

/// The full sample shows every field of the spec; a new one has to be shown as well.
#[test]
fn the_full_sample_leaves_nothing_out() {
    let (read, text) = check::<PaymentCluster>("full.yaml");
    let written: Value = serde_saphyr::from_str(&text).unwrap();
    assert_within("defaults", &read["spec"], &written["spec"]);
}
