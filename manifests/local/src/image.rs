//! Container images without a container tool: a program, the libraries it links, and nothing of a
//! distribution.
//!
//! Invariant: the same files make the same archive byte for byte, so an unchanged program is not
//! imported twice.

mod archive;
mod error;
mod files;

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::command::{self, CommandError};
use crate::paths::Paths;
pub use error::ImageError;

/// Makes an image of the programs and loads it into the cluster's image store.
///
/// The first program is the entry point; each lies at the root of the image under its own name.
pub async fn load(paths: &Paths, reference: &str, programs: &[PathBuf]) -> Result<(), ImageError> {
    let archive = build(reference, programs).await?;
    let digest = format!("{:x}\n", Sha256::digest(&archive));
    let name = reference.replace(['/', ':'], "_");
    let stamp = paths.data("images").join(format!("{name}.sha256"));
    let unchanged = std::fs::read_to_string(&stamp).is_ok_and(|before| before == digest);
    if unchanged && is_loaded(paths, reference).await? {
        return Ok(());
    }
    let file = paths.data("images").join(format!("{name}.tar"));
    std::fs::create_dir_all(paths.data("images"))?;
    std::fs::write(&file, archive)?;
    command::output(
        ctr(paths)
            .args(["images", "import", "--no-unpack=false"])
            .arg(&file),
    )
    .await?;
    std::fs::remove_file(&file)?;
    std::fs::write(&stamp, digest)?;
    Ok(())
}

/// Whether an image of this name is in the cluster's image store.
pub async fn is_loaded(paths: &Paths, reference: &str) -> Result<bool, CommandError> {
    let names = command::output(ctr(paths).args(["images", "list", "--quiet"])).await?;
    Ok(names.lines().any(|name| name == reference))
}

/// containerd's own client, on this cluster's socket and in the namespace of Kubernetes.
pub fn ctr(paths: &Paths) -> Command {
    let mut command = Command::new("ctr");
    command
        .arg("--address")
        .arg(paths.containerd_socket())
        .args(["--namespace", "k8s.io"]);
    command
}

/// The bytes of an image archive in the layout of `docker save`.
pub async fn build(reference: &str, programs: &[PathBuf]) -> Result<Vec<u8>, ImageError> {
    let first = programs.first().ok_or(ImageError::Empty)?;
    let entry_point = format!("/{}", files::file_name(first));
    let layer = archive::layer(&files::of_programs(programs).await?)?;
    Ok(archive::image(reference, &entry_point, &layer)?)
}
