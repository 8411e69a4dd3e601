//! The Secrets with the addresses of this machine's backends, for a PaymentCluster.

use serde_json::{Value, json};

use crate::addresses::{CACHE_PORT, EVENTS_PORT, HOST, REPLICA_PORT, SHARD_PORTS};
use crate::backends::postgres;
use crate::command::CommandError;
use crate::control_plane;
use crate::paths::Paths;

/// The address of Redis.
pub fn cache_url() -> String {
    format!("redis://{HOST}:{CACHE_PORT}/")
}

/// The address of NATS.
pub fn events_url() -> String {
    format!("nats://{HOST}:{EVENTS_PORT}")
}

/// Makes the namespace and the Secrets `shard-0`, `shard-1`, `cache` and `events` in it.
pub async fn create(paths: &Paths, namespace: &str) -> Result<(), CommandError> {
    control_plane::apply(paths, &manifests(paths, namespace).to_string()).await
}

fn manifests(paths: &Paths, namespace: &str) -> Value {
    let secret = |name: &str, data: Value| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": namespace },
            "stringData": data,
        })
    };
    let shard_0 = json!({
        "url": postgres::url(paths, SHARD_PORTS[0]),
        "replica-url": postgres::url(paths, REPLICA_PORT),
    });
    json!({
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            { "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } },
            secret("shard-0", shard_0),
            secret("shard-1", json!({ "url": postgres::url(paths, SHARD_PORTS[1]) })),
            secret("cache", json!({ "url": cache_url() })),
            secret("events", json!({ "url": events_url() })),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shard_that_has_a_replica_names_one() {
        let manifests = manifests(&Paths::at("/cluster".into()), "pay");
        let items = manifests["items"].as_array().unwrap();
        let of = |name| {
            items
                .iter()
                .find(|item| item["metadata"]["name"] == name)
                .unwrap()
        };
        assert!(
            of("shard-0")["stringData"]["replica-url"]
                .as_str()
                .unwrap()
                .contains(":15434/")
        );
        assert!(of("shard-1")["stringData"].get("replica-url").is_none());
        assert_eq!(
            of("cache")["stringData"]["url"],
            "redis://198.18.0.1:16379/"
        );
    }
}
