//! What a cluster leaves on the machine is found while it is there and not found afterwards.
//!
//! These tests use folders of their own and leave the machine's one full cluster alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use floodgate_local::leftovers;
use floodgate_local::paths::Paths;
use floodgate_local::process::{self, Server, StopSignal};

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

#[tokio::test]
async fn a_server_is_a_leftover_until_it_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::at(folder.path().to_owned());
    let server = Server {
        name: "lingerer".into(),
        command: vec!["sleep".into(), "600".into()],
        settings: Vec::new(),
        stop_signal: StopSignal::default(),
    };
    process::ensure_running(&paths, &server).await.unwrap();
    let named = |found: &[String]| found.iter().any(|one| one.contains("(lingerer)"));
    assert!(named(&leftovers::find(&paths).await));
    process::end(&paths, "lingerer").await.unwrap();
    assert!(!named(&leftovers::find(&paths).await));
}

#[tokio::test]
async fn nested_mounts_are_leftovers_until_they_are_unmounted() {
    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path().join("run/outer");
    std::fs::create_dir_all(&outer).unwrap();
    let mount = |at: &std::path::Path| run("mount", &["-t", "tmpfs", "none", at.to_str().unwrap()]);
    mount(&outer);
    let inner = outer.join("with blank");
    std::fs::create_dir(&inner).unwrap();
    mount(&inner);
    let paths = Paths::at(folder.path().to_owned());
    let mounts = |found: Vec<String>| found.iter().filter(|one| one.starts_with("mount")).count();
    assert_eq!(mounts(leftovers::find(&paths).await), 2);
    leftovers::unmount(paths.root()).unwrap();
    assert_eq!(mounts(leftovers::find(&paths).await), 0);
}
