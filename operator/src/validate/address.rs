//! Addresses: resolved Secret keys and the Prometheus URL. What a Secret holds is never shown.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use floodgate_api::cluster::backends::{Backends, SecretKeyRef};
use floodgate_api::cluster::traffic::Traffic;
use reqwest::Url;
use reqwest::header::HeaderValue;

use super::{BackendSettings, SecretValue, Secrets, TrafficSettings, ValidateError};

/// Longest query; the same bound as in the schema.
const QUERY_BYTES_MAX: usize = 2_048;

/// What a Secret key holds. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Wraps the content of a Secret key; a trailing line end, as `kubectl create --from-file`
    /// leaves it, is cut.
    pub fn new(content: impl Into<String>) -> Self {
        Self(content.into().trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The content, for a hash or a request header only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

/// What kind of server an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A PostgreSQL shard.
    Postgres,
    Redis,
    /// The event stream.
    Nats,
}

impl Scheme {
    const fn accepted(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgres", "postgresql"],
            Self::Redis => &["redis", "rediss"],
            Self::Nats => &["nats", "tls"],
        }
    }

    const fn must(self) -> &'static str {
        match self {
            Self::Postgres => "an address such as `postgres://user:password@host:5432/database`",
            Self::Redis => "an address such as `redis://host:6379/`",
            Self::Nats => "an address such as `nats://host:4222`",
        }
    }
}

/// Every reference of the backends with its path and kind, in the order of the addresses.
pub(super) fn backend_refs(
    backends: &Backends,
) -> impl Iterator<Item = (String, &SecretKeyRef, Scheme)> {
    let shards = backends
        .shards
        .iter()
        .enumerate()
        .flat_map(|(index, shard)| {
            let path = format!("spec.backends.shards[{index}]");
            let primary = (
                format!("{path}.primarySecretRef"),
                &shard.primary_secret_ref,
                Scheme::Postgres,
            );
            let replica = shard.replica_secret_ref.as_ref().map(|reference| {
                (
                    format!("{path}.replicaSecretRef"),
                    reference,
                    Scheme::Postgres,
                )
            });
            std::iter::once(primary).chain(replica)
        });
    shards.chain([
        (
            "spec.backends.cacheSecretRef".to_owned(),
            &backends.cache_secret_ref,
            Scheme::Redis,
        ),
        (
            "spec.backends.eventsSecretRef".to_owned(),
            &backends.events_secret_ref,
            Scheme::Nats,
        ),
    ])
}

pub(super) fn backends(
    spec: &Backends,
    secrets: &Secrets,
) -> Result<BackendSettings, ValidateError> {
    let invalid = |must: &str| ValidateError::Invalid {
        field: "spec.backends.shards".to_owned(),
        must: must.to_owned(),
    };
    if !(1..=64).contains(&spec.shards.len()) {
        return Err(invalid("must have 1 to 64 entries"));
    }
    let addresses = backend_refs(spec)
        .map(|(field, reference, scheme)| {
            let address = resolve(&field, reference, secrets)?;
            let usable = Url::parse(address.expose()).is_ok_and(|url| {
                scheme.accepted().contains(&url.scheme())
                    && url.host_str().is_some_and(|host| !host.is_empty())
            });
            if usable {
                Ok(address)
            } else {
                Err(ValidateError::SecretInvalid {
                    field,
                    secret: reference.name.clone(),
                    key: reference.key.clone(),
                    must: scheme.must(),
                })
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(BackendSettings {
        refs: spec.clone(),
        addresses,
    })
}

pub(super) fn traffic(spec: &Traffic, secrets: &Secrets) -> Result<TrafficSettings, ValidateError> {
    let url = &spec.prometheus.url;
    if let Err(must) = prometheus_url(url) {
        let field = "spec.traffic.prometheus.url".to_owned();
        return Err(ValidateError::Invalid {
            field,
            must: must.to_owned(),
        });
    }
    if spec
        .query
        .as_ref()
        .is_some_and(|query| query.trim().is_empty() || query.len() > QUERY_BYTES_MAX)
    {
        let field = "spec.traffic.query".to_owned();
        let must = "must be 1 to 2048 characters and not blank".to_owned();
        return Err(ValidateError::Invalid { field, must });
    }
    let field = "spec.traffic.prometheus.tokenSecretRef";
    let token = match &spec.prometheus.token_secret_ref {
        None => None,
        Some(reference) => {
            let token = resolve(field, reference, secrets)?;
            if token.expose().is_empty() || HeaderValue::from_str(token.expose()).is_err() {
                return Err(ValidateError::SecretInvalid {
                    field: field.to_owned(),
                    secret: reference.name.clone(),
                    key: reference.key.clone(),
                    must: "a bearer token on one line",
                });
            }
            Some(token)
        }
    };
    let history = floodgate_settings::history(spec)?;
    Ok(TrafficSettings {
        url: url.clone(),
        token,
        query: spec.query.clone(),
        history_days: history.days,
        history_step_s: history.step_s,
    })
}

fn resolve(
    field: &str,
    reference: &SecretKeyRef,
    secrets: &Secrets,
) -> Result<Address, ValidateError> {
    let (field, secret) = (field.to_owned(), reference.name.clone());
    match secrets.get(reference) {
        Some(SecretValue::Present(address)) => Ok(address.clone()),
        Some(SecretValue::KeyMissing) => Err(ValidateError::SecretKeyNotFound {
            field,
            secret,
            key: reference.key.clone(),
        }),
        Some(SecretValue::SecretMissing) | None => {
            Err(ValidateError::SecretNotFound { field, secret })
        }
    }
}

/// The URL rules of the schema again, on the parsed address: a number written as a decimal or in
/// hexadecimal is still the metadata service.
fn prometheus_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "must be an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with `http://` or `https://`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must not hold a user or password; put a token in a Secret and name it in `tokenSecretRef`",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not hold a query or a fragment");
    }
    let host = url.host_str().ok_or("must name a host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.parse().is_ok_and(is_metadata_service)
        || host.trim_end_matches('.') == "metadata"
        || host.starts_with("metadata.")
    {
        return Err("must not be the address of a cloud metadata service");
    }
    Ok(())
}

/// Link-local addresses, where clouds serve credentials to whoever asks, and the two that are not.
fn is_metadata_service(address: IpAddr) -> bool {
    const ALIBABA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    const AWS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || v4 == ALIBABA,
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == AWS_V6,
    }
}
