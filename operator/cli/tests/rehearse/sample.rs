//! The sample that `make rehearse` ships.

use std::path::Path;

use super::{Files, Value};

#[test]
fn the_shipped_rehearsal_runs_as_recorded_and_floodgate_has_the_fewest_bad_minutes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/samples/rehearsal");
    let [cluster, sales, load] = ["cluster.yaml", "sales.yaml", "load.csv"]
        .map(|file| folder.join(file).to_str().unwrap().to_owned());
    let output = Files::new().rehearse(&[
        "-f",
        &cluster,
        "-f",
        &sales,
        "--trace",
        &load,
        "--html",
        "page.html",
        "--json",
    ]);
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["load_scale"], 1.0, "{}", answer["notes"]);
    let sales = answer["settings"]["sales"].as_array().unwrap();
    assert_eq!(sales.len(), 2);
    let verdict = &answer["verdict"];
    let minutes = |whose: &str| verdict[whose]["minutes"]["mean"].as_f64().unwrap();
    assert!(minutes("own") < minutes("best_other"), "{verdict}");
    assert_eq!(
        verdict["better_on_both"],
        serde_json::json!([]),
        "{verdict}"
    );
}
