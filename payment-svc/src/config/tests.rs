//! What is read from an environment, and what is refused.

use std::collections::HashMap;

use super::{ConfigError, ServeConfig};

fn read(pairs: &[(&str, &str)]) -> Result<ServeConfig, ConfigError> {
    let map: HashMap<&str, &str> = pairs.iter().copied().collect();
    ServeConfig::read(&|name| map.get(name).map(|value| (*value).to_owned()))
}

const TOKEN: (&str, &str) = ("PAYMENT_CONTROL_TOKEN_FILE", "/run/token");

#[test]
fn shards_are_read_in_order() {
    let config = read(&[
        TOKEN,
        ("PAYMENT_SHARD_0_URL", "postgres://a"),
        ("PAYMENT_SHARD_1_URL", "postgres://b"),
        ("PAYMENT_REPLICA_1_URL", "postgres://c"),
        ("PAYMENT_REPLICA_0_URL", "-"),
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
fn a_list_of_shards_that_would_move_users_is_refused() {
    let error = |pairs: &[(&str, &str)]| read(pairs).unwrap_err();
    let gap = error(&[
        TOKEN,
        ("PAYMENT_SHARD_0_URL", "postgres://a"),
        ("PAYMENT_SHARD_2_URL", "postgres://c"),
    ]);
    assert!(gap.to_string().contains("PAYMENT_SHARD_1_URL"), "{gap}");
    for list in [",", "postgres://a,,postgres://b", "postgres://a,"] {
        let empty = error(&[TOKEN, ("PAYMENT_SHARD_URLS", list)]);
        assert!(empty.to_string().contains("PAYMENT_SHARD_URLS"), "{empty}");
    }
    let many = vec!["postgres://a"; 65].join(",");
    let many = error(&[TOKEN, ("PAYMENT_SHARD_URLS", &many)]);
    assert!(many.to_string().contains("65 shards"), "{many}");
    let names: Vec<String> = (0..65).map(|n| format!("PAYMENT_SHARD_{n}_URL")).collect();
    let mut pairs = vec![TOKEN];
    pairs.extend(names.iter().map(|name| (name.as_str(), "postgres://a")));
    assert!(read(&pairs[..65]).is_ok());
    assert!(error(&pairs).to_string().contains("65 shards"));
}

#[test]
fn p10_no_address_is_printed_with_its_password() {
    let config = read(&[
        TOKEN,
        ("PAYMENT_SHARD_0_URL", "postgres://u:secret@h/d"),
        ("PAYMENT_REPLICA_0_URL", "postgres://u:secret@h/d"),
        ("PAYMENT_CACHE_URL", "redis://:secret@h/"),
        ("PAYMENT_EVENTS_URL", "nats://u:secret@h/"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let cache = crate::cache::CacheConfig {
        url: config.cache_url,
        ..Default::default()
    };
    assert!(!format!("{cache:?}").contains("secret"));
}
