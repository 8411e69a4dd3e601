//! Reads the Secrets that clusters refer to.
//!
//! Secrets are read one by one and kept for a short while instead of being watched: a watch would
//! need the right to list every Secret of every namespace.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::time::Instant;

use crate::clock::secret_token;

/// How long a Secret that exists is taken as unchanged; a rotated password is used within this.
const PRESENT_FOR: Duration = Duration::from_secs(30);
/// How long a missing one is taken as missing; it is used this soon after it appears (B20).
const MISSING_FOR: Duration = Duration::from_secs(3);
/// Secrets kept, at most: past it all are read again, which costs requests and no memory.
const KEPT_MAX: usize = 50_000;

/// A Secret could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read Secret {namespace}/{name}")]
pub struct SecretError {
    namespace: String,
    name: String,
    #[source]
    pub(crate) source: Box<kube::Error>,
}

type Kept = HashMap<(String, String), (Instant, Option<Arc<Secret>>)>;

/// Secrets read lately.
#[derive(Default)]
pub struct SecretCache {
    kept: Mutex<Kept>,
}

impl SecretCache {
    /// A Secret, or none when it does not exist.
    pub async fn read(
        &self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Secret>>, SecretError> {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some((read_at, secret)) = self.lock().get(&key) {
            let kept_for = if secret.is_some() {
                PRESENT_FOR
            } else {
                MISSING_FOR
            };
            if read_at.elapsed() < kept_for {
                return Ok(secret.clone());
            }
        }
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let read = api.get_opt(name).await.map_err(|source| SecretError {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        let secret = read.map(Arc::new);
        let mut kept = self.lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, (Instant::now(), secret.clone()));
        Ok(secret)
    }

    /// Forgets a Secret that was just written.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.lock().remove(&(namespace.to_owned(), name.to_owned()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text under `key` of a Secret.
pub fn text_of(secret: &Secret, key: &str) -> Option<String> {
    let data = secret.data.as_ref()?.get(key)?;
    String::from_utf8(data.0.clone()).ok()
}

/// The token of the control port: the one that was found, or a fresh one.
pub fn control_token(found: Option<&str>) -> String {
    let found = found.filter(|token| !token.is_empty());
    found.map_or_else(secret_token, str::to_owned)
}
