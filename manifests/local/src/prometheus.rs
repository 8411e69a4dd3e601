//! Prometheus: finds the pods through the apiserver, scrapes them, and keeps weeks of history.

pub mod discovery;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::addresses::{HOST, PROMETHEUS_PORT};
use crate::command::{self, CommandError};
use crate::control_plane::{self, answers};
use crate::file::{self, FileError, remove_folder, write_if_changed};
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server};

/// Opening weeks of blocks takes a second or two.
const BOUND: Duration = Duration::from_secs(90);
const NAME: &str = "prometheus";
const DISCOVERY: &str = "pod-discovery";
/// promtool reads the whole file once per block, so two weeks are made as few blocks as it allows.
const BLOCK_DURATION: &str = "720h";

/// Prometheus could not be brought up, or did not take a history.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// A file could not be written or moved.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tool failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server did not come up or did not end.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Where Prometheus answers, without a trailing slash.
pub fn url() -> String {
    format!("http://{HOST}:{PROMETHEUS_PORT}")
}

/// Lets Prometheus look for pods, starts it and waits until it answers.
pub async fn start(paths: &Paths) -> Result<(), PrometheusError> {
    control_plane::apply(paths, include_str!("prometheus/access.yaml")).await?;
    write_if_changed(&paths.config("prometheus.yaml"), config(paths).as_bytes())?;
    ensure_discovery(paths).await?;
    resume(paths).await
}

/// Starts Prometheus as it was configured before, and waits until it answers.
pub async fn resume(paths: &Paths) -> Result<(), PrometheusError> {
    process::ensure_running(paths, &server(paths)).await?;
    let ready = format!("{}/-/ready", url());
    Ok(process::wait_ready(paths, NAME, BOUND, || answers(ready.clone())).await?)
}

/// Ends Prometheus and keeps its data.
pub async fn stop(paths: &Paths) -> Result<(), PrometheusError> {
    Ok(process::end(paths, NAME).await?)
}

/// Ends Prometheus and removes all it knows, so that a history can begin anew.
pub async fn forget(paths: &Paths) -> Result<(), PrometheusError> {
    stop(paths).await?;
    Ok(remove_folder(&paths.data(NAME))?)
}

/// Adds a history, given in the OpenMetrics text format, to what Prometheus knows.
///
/// Prometheus is restarted, because it looks for new blocks only once a minute.
pub async fn backfill(paths: &Paths, openmetrics: &Path) -> Result<(), PrometheusError> {
    let blocks = paths.data("prometheus-backfill");
    let file = FileError::of("write", &blocks);
    remove_folder(&blocks)?;
    fs::create_dir_all(&blocks).map_err(file)?;
    let mut promtool = Command::new("promtool");
    promtool
        .args(["tsdb", "create-blocks-from", "--quiet"])
        .arg(format!("--max-block-duration={BLOCK_DURATION}"))
        .arg("openmetrics")
        .args([openmetrics, &blocks]);
    command::output(&mut promtool).await?;
    stop(paths).await?;
    let data = paths.data(NAME);
    fs::create_dir_all(&data).map_err(file)?;
    for block in fs::read_dir(&blocks).map_err(file)? {
        let block = block.map_err(file)?;
        fs::rename(block.path(), data.join(block.file_name())).map_err(file)?;
    }
    remove_folder(&blocks)?;
    resume(paths).await
}

fn server(paths: &Paths) -> Server {
    let config = paths.config("prometheus.yaml");
    Server {
        name: NAME.into(),
        command: vec![
            "prometheus".into(),
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", paths.data(NAME).display()),
            // Longer than any history that is backfilled, which else would be deleted at once.
            "--storage.tsdb.retention.time=60d".into(),
            format!("--web.listen-address={HOST}:{PROMETHEUS_PORT}"),
            "--web.enable-lifecycle".into(),
            "--log.level=warn".into(),
        ],
        settings: vec![config],
        ..Server::default()
    }
}

/// The program that follows the pods, run from a copy, because a build may replace the original
/// while it runs.
async fn ensure_discovery(paths: &Paths) -> Result<(), PrometheusError> {
    let copy = paths.program(DISCOVERY);
    let server = Server {
        name: DISCOVERY.into(),
        command: vec![copy.display().to_string(), "discover-pods".into()],
        settings: vec![paths.pki("ca.crt")],
        ..Server::default()
    };
    if process::is_running(paths, &server) {
        return Ok(());
    }
    let failed = FileError::of("write", &copy);
    let draft = copy.with_extension("draft");
    fs::copy(this_program().map_err(failed)?, &draft).map_err(failed)?;
    fs::rename(&draft, &copy).map_err(failed)?;
    process::ensure_running(paths, &server).await?;
    let targets = discovery::targets_file(paths);
    if !targets.exists() {
        // Until the first pod there is nothing to follow, and Prometheus warns of a missing file.
        file::write(&targets, b"[]")?;
    }
    Ok(())
}

/// This program: itself, or what cargo built beside the test that runs now.
fn this_program() -> io::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let found = running
        .ancestors()
        .map(|folder| folder.with_file_name("floodgate-local"))
        .take(2)
        .find(|program| program.is_file());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no floodgate-local built"))
}

fn config(paths: &Paths) -> String {
    let targets = discovery::targets_file(paths).display().to_string();
    include_str!("prometheus/config.yaml").replace("${TARGETS}", &targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_configuration_is_filled_in() {
        let text = config(&Paths::at("/cluster".into()));
        assert!(!text.contains("${"), "{text}");
        assert!(text.contains("/cluster/run/prometheus-targets.json"));
    }
}
