//! The plugin on a real kube-apiserver, with the rights people have there.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod operated;
mod stage;

use stage::{EDITOR, Stage, VIEWER};

const SET: [&str; 9] = [
    "override",
    "set",
    "till",
    "--floor",
    "9",
    "--for",
    "45m",
    "--reason",
    "INC-7 bank is slow",
];

#[test]
fn an_editor_overrules_and_only_annotations_change() {
    let stage = Stage::with_till("editor");
    let before = stage.till();
    let ran = stage.plugin(EDITOR, &SET);
    assert_eq!(ran.code, 0, "{ran:?}");
    let after = stage.till();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        after["metadata"]["generation"],
        before["metadata"]["generation"]
    );
    let annotations = &after["metadata"]["annotations"];
    assert_eq!(annotations["floodgate.dev/floor-replicas"], "9");
    assert_eq!(
        annotations["floodgate.dev/override-reason"],
        "INC-7 bank is slow"
    );
    let managers = after["metadata"]["managedFields"].as_array().unwrap();
    assert!(
        managers
            .iter()
            .any(|one| one["manager"] == "kubectl-floodgate")
    );

    let listed = stage.plugin(EDITOR, &["override", "list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(
        listed.stdout.contains("floor-replicas=9"),
        "{}",
        listed.stdout
    );

    assert_eq!(stage.plugin(EDITOR, &["override", "clear", "till"]).code, 0);
    assert_eq!(
        stage.till()["metadata"]["annotations"].get("floodgate.dev/floor-replicas"),
        None
    );
}

#[test]
fn a_dry_run_is_judged_by_the_server_and_keeps_nothing() {
    let stage = Stage::with_till("dryrun");
    let dry_run = [&SET[..], &["--dry-run"]].concat();
    let ran = stage.plugin(EDITOR, &dry_run);
    assert_eq!(ran.code, 0, "{ran:?}");
    let annotations = stage.till()["metadata"]["annotations"].clone();
    assert_eq!(annotations.get("floodgate.dev/floor-replicas"), None);
    assert_eq!(stage.plugin(VIEWER, &dry_run).code, 3);
}

#[test]
fn a_viewer_sees_everything_and_is_told_which_right_is_missing() {
    let stage = Stage::with_till("viewer");
    let status = stage.plugin(VIEWER, &["status", "till"]);
    assert_eq!(status.code, 1, "{status:?}");
    assert!(
        status
            .stdout
            .contains("The operator has not looked at this cluster yet")
    );
    let ran = stage.plugin(VIEWER, &SET);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr
            .contains("with verb `patch` on `paymentclusters.floodgate.dev`"),
        "{}",
        ran.stderr
    );
    let everywhere = stage.plugin(VIEWER, &["status", "-A"]);
    assert_eq!(everywhere.code, 3, "{everywhere:?}");
    assert!(
        everywhere
            .stderr
            .contains("list paymentclusters.floodgate.dev in all namespaces")
    );
    let missing = stage.plugin(VIEWER, &["status", "tlil"]);
    assert_eq!(missing.code, 1, "{missing:?}");
}

#[test]
fn explain_finds_the_events_of_one_cluster_and_does_without_the_right_to_them() {
    let stage = Stage::with_till("events");
    for (name, about) in [("one", "till"), ("two", "kiosk")] {
        stage.create_event(name, about);
    }
    let ran = stage.plugin("", &["explain", "till"]);
    assert_eq!(ran.code, 1, "nothing is decided yet: {ran:?}");
    assert!(
        ran.stdout.contains("told of till") && !ran.stdout.contains("told of kiosk"),
        "{}",
        ran.stdout
    );
    let ran = stage.plugin(VIEWER, &["explain", "till"]);
    assert!(
        ran.stdout.contains("you may not list events"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_the_apiserver_does_not_know_in_a_file_the_plugin_does_not_know_either() {
    let stage = Stage::with_till("strict");
    let fields = [
        "metadata.nmae",
        "spec.upliftPercnt",
        "spec.phases[0].quantilPercent",
    ];
    let sale = include_str!("../plugin/fixtures/sale.yaml")
        .replace("namespace: shop", "namespace: strict, nmae: autumn")
        .replace(
            "upliftPercent: 1000",
            "upliftPercent: 1000\n  upliftPercnt: 900",
        )
        .replace("{name: evening", "{quantilPercent: 99, name: evening");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sale.yaml");
    std::fs::write(&file, sale).unwrap();
    let file = file.to_str().unwrap();
    let server = stage.kubectl_with_plugin(&["apply", "--validate=strict", "-f", file]);
    let plugin = stage.plugin(EDITOR, &["sale", "plan", "-f", file]);
    assert_eq!(plugin.code, 2, "{plugin:?}");
    for field in fields {
        let unknown = format!("unknown field \"{field}\"");
        assert!(server.stderr.contains(&unknown), "{}", server.stderr);
        let unknown = format!("`{field}` is not a field");
        assert!(plugin.stderr.contains(&unknown), "{}", plugin.stderr);
    }
    let counted = server.stderr.matches("unknown field").count();
    assert_eq!(counted, fields.len(), "{}", server.stderr);
    assert_eq!(plugin.stderr.matches("is not a field").count(), counted);
}

#[test]
fn before_floodgate_is_installed_that_is_what_is_said() {
    let ran = stage::before_the_crds();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("is Floodgate installed there?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn kubectl_runs_the_plugin_and_completes_it() {
    let stage = Stage::with_till("kubectl");
    let ran = stage.kubectl_with_plugin(&["floodgate", "status", "till", "-o", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("\"verdict\": \"Wrong\""),
        "{}",
        ran.stdout
    );
    let offered = stage.kubectl_with_plugin(&["__complete", "floodgate", "override", "s"]);
    assert!(offered.stdout.starts_with("set\t"), "{offered:?}");
}
