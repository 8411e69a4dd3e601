//! PostgreSQL: one primary per shard, and a streaming replica of shard 0.
//!
//! PostgreSQL refuses to run as root, and its own user may not be able to enter the checkout. So
//! each server runs in a mount namespace where its data lies at a fixed place; the machine's own
//! folder of that name is never touched, and nothing stays mounted when the server ends.

mod error;
mod folder;
mod password;
mod tools;

use std::time::Duration;

use crate::addresses::{HOST, REPLICA_PORT, SHARD_PORTS};
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server, StopSignal};
pub use error::PostgresError;
use tools::{DATABASE, INSIDE};

/// Recovery after a hard end replays what a demo wrote: seconds, on a busy machine tens.
const BOUND: Duration = Duration::from_mins(2);
/// Attempts to start a server, and the rest between two: five seconds in all, where the children of
/// a killed server need one.
const ATTEMPTS: u32 = 10;
const REST: Duration = Duration::from_millis(500);

/// The URL of a primary or the replica by its port, with the password of this cluster.
pub fn url(paths: &Paths, port: u16) -> String {
    let password = password::read(paths);
    format!("postgres://{DATABASE}:{password}@{HOST}:{port}/{DATABASE}")
}

/// The name of the primary of one shard.
pub fn primary_name(shard: usize) -> String {
    format!("postgres-{shard}")
}

/// Starts the primary of one shard and makes its user and database.
pub async fn start_primary(paths: &Paths, shard: usize) -> Result<(), PostgresError> {
    let name = primary_name(shard);
    let port = SHARD_PORTS[shard];
    let password = password::ensure(paths)?;
    if !folder::is_complete(paths, &name) {
        folder::initialize(paths, &name).await?;
    }
    run(paths, &name, port).await?;
    create_database(paths, &name, port, &password).await
}

/// Starts the streaming replica of shard 0, copying the primary first if there is no copy yet.
pub async fn start_replica(paths: &Paths) -> Result<(), PostgresError> {
    let name = "postgres-replica";
    if !folder::is_complete(paths, name) {
        folder::copy_primary(paths, name).await?;
    }
    run(paths, name, REPLICA_PORT).await
}

/// Runs a server and waits until it takes connections.
///
/// A server that was killed leaves children that end a moment later; until then its successor
/// refuses to start, so it gets more than one attempt.
async fn run(paths: &Paths, name: &str, port: u16) -> Result<(), PostgresError> {
    let server = server(paths, name, port)?;
    let mut attempt = 1;
    loop {
        process::ensure_running(paths, &server).await?;
        match process::wait_ready(paths, name, BOUND, || tools::is_ready(port)).await {
            Err(ProcessError::Ended { .. }) if attempt < ATTEMPTS => attempt += 1,
            outcome => return Ok(outcome?),
        }
        tokio::time::sleep(REST).await;
    }
}

async fn create_database(
    paths: &Paths,
    name: &str,
    port: u16,
    password: &str,
) -> Result<(), PostgresError> {
    let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'");
    if tools::sql(paths, name, port, &exists).await?.trim() == "1" {
        return Ok(());
    }
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {DATABASE} LOGIN REPLICATION PASSWORD '{password}'; \
         EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    );
    tools::sql(paths, name, port, &role).await?;
    tools::sql(
        paths,
        name,
        port,
        &format!("CREATE DATABASE {DATABASE} OWNER {DATABASE}"),
    )
    .await?;
    Ok(())
}

/// Durable as in production, with memory for two small shards on a small machine.
fn server(paths: &Paths, name: &str, port: u16) -> Result<Server, PostgresError> {
    let mut command = tools::inside(paths, name, "postgres")?;
    command.extend(["-D".to_owned(), format!("{INSIDE}/data")]);
    let settings = [
        format!("listen_addresses={HOST}"),
        format!("port={port}"),
        format!("unix_socket_directories={INSIDE}"),
        "max_connections=400".to_owned(),
        "shared_buffers=256MB".to_owned(),
        "wal_level=replica".to_owned(),
        "max_wal_senders=4".to_owned(),
        "max_replication_slots=4".to_owned(),
        "max_slot_wal_keep_size=2GB".to_owned(),
        "hot_standby=on".to_owned(),
        "checkpoint_timeout=15min".to_owned(),
        "max_wal_size=2GB".to_owned(),
        "jit=off".to_owned(),
    ];
    for setting in settings {
        command.extend(["-c".to_owned(), setting]);
    }
    Ok(Server {
        name: name.to_owned(),
        command,
        stop_signal: StopSignal::Interrupt,
        ..Server::default()
    })
}
