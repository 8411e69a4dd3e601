//! The data folders: an empty one for a primary, a copy of a primary for a replica.
//!
//! Invariant: a folder without its mark of completion is thrown away and made again.

use std::fs;
use std::path::PathBuf;

use tokio::process::Command;

use super::error::PostgresError;
use super::tools::{self, DATABASE, INSIDE};
use super::{primary_name, url};
use crate::addresses::{POD_RANGE, SHARD_PORTS};
use crate::command;
use crate::paths::Paths;

/// Makes an empty primary. Does not wait for the disk: an unfinished one is made again.
pub async fn initialize(paths: &Paths, name: &str) -> Result<(), PostgresError> {
    make_folder(paths, name).await?;
    let data = format!("--pgdata={INSIDE}/data");
    let fixed = [
        "--auth-local=peer",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
    ];
    let arguments = [&[data.as_str(), "--locale=C", "--no-sync"], &fixed[..]].concat();
    tools::run_inside(paths, name, "initdb", &arguments).await?;
    let access = format!(
        "local all postgres peer\nhost {DATABASE} {DATABASE} {POD_RANGE} scram-sha-256\n\
         host replication {DATABASE} {POD_RANGE} scram-sha-256\n"
    );
    fs::write(paths.data(name).join("data/pg_hba.conf"), access)?;
    Ok(fs::write(complete_file(paths, name), "")?)
}

/// Copies the primary of shard 0 into a replica that follows it.
pub async fn copy_primary(paths: &Paths, name: &str) -> Result<(), PostgresError> {
    make_folder(paths, name).await?;
    // A copy that was begun and not finished leaves its slot, which would hold the log for ever.
    let drop = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
                WHERE slot_name = 'replica' AND NOT active";
    tools::sql(paths, &primary_name(0), SHARD_PORTS[0], drop).await?;
    let data = format!("--pgdata={INSIDE}/data");
    let source = format!("--dbname={}", url(paths, SHARD_PORTS[0]));
    let fixed = [
        "--create-slot",
        "--slot=replica",
        "--checkpoint=fast",
        "--wal-method=stream",
    ];
    let arguments = [
        &[&data, &source, "--write-recovery-conf", "--no-sync"],
        &fixed[..],
    ]
    .concat();
    tools::run_inside(paths, name, "pg_basebackup", &arguments).await?;
    Ok(fs::write(complete_file(paths, name), "")?)
}

/// An empty folder that PostgreSQL's user owns.
async fn make_folder(paths: &Paths, name: &str) -> Result<(), PostgresError> {
    let folder = paths.data(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut chown = Command::new("chown");
    command::output(chown.arg("postgres:postgres").arg(&folder)).await?;
    Ok(())
}

/// The file that marks a data folder as finished.
fn complete_file(paths: &Paths, name: &str) -> PathBuf {
    paths.data(name).join("complete")
}

/// Whether the data folder of a server was finished.
pub fn is_complete(paths: &Paths, name: &str) -> bool {
    complete_file(paths, name).exists()
}
