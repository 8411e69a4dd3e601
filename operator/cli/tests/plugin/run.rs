//! Runs the binary in an environment of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `kubectl-floodgate` with `args` in Shanghai, with no kubeconfig and no home.
pub fn run(args: &[&str]) -> Ran {
    run_with(args, "")
}

/// The same with something on standard input.
pub fn run_with(args: &[&str], stdin: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"))
        .args(args)
        .env_clear()
        .env("TZ", "Asia/Shanghai")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Path of a fixture.
pub fn fixture(name: &str) -> String {
    let path: PathBuf = folder().join("fixtures").join(name);
    path.to_str().unwrap().to_owned()
}

pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugin"))
}
