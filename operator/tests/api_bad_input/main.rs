//! What a person sees when a bad object meets a real kube-apiserver (rows B01-B24 of the bad-input
//! table), word for word in `messages.txt`. `UPDATE_GOLDEN=1` rewrites it; read the difference.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod cases;
mod server;

use std::fmt::Write as _;
use std::path::Path;

use cases::{bad_input, documents};
use server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn bad_objects_are_refused_with_a_message_a_person_can_act_on() {
    let server = Server::with_crds().await;
    let mut seen = String::new();
    for case in bad_input() {
        let outcome = server
            .kubectl(&["create", "--dry-run=server", "-f", "-"], &case.json())
            .await;
        let refusal = outcome.expect_err(case.what);
        writeln!(seen, "{} {}\n{}\n", case.row, case.what, readable(&refusal)).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api_bad_input/messages.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &seen).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == seen,
        "messages changed; UPDATE_GOLDEN=1 rewrites them\n{seen}"
    );
}

/// The text without the parts that differ from run to run or that nobody reads to the end.
fn readable(text: &str) -> String {
    let lines = text
        .trim()
        .lines()
        .map(|line| line.chars().take(400).collect::<String>());
    lines
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_accepted_and_filled_with_defaults() {
    let server = Server::with_crds().await;
    for file in [
        "minimal",
        "full",
        "sale",
        "sale-learned",
        "backends-secret",
        "migrate",
    ] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../manifests/samples/{file}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        let outcome = server
            .kubectl(
                &["create", "--dry-run=server", "-f", "-", "-o", "json"],
                &text,
            )
            .await;
        let created: serde_json::Value = serde_json::from_str(&outcome.expect(file)).unwrap();
        if file == "minimal" {
            assert_eq!(created["spec"]["scaling"]["min"], 2);
            assert_eq!(
                created["spec"]["degradation"]["survive"]["enterPercent"],
                800
            );
            assert_eq!(created["spec"]["service"]["resources"]["memory"], "512Mi");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_may_not_become_bad() {
    let server = Server::with_crds().await;
    server
        .kubectl(&["create", "-f", "-"], cases::CLUSTER)
        .await
        .expect("a valid cluster");
    let patch = |json: &'static str| {
        let server = &server;
        async move {
            server
                .kubectl(&["patch", "pay", "till", "--type=merge", "-p", json], "")
                .await
        }
    };
    // B22.
    let moved = patch(
        r#"{"spec":{"backends":{"shards":[{"name":"s9","primarySecretRef":{"name":"a","key":"b"}}]}}}"#,
    );
    let refusal = moved.await.expect_err("a renamed shard");
    assert!(
        refusal.contains("must keep the number, names and order of the shards"),
        "{refusal}"
    );
    // B01, by the scale subresource: a manual scale is a floor and has the bounds of one.
    let scaled = server
        .kubectl(&["scale", "pay", "till", "--replicas=11"], "")
        .await;
    let refusal = scaled.expect_err("a floor above max");
    assert!(
        refusal.contains("must be greater than or equal to `min`"),
        "{refusal}"
    );
    server
        .kubectl(&["scale", "pay", "till", "--replicas=6"], "")
        .await
        .expect("a floor");
    let min = server
        .kubectl(
            &["get", "pay", "till", "-o", "jsonpath={.spec.scaling.min}"],
            "",
        )
        .await;
    assert_eq!(min.as_deref(), Ok("6"));
    // A status is not written by way of the object (B30, half of it).
    patch(r#"{"status":{"loadRps":7}}"#)
        .await
        .expect("a status in a patch is dropped");
    let load = server
        .kubectl(
            &["get", "pay", "till", "-o", "jsonpath={.status.loadRps}"],
            "",
        )
        .await;
    assert_eq!(load.as_deref(), Ok(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_show_what_a_person_looks_for() {
    let server = Server::with_crds().await;
    server
        .kubectl(&["create", "-f", "-"], cases::CLUSTER)
        .await
        .expect("a cluster");
    server
        .kubectl(&["create", "-f", "-"], cases::SALE)
        .await
        .expect("a sale");
    let status = cases::STATUS;
    let patch = [
        "patch",
        "pay",
        "till",
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    ];
    server.kubectl(&patch, "").await.expect("a status");
    let table = |arguments: &'static [&'static str]| {
        let server = &server;
        async move {
            let shown = server.kubectl(arguments, "").await.expect("a table");
            shown
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        }
    };
    let lines = table(&["get", "pay"]).await;
    assert_eq!(
        lines[0],
        "NAME READY DESIRED READY PODS WARM LEVEL LOAD REASON AGE"
    );
    assert!(
        lines[1].starts_with("till False 8 6 5 Guard 412 PlanLate "),
        "{}",
        lines[1]
    );
    let lines = table(&["get", "pay", "-o", "wide"]).await;
    assert!(lines[0].ends_with("AGE MESSAGE") && lines[1].ends_with("2 pods are missing"));
    let lines = table(&["get", "sale"]).await;
    assert_eq!(lines[0], "NAME READY REASON START END PLANNED WARM AGE");
    let lines = table(&["get", "floodgate", "-o", "name"]).await;
    assert_eq!(
        lines,
        [
            "paymentcluster.floodgate.dev/till",
            "saleevent.floodgate.dev/autumn"
        ]
    );
    let lines = table(&["explain", "pay.spec.scaling.min"]).await;
    assert!(
        lines
            .iter()
            .any(|line| line.contains("what `kubectl scale` sets")),
        "{lines:?}"
    );
}

/// B03 and B23, where the optional admission policy is applied.
#[tokio::test(flavor = "multi_thread")]
async fn the_admission_policy_caps_clusters_and_guards_sales() {
    let server = Server::with_crds().await;
    server
        .kubectl(&["create", "-f", "-"], cases::CLUSTER)
        .await
        .expect("a cluster");
    let sale = cases::SALE_STATUS;
    let patch = [
        "patch",
        "pay",
        "till",
        "--subresource=status",
        "--type=merge",
        "-p",
        sale,
    ];
    server.kubectl(&patch, "").await.expect("a status");
    let policy =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/samples/admission-policy.yaml");
    server
        .kubectl(&["apply", "-f", &policy.to_string_lossy()], "")
        .await
        .expect("the policy");
    let max = |max: i32| format!(r#"{{"spec":{{"scaling":{{"max":{max}}}}}}}"#);
    let (huge, low, lower) = (max(201), max(5), max(8));
    let try_max = |json: String| {
        let server = &server;
        async move {
            let patch = [
                "patch",
                "pay",
                "till",
                "--type=merge",
                "--dry-run=server",
                "-p",
                &json,
            ];
            server.kubectl(&patch, "").await
        }
    };
    // The apiserver takes a new policy up in its own time.
    let refusal = server.until_refused(|| try_max(huge.clone())).await;
    assert!(
        refusal.contains("must be at most 200 on this cluster"),
        "{refusal}"
    );
    let refusal = server.until_refused(|| try_max(low.clone())).await;
    assert!(
        refusal.contains("must not go below the replicas planned"),
        "{refusal}"
    );
    try_max(lower).await.expect("the plan still fits");
    let delete = || async {
        server
            .kubectl(&["delete", "pay", "till", "--dry-run=server"], "")
            .await
    };
    let refusal = server.until_refused(delete).await;
    assert!(refusal.contains("delete the SaleEvent first"), "{refusal}");
}

/// Every other manifest is accepted by the apiserver as well, with no unknown field.
#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_accepted() {
    let server = Server::with_crds().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    for namespace in ["floodgate-system", "pay-backends"] {
        server
            .kubectl(&["create", "namespace", namespace], "")
            .await
            .expect("a namespace");
    }
    for folder in documents() {
        let built = server
            .kubectl(&["kustomize", &root.join(folder).to_string_lossy()], "")
            .await;
        let built = built.expect(folder);
        let apply = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
        server.kubectl(&apply, &built).await.expect(folder);
    }
}
