//! Configuration from the environment.
//!
//! Invariant: an address may hold a password, so nothing here prints one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Shards one service may have; more would not fit the slots of an id evenly.
const SHARDS_MAX: usize = 64;
/// Numbers up to which `PAYMENT_SHARD_<i>_URL` is looked for, so that a gap or one too many is seen.
const SHARD_NUMBERS: usize = 1_024;
/// Replica address that says there is none, so that the order of the others is kept.
const NO_REPLICA: &str = "-";

/// Addresses of one shard.
#[derive(Clone, PartialEq, Eq)]
pub struct ShardAddress {
    /// PostgreSQL URL of the primary.
    pub primary: String,
    /// PostgreSQL URL of a streaming replica.
    pub replica: Option<String>,
}

impl std::fmt::Debug for ShardAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardAddress")
            .field("replica", &self.replica.is_some())
            .finish_non_exhaustive()
    }
}

/// What `serve` has to know.
#[derive(Clone)]
pub struct ServeConfig {
    /// Where payments are served.
    pub http_addr: SocketAddr,
    /// Where the control contract, probes and metrics are served.
    pub control_addr: SocketAddr,
    /// File with the bearer token of the control port.
    pub control_token_file: PathBuf,
    /// Time from the start after which the pod serves without being warm.
    pub warm_deadline: Duration,
    /// The shards, in their fixed order.
    pub shards: Vec<ShardAddress>,
    /// Redis URL; none means first-level cache only.
    pub cache_url: Option<String>,
    /// NATS URL; none means that events stay in the outbox.
    pub events_url: Option<String>,
}

impl std::fmt::Debug for ServeConfig {
    /// Without the addresses that may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            http_addr,
            control_addr,
            control_token_file,
            warm_deadline,
            shards,
            cache_url,
            events_url,
        } = self;
        f.debug_struct("ServeConfig")
            .field("http_addr", http_addr)
            .field("control_addr", control_addr)
            .field("control_token_file", control_token_file)
            .field("warm_deadline", warm_deadline)
            .field("shards", shards)
            .field("cache_url", &cache_url.is_some())
            .field("events_url", &events_url.is_some())
            .finish()
    }
}

/// Why the environment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable is missing.
    #[error("`{0}` must be set")]
    Missing(&'static str),
    /// A variable does not parse.
    #[error("`{name}` must be {expected}")]
    Invalid {
        /// The variable.
        name: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// Two ways to name the shards at once.
    #[error("`PAYMENT_SHARD_URLS` and `PAYMENT_SHARD_0_URL` must not be set both")]
    TwoShardLists,
    /// A number is left out among the shards: what follows would move to other users.
    #[error("`PAYMENT_SHARD_{missing}_URL` must be set, because one with a higher number is")]
    ShardGap {
        /// The number left out.
        missing: usize,
    },
    /// More shards than an id can name.
    #[error("{given} shards are set; at most {SHARDS_MAX} are accepted")]
    TooManyShards {
        /// How many there are.
        given: usize,
    },
}

/// A look-up of environment variables; tests give their own.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl ServeConfig {
    /// Reads the process environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads an environment.
    pub fn read(env: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            http_addr: address(env, "PAYMENT_HTTP_ADDR", 8080)?,
            control_addr: address(
                env,
                "PAYMENT_CONTROL_ADDR",
                floodgate_contract::CONTROL_PORT,
            )?,
            control_token_file: PathBuf::from(
                set(env, floodgate_contract::TOKEN_FILE_ENV)
                    .ok_or(ConfigError::Missing(floodgate_contract::TOKEN_FILE_ENV))?,
            ),
            warm_deadline: millis(env, "PAYMENT_WARM_DEADLINE_MS", 20_000)?,
            shards: shards(env)?,
            cache_url: set(env, "PAYMENT_CACHE_URL"),
            events_url: set(env, "PAYMENT_EVENTS_URL"),
        })
    }
}

/// The shards of the process environment, for `migrate` and `seed`.
pub fn shards_from_env() -> Result<Vec<ShardAddress>, ConfigError> {
    shards(&|name| std::env::var(name).ok())
}

/// Reads `PAYMENT_SHARD_<i>_URL`, or else the list `PAYMENT_SHARD_URLS`.
///
/// Which shard keeps a user follows from the number of shards, so a shard that is overlooked would
/// silently send users to books that do not know them.
fn shards(env: Lookup<'_>) -> Result<Vec<ShardAddress>, ConfigError> {
    let numbered = numbered_shards(env)?;
    let shards = match (numbered.is_empty(), set(env, "PAYMENT_SHARD_URLS")) {
        (false, None) => numbered,
        (false, Some(_)) => return Err(ConfigError::TwoShardLists),
        (true, None) => return Err(ConfigError::Missing("PAYMENT_SHARD_0_URL")),
        (true, Some(list)) => listed_shards(env, &list)?,
    };
    if shards.len() > SHARDS_MAX {
        let given = shards.len();
        return Err(ConfigError::TooManyShards { given });
    }
    Ok(shards)
}

fn numbered_shards(env: Lookup<'_>) -> Result<Vec<ShardAddress>, ConfigError> {
    let mut shards = Vec::new();
    for number in 0..SHARD_NUMBERS {
        let Some(primary) = set(env, &format!("PAYMENT_SHARD_{number}_URL")) else {
            continue;
        };
        if shards.len() < number {
            let missing = shards.len();
            return Err(ConfigError::ShardGap { missing });
        }
        let replica = set(env, &format!("PAYMENT_REPLICA_{number}_URL"));
        shards.push(ShardAddress {
            primary,
            replica: replica.filter(|url| url != NO_REPLICA),
        });
    }
    Ok(shards)
}

fn listed_shards(env: Lookup<'_>, list: &str) -> Result<Vec<ShardAddress>, ConfigError> {
    let replicas = set(env, "PAYMENT_REPLICA_URLS").unwrap_or_default();
    let mut replicas = replicas.split(',').map(str::trim);
    let shards = list.split(',').map(str::trim).map(|primary| {
        if primary.is_empty() {
            return Err(ConfigError::Invalid {
                name: "PAYMENT_SHARD_URLS".to_owned(),
                expected: "PostgreSQL URLs with commas between them, none of them empty",
            });
        }
        Ok(ShardAddress {
            primary: primary.to_owned(),
            replica: replicas
                .next()
                .filter(|url| !url.is_empty() && *url != NO_REPLICA)
                .map(str::to_owned),
        })
    });
    shards.collect()
}

fn set(env: Lookup<'_>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

fn address(env: Lookup<'_>, name: &str, port: u16) -> Result<SocketAddr, ConfigError> {
    match set(env, name) {
        None => Ok(SocketAddr::from(([0, 0, 0, 0], port))),
        Some(text) => text.parse().map_err(|_| ConfigError::Invalid {
            name: name.to_owned(),
            expected: "an address and a port, for example 0.0.0.0:8080",
        }),
    }
}

fn millis(env: Lookup<'_>, name: &str, default_ms: u64) -> Result<Duration, ConfigError> {
    match set(env, name) {
        None => Ok(Duration::from_millis(default_ms)),
        Some(text) => text
            .parse()
            .map(Duration::from_millis)
            .map_err(|_| ConfigError::Invalid {
                name: name.to_owned(),
                expected: "a number of milliseconds",
            }),
    }
}

#[cfg(test)]
mod tests;
