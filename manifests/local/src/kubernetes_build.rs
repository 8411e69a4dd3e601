//! Building the Kubernetes programs from their Go module, once.
//!
//! One program holds all of them and is reached by six names. It is built again only when the
//! module's files, the flags or the Go version change.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::command::{self, CommandError};
use crate::file::{self, FileError};
use crate::lock;
use crate::paths::{Paths, workspace};
use crate::process::{self, ProcessError, Server, StopSignal};
use crate::progress::{LINE_EVERY, Step};

/// The release of Kubernetes, as go.mod names it.
const VERSION: &str = "v1.34.4";
/// The names the one program is called by.
const NAMES: [&str; 6] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
];
/// The files whose change asks for a new build.
const INPUTS: [&str; 4] = ["go.mod", "go.sum", "main.go", "pause/main.go"];

/// The build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The Go tool could not be run or did not succeed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The compiler refused.
    #[error("go build failed: {first_error}")]
    Failed {
        /// The first line that is not the name of a compiled package.
        first_error: String,
    },
}

/// Whether the programs are there and newer than what they are made of.
pub async fn is_built(paths: &Paths) -> Result<bool, BuildError> {
    let built = fs::read_to_string(stamp(paths)).unwrap_or_default();
    let linked = NAMES.iter().all(|name| paths.program(name).exists());
    Ok(linked && paths.program("pause").exists() && built == inputs().await?)
}

/// Builds the programs unless they are up to date. Returns true if it built.
///
/// Two calls at the same time build once: the second waits for the first.
pub async fn ensure(paths: &Paths, step: &Step) -> Result<bool, BuildError> {
    let folder = paths.bin();
    let file = FileError::of("write", &folder);
    fs::create_dir_all(&folder).map_err(file)?;
    let _lock = lock::of_file(paths, "build.lock").await.map_err(file)?;
    if is_built(paths).await? {
        return Ok(false);
    }
    let inputs = inputs().await?;
    build(paths, ".", "kubernetes", step).await?;
    build(paths, "./pause", "pause", step).await?;
    for name in NAMES {
        let link = folder.join(name);
        if !link.is_symlink() {
            symlink("kubernetes", &link).map_err(file)?;
        }
    }
    fs::write(stamp(paths), inputs).map_err(file)?;
    Ok(true)
}

/// Starts `program`, which is this one, once more to build while the caller goes on.
///
/// It is recorded like a server, so that `down` ends it.
pub async fn start_in_background(paths: &Paths, program: &Path) -> Result<bool, ProcessError> {
    let server = Server {
        name: "kubernetes-build-background".to_owned(),
        command: vec![program.display().to_string(), "build-kubernetes".to_owned()],
        stop_signal: StopSignal::TerminateGroup,
        ..Server::default()
    };
    process::ensure_running(paths, &server).await
}

/// Runs the Go compiler on one package and counts what it compiles.
async fn build(paths: &Paths, package: &str, name: &str, step: &Step) -> Result<(), BuildError> {
    let stale = command::output(
        go().args(["list", "-deps", "-trimpath", "-f"])
            .args(["{{if .Stale}}{{.ImportPath}}{{end}}", package]),
    )
    .await?;
    step.set_length(stale.lines().filter(|line| !line.is_empty()).count());

    let log = paths.log("kubernetes-build");
    let file = FileError::of("write", &log);
    // Built beside and moved into place, so that a running program is never written over.
    let draft = paths.program(&format!("{name}.draft"));
    let mut child = go()
        .args([
            "build",
            "-v",
            "-trimpath",
            "-ldflags",
            &linker_flags(),
            "-o",
        ])
        .arg(&draft)
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(file)?;
    let mut output = String::new();
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        let (mut compiled, mut shown) = (0, Instant::now());
        while let Some(line) = lines.next_line().await.map_err(file)? {
            compiled += 1;
            step.set_position(compiled);
            if shown.elapsed() >= LINE_EVERY {
                shown = Instant::now();
                step.still(&format!("{compiled} packages compiled"));
            }
            output.push_str(&line);
            output.push('\n');
        }
    }
    file::write(&log, output.as_bytes())?;
    if !child.wait().await.map_err(file)?.success() {
        return Err(BuildError::Failed {
            first_error: first_error(&output),
        });
    }
    Ok(fs::rename(&draft, paths.program(name)).map_err(file)?)
}

/// The compiler prints the names of packages as it goes; an error has blanks.
fn first_error(output: &str) -> String {
    let error = output
        .lines()
        .find(|line| line.contains(' ') && !line.starts_with('#'));
    error.unwrap_or("no output").trim().to_owned()
}

fn go() -> Command {
    let mut command = Command::new("go");
    // A static program: the same file runs on the machine and, for the pause image, in a pod.
    command.current_dir(module()).env("CGO_ENABLED", "0");
    // Go keeps its caches below it, and some services and containers start programs without.
    if std::env::var_os("HOME").is_none() {
        command.env("HOME", "/root");
    }
    command
}

fn module() -> PathBuf {
    workspace().join("manifests/local/kubernetes")
}

fn linker_flags() -> String {
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion={VERSION} -X {package}.gitMajor=1 -X {package}.gitMinor=34 \
         -X {package}.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion={VERSION}"
    )
}

fn stamp(paths: &Paths) -> PathBuf {
    paths.bin().join("kubernetes.inputs")
}

/// A digest of everything that decides what the build makes.
async fn inputs() -> Result<String, BuildError> {
    let mut hash = Sha256::new();
    hash.update(linker_flags());
    hash.update(command::output(go().args(["env", "GOVERSION"])).await?);
    for input in INPUTS {
        let path = module().join(input);
        let bytes = fs::read(&path).map_err(FileError::of("read", &path))?;
        hash.update(bytes);
    }
    Ok(format!("{:x}\n", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_reported_not_the_last_line() {
        let output = "k8s.io/api/core/v1\n# floodgate.dev/kubernetes\n./main.go:3:7: undefined: x\n\thave ()\n";
        assert_eq!(first_error(output), "./main.go:3:7: undefined: x");
    }

    #[test]
    fn the_version_shown_is_the_version_built() {
        let module = fs::read_to_string(module().join("go.mod")).unwrap();
        assert!(module.contains(&format!("k8s.io/kubernetes {VERSION}")));
    }
}
