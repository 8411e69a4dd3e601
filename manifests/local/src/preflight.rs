//! Whether this machine can run the cluster at all.
//!
//! The checks themselves are in `preflight.sh`, because `make` asks them before any Rust is built;
//! this module asks the same script, so that there is one truth.

use std::path::Path;

use tokio::process::Command;

use crate::command::{self, CommandError};
use crate::paths::workspace;

/// Answers in one line what this machine lacks.
pub async fn check() -> Result<(), CommandError> {
    run(&workspace().join("manifests/local/preflight.sh"), None).await
}

/// Runs the script, with tools from `path` before those of the machine.
async fn run(script: &Path, path: Option<&str>) -> Result<(), CommandError> {
    let mut command = Command::new("sh");
    command.arg(script);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command::output(&mut command).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What the script says on a machine whose `tool` answers `answer`.
    async fn verdict(tool: &str, answer: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let stub = folder.path().join(tool);
        fs::write(&stub, format!("#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")).unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!(
            "{}:{}",
            folder.path().display(),
            std::env::var("PATH").unwrap()
        );
        let script = workspace().join("manifests/local/preflight.sh");
        let error = run(&script, Some(&path)).await.unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    #[tokio::test]
    async fn another_system_is_named() {
        assert!(
            verdict("uname", "Darwin")
                .await
                .contains("it runs Darwin; must be Linux")
        );
    }

    #[tokio::test]
    async fn another_user_is_named() {
        assert!(verdict("id", "1000").await.contains("must be root"));
    }

    #[tokio::test]
    async fn an_old_toolchain_is_named_with_its_version() {
        let cargo = verdict("cargo", "cargo 1.94.1 (abc 2026-01-01)").await;
        assert!(cargo.contains("cargo is 1.94.1; install Rust 1.95"));
        let go = verdict("go", "go version go1.9.7 linux/amd64").await;
        assert!(go.contains("go is 1.9.7; install Go 1.24"));
        let silent = verdict("go", "").await;
        assert!(silent.contains("go is of no known version"));
    }

    #[tokio::test]
    async fn a_full_disk_is_named_with_what_is_left() {
        let answer = "Filesystem 1M-blocks Used Available Capacity Mounted on\n/dev/x 9 8 77 99% /";
        assert!(verdict("df", answer).await.contains("77 MiB of disk free"));
    }
}
