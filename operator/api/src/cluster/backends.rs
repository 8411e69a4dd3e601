//! `spec.backends`: where the ledger, the cache and the events live.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most shards of one cluster; the ledger has 1,024 slots, so 64 shards hold 16 slots each.
pub const SHARDS_MAX: u32 = 64;

/// The servers behind the payment service. Every address comes from a Secret in the namespace of
/// the cluster, so that no object a viewer may read holds a password. Create a missing Secret or
/// key and the cluster converges.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backends {
    /// PostgreSQL shards, 1 to 64, in the order that maps slots to shards. Number, names and order
    /// are immutable: a changed order would look users up on a shard that does not hold their money.
    #[schemars(length(min = 1, max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.map(s, s.name) == oldSelf.map(s, s.name)").message(
            "must keep the number, names and order of the shards: the slots of the ledger would move"
        )
    ]))]
    pub shards: Vec<Shard>,
    /// Secret key with the cache address, `redis://host:port/`.
    pub cache_secret_ref: SecretKeyRef,
    /// Secret key with the event stream address, `nats://host:port`.
    pub events_secret_ref: SecretKeyRef,
}

/// One PostgreSQL shard.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// Name of the shard, a lower-case DNS label of at most 32 characters; unique and immutable.
    #[schemars(length(min = 1, max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')")
            .message("must be a lower-case DNS label, for example `s0`")
    ]))]
    pub name: String,
    /// Secret key with the address of the primary, `postgres://user:password@host:port/database`.
    pub primary_secret_ref: SecretKeyRef,
    /// Secret key with the address of a streaming replica, for reads that may be slightly stale.
    /// Default: none; reads go to the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_secret_ref: Option<SecretKeyRef>,
}

/// A key of a Secret in the namespace of the object that refers to it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')")
            .message("must be the name of a Secret: lower-case letters, digits, `-` and `.`")
    ]))]
    pub name: String,
    /// Key within the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.matches('^[A-Za-z0-9._-]+$')")
            .message("must be a Secret key: letters, digits, `-`, `_` and `.`")
    ]))]
    pub key: String,
}
