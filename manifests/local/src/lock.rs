//! One change of the cluster at a time, whoever asks for it.

use std::fs::{self, File};
use std::io;

use crate::paths::Paths;

/// Waits until nobody else brings this cluster up or down; held until dropped.
pub async fn of_cluster(paths: &Paths) -> io::Result<File> {
    of_file(paths, "cluster.lock").await
}

/// Waits until nobody else holds the lock of this name.
pub async fn of_file(paths: &Paths, name: &str) -> io::Result<File> {
    fs::create_dir_all(paths.root())?;
    let file = File::create(paths.root().join(name))?;
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    locked.await.map_err(io::Error::other)?
}
