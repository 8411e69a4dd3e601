//! Configuration from the environment.
//!
//! Invariant: an address may hold a password, so nothing here prints one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Shards one service may have; more would not fit the slots of an id evenly.
const SHARDS_MAX: usize = 64;
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
#[derive(Clone, Debug)]
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

/// Reads `PAYMENT_SHARD_<i>_URL` until the first gap, or else the list `PAYMENT_SHARD_URLS`.
fn shards(env: Lookup<'_>) -> Result<Vec<ShardAddress>, ConfigError> {
    let numbered = (0..SHARDS_MAX).map_while(|index| {
        let primary = set(env, &format!("PAYMENT_SHARD_{index}_URL"))?;
        let replica = set(env, &format!("PAYMENT_REPLICA_{index}_URL"));
        Some(ShardAddress {
            primary,
            replica: replica.filter(|url| url != NO_REPLICA),
        })
    });
    let numbered: Vec<_> = numbered.collect();
    match (numbered.is_empty(), set(env, "PAYMENT_SHARD_URLS")) {
        (false, None) => Ok(numbered),
        (false, Some(_)) => Err(ConfigError::TwoShardLists),
        (true, None) => Err(ConfigError::Missing("PAYMENT_SHARD_0_URL")),
        (true, Some(list)) => {
            let replicas = set(env, "PAYMENT_REPLICA_URLS").unwrap_or_default();
            let mut replicas = replicas.split(',').map(str::trim);
            let listed = list.split(',').map(str::trim).filter(|url| !url.is_empty());
            Ok(listed
                .take(SHARDS_MAX)
                .map(|primary| ShardAddress {
                    primary: primary.to_owned(),
                    replica: replicas
                        .next()
                        .filter(|url| !url.is_empty() && *url != NO_REPLICA)
                        .map(str::to_owned),
                })
                .collect())
        }
    }
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
mod tests {
    use std::collections::HashMap;

    use super::{ConfigError, ServeConfig};

    fn read(pairs: &[(&str, &str)]) -> Result<ServeConfig, ConfigError> {
        let map: HashMap<&str, &str> = pairs.iter().copied().collect();
        ServeConfig::read(&|name| map.get(name).map(|value| (*value).to_owned()))
    }

    const TOKEN: (&str, &str) = ("PAYMENT_CONTROL_TOKEN_FILE", "/run/token");

    #[test]
    fn shards_are_read_in_order_until_the_first_gap() {
        let config = read(&[
            TOKEN,
            ("PAYMENT_SHARD_0_URL", "postgres://a"),
            ("PAYMENT_SHARD_1_URL", "postgres://b"),
            ("PAYMENT_REPLICA_1_URL", "postgres://c"),
            ("PAYMENT_REPLICA_0_URL", "-"),
            ("PAYMENT_SHARD_3_URL", "postgres://d"),
        ])
        .unwrap();
        assert_eq!(config.shards.len(), 2);
        assert_eq!(config.shards[0].replica, None);
        assert_eq!(config.shards[1].replica.as_deref(), Some("postgres://c"));
        assert_eq!(config.http_addr.port(), 8080);
        assert_eq!(config.control_addr.port(), 9901);
        assert_eq!(config.warm_deadline.as_millis(), 20_000);
    }

    #[test]
    fn a_list_of_shards_is_taken_with_its_replicas() {
        let config = read(&[
            TOKEN,
            ("PAYMENT_SHARD_URLS", "postgres://a, postgres://b"),
            ("PAYMENT_REPLICA_URLS", "-,postgres://c"),
            ("PAYMENT_HTTP_ADDR", "127.0.0.1:1"),
            ("PAYMENT_WARM_DEADLINE_MS", "5"),
        ])
        .unwrap();
        assert_eq!(config.shards[0].replica, None);
        assert_eq!(config.shards[1].replica.as_deref(), Some("postgres://c"));
        assert_eq!(config.http_addr.port(), 1);
        assert_eq!(config.warm_deadline.as_millis(), 5);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let shard = ("PAYMENT_SHARD_0_URL", "postgres://a");
        let error = |pairs: &[(&str, &str)]| read(pairs).unwrap_err().to_string();
        assert!(error(&[shard]).contains("PAYMENT_CONTROL_TOKEN_FILE"));
        assert!(error(&[TOKEN]).contains("PAYMENT_SHARD_0_URL"));
        assert!(error(&[TOKEN, shard, ("PAYMENT_HTTP_ADDR", "x")]).contains("PAYMENT_HTTP_ADDR"));
        assert!(error(&[TOKEN, shard, ("PAYMENT_SHARD_URLS", "x")]).contains("both"));
    }

    #[test]
    fn p10_no_address_is_printed_with_its_password() {
        let config = read(&[TOKEN, ("PAYMENT_SHARD_0_URL", "postgres://u:secret@h/d")]).unwrap();
        assert!(!format!("{:?}", config.shards).contains("secret"));
    }
}
