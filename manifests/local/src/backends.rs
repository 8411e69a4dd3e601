//! The servers behind the payment service: PostgreSQL shards with a replica, Redis and NATS.

pub mod postgres;

use std::time::Duration;

use crate::addresses::{CACHE_PORT, EVENTS_MONITOR_PORT, EVENTS_PORT, HOST};
use crate::control_plane::answers;
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server};

/// Both answer within a second when alone; replaying a long append-only file takes longer.
const BOUND: Duration = Duration::from_mins(1);

/// Starts Redis with its append-only file and waits until it answers.
pub async fn start_cache(paths: &Paths) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let data = paths.data("redis");
    std::fs::create_dir_all(&data)?;
    process::ensure_running(paths, &cache(paths)).await?;
    process::wait_ready(paths, "redis", BOUND, redis_answers).await?;
    Ok(())
}

/// Starts NATS with JetStream and waits until it is healthy.
pub async fn start_events(paths: &Paths) -> Result<(), ProcessError> {
    process::ensure_running(paths, &events(paths)).await?;
    let health = format!("http://{HOST}:{EVENTS_MONITOR_PORT}/healthz");
    process::wait_ready(paths, "nats", BOUND, || answers(health.clone())).await
}

fn cache(paths: &Paths) -> Server {
    let command = [
        "redis-server",
        "--bind",
        HOST,
        "--port",
        &CACHE_PORT.to_string(),
        "--dir",
        &paths.data("redis").display().to_string(),
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
        "--maxmemory",
        "512mb",
        "--maxmemory-policy",
        "allkeys-lru",
        // The bridge carries only this machine's pods.
        "--protected-mode",
        "no",
        "--daemonize",
        "no",
    ];
    Server {
        name: "redis".into(),
        command: command.map(str::to_owned).to_vec(),
        ..Server::default()
    }
}

fn events(paths: &Paths) -> Server {
    let command = [
        "nats-server",
        "--addr",
        HOST,
        "--port",
        &EVENTS_PORT.to_string(),
        "--http_port",
        &EVENTS_MONITOR_PORT.to_string(),
        "--jetstream",
        "--store_dir",
        &paths.data("nats").display().to_string(),
    ];
    Server {
        name: "nats".into(),
        command: command.map(str::to_owned).to_vec(),
        ..Server::default()
    }
}

async fn redis_answers() -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let talk = async {
        let mut stream = tokio::net::TcpStream::connect((HOST, CACHE_PORT)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    talk.await.is_ok_and(|answer| &answer == b"+PONG")
}
