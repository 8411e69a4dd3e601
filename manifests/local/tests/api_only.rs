//! An API-only cluster: real, quick, and gone when it is dropped.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::{Duration, Instant};

use floodgate_local::ApiOnlyCluster;

/// Alone on two cores it takes three seconds; five is promised, and a test run compiles and tests
/// beside it, so the bound of the test is wider.
const START_BOUND: Duration = Duration::from_secs(30);

fn kubectl(cluster: &ApiOnlyCluster, arguments: &[&str]) -> String {
    let output = Command::new(cluster.kubectl())
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The command lines of all processes that name this folder.
fn processes_naming(folder: &str) -> Vec<String> {
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

#[tokio::test]
async fn it_answers_soon_and_leaves_nothing_when_dropped() {
    let begin = Instant::now();
    let cluster = ApiOnlyCluster::start().await.unwrap();
    assert!(begin.elapsed() < START_BOUND, "took {:?}", begin.elapsed());
    println!("ready after {:?}", begin.elapsed());

    let namespaces = kubectl(&cluster, &["get", "namespaces", "--output", "name"]);
    assert!(namespaces.contains("namespace/default"), "{namespaces}");

    let folder = cluster.kubeconfig().ancestors().nth(2).unwrap().to_owned();
    let name = folder.display().to_string();
    assert_eq!(processes_naming(&name).len(), 2);
    drop(cluster);
    assert_eq!(processes_naming(&name), Vec::<String>::new());
    assert!(!folder.exists());
}

#[tokio::test]
async fn two_clusters_do_not_know_each_other() {
    let (one, other) = tokio::join!(ApiOnlyCluster::start(), ApiOnlyCluster::start());
    let (one, other) = (one.unwrap(), other.unwrap());
    kubectl(&one, &["create", "namespace", "only-here"]);
    assert!(kubectl(&one, &["get", "namespaces"]).contains("only-here"));
    assert!(!kubectl(&other, &["get", "namespaces"]).contains("only-here"));
}
