//! `spec.traffic`: where to read the load.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backends::SecretKeyRef;

/// Where to read the load, and how old it may be.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// The Prometheus-compatible store to query.
    pub prometheus: Prometheus,
    /// `PromQL` query for the offered load in requests per second: a series with the labels
    /// `namespace` and `cluster` of this cluster, or a single series. Default: the rate of
    /// `payment_offered_requests_total`, queried once for all clusters of one Prometheus. 1 to 2048
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2_048))]
    #[schemars(extend("x-kubernetes-validations" = [
        Rule::new("self.trim().size() > 0").message("must not be blank; leave it out for the default query")
    ]))]
    pub query: Option<String>,
    /// Days of history the forecast learns from, 1 to 28, default 14. One day is enough to begin
    /// with; two weeks cover weekends.
    #[serde(default = "default_history_days")]
    #[schemars(range(min = 1, max = 28))]
    pub history_days: i32,
    /// Seconds between two points of the history, 15 to 3600, default 60.
    #[serde(default = "default_history_step_seconds")]
    #[schemars(range(min = 15, max = 3_600))]
    pub history_step_seconds: i32,
    /// Age at which the newest load sample no longer counts as fresh, 5 to 600 seconds, default 30.
    /// Without a fresh sample the operator never scales down.
    #[serde(default = "default_staleness_seconds")]
    #[schemars(range(min = 5, max = 600))]
    pub staleness_seconds: i32,
}

fn default_history_days() -> i32 {
    14
}

fn default_history_step_seconds() -> i32 {
    60
}

fn default_staleness_seconds() -> i32 {
    30
}

/// A Prometheus-compatible store.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prometheus {
    /// Base address, for example `http://prometheus.monitoring:9090`: `http` or `https`, a host, no
    /// user or password (put a token in a Secret and name it in `tokenSecretRef`), no query, and
    /// not the address of a cloud's metadata service.
    #[schemars(length(max = 512))]
    #[schemars(extend("x-kubernetes-validations" = url_rules()))]
    pub url: String,
    /// Secret key with a bearer token for the store. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
}

fn url_rules() -> Vec<Rule> {
    vec![
        Rule::new("self.matches('^https?://[^/?#]+')")
            .message("must begin with `http://` or `https://` and name a host"),
        Rule::new("!self.matches('^[a-z]+://[^/?#]*@')")
            .message("must not hold a user or password; put a token in a Secret and name it in `tokenSecretRef`"),
        Rule::new("!self.matches('[?#\\\\s]')")
            .message("must not hold a query, a fragment or white space"),
        Rule::new("!self.matches('^https?://(169\\\\.254\\\\.|\\\\[?(::ffff:169\\\\.254\\\\.|fe80:|fd00:ec2::254)|metadata([./:]|$)|100\\\\.100\\\\.100\\\\.200)')")
            .message("must not be the address of a cloud metadata service"),
    ]
}
