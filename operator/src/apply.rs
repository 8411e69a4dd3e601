//! Applies what was built, by server-side apply with one field manager.
//!
//! Every field the operator owns is sent every time it sends at all; what was sent before and
//! is still in place is not sent again.
//! Order: what pods need first, the pods last, so that a crash between two writes leaves nothing
//! that waits for something nobody made (F48).

use std::{collections::HashMap, fmt, marker::PhantomData, time::Duration};

use floodgate_api::apply_params;
use floodgate_words::Reason;
use k8s_openapi::{NamespaceResourceScope, Resource as _, api::core::v1::Secret};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ObjectMeta, Patch},
    core::PartialObjectMeta,
    runtime::reflector::Store,
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    build::{Applied, Prepared, Resources},
    metrics::Metrics,
    secrets::SecretError,
    snapshot::ClusterKey,
    stores::Stores,
};

/// After this long an object is applied again although nothing seems to have changed: changes that
/// bump no generation, and watches that went silent, are put right within it (F42).
const RESYNC: Duration = Duration::from_secs(300);

/// What could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object cannot be read.
    #[error("cannot read {0}")]
    Read(ObjectName, #[source] Box<kube::Error>),
    /// The object cannot be written.
    #[error("cannot apply {0}")]
    Write(ObjectName, #[source] Box<kube::Error>),
    /// An object of that name belongs to somebody else and is left alone.
    #[error("{0} exists and was not made for this cluster; rename or remove it")]
    NameTaken(ObjectName),
    /// The object cannot be written as JSON.
    #[error("cannot encode {0}")]
    Encode(ObjectName, #[source] serde_json::Error),
}

/// Kind and name of an object, as in `Deployment till`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    kind: &'static str,
    name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

impl ApplyError {
    /// Label of this error in metrics and logs.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Read(..) => "apply_read",
            Self::Write(..) => "apply_write",
            Self::NameTaken(_) => "name_taken",
            Self::Encode(..) => "apply_encode",
        }
    }

    /// The reason to give in the status, where the object itself is at fault.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::NameTaken(_) => Some(Reason::NameTaken),
            Self::Read(..) | Self::Write(..) | Self::Encode(..) => None,
        }
    }
}

/// What was sent of one object, and the version of it that came back.
#[derive(Clone, Debug)]
pub struct Sent {
    digest: [u8; 32],
    version: Option<String>,
    version_before: Option<String>,
    at: Instant,
}

/// What this process applied of one cluster, by kind.
pub type SentByKind = HashMap<&'static str, Sent>;

/// Applies what one cluster owns.
pub struct Applier<'a> {
    /// Client whose writes pass the fence of leadership.
    pub client: &'a Client,
    /// Objects as the watches have them.
    pub stores: &'a Stores,
    pub metrics: &'a Metrics,
    /// What was sent by earlier passes; what this one sends is added.
    pub sent: &'a mut SentByKind,
}

impl Applier<'_> {
    /// Applies everything a cluster owns.
    pub async fn apply(
        mut self,
        resources: Resources<Prepared>,
    ) -> Result<Resources<Applied>, ApplyError> {
        let Resources {
            control_secret,
            service,
            network_policy,
            pod_disruption_budget,
            deployment,
            stage: PhantomData,
        } = resources;
        let stores = self.stores;
        let live = self.live_secret(&control_secret).await?;
        let control_secret = self.one(control_secret, live).await?;
        let live = meta_in(&stores.services, &service);
        let service = self.one(service, live).await?;
        let live = meta_in(&stores.network_policies, &network_policy);
        let network_policy = self.one(network_policy, live).await?;
        let live = meta_in(&stores.disruption_budgets, &pod_disruption_budget);
        let pod_disruption_budget = self.one(pod_disruption_budget, live).await?;
        let watched = stores
            .deployments
            .get(&ClusterKey::of(&deployment).object_ref());
        let live = watched.as_ref().map(|watched| watched.metadata.clone());
        let applied = self.one(deployment, live).await?;
        // An apply that was not needed returns what was sent; the watch has the status beside it.
        let deployment = match watched {
            Some(watched) if applied.metadata.resource_version.is_none() => (*watched).clone(),
            _ => applied,
        };
        Ok(Resources {
            control_secret,
            service,
            network_policy,
            pod_disruption_budget,
            deployment,
            stage: PhantomData,
        })
    }

    /// Applies one object unless it is as it was sent before; then it is returned as built.
    async fn one<K>(&mut self, wanted: K, live: Option<ObjectMeta>) -> Result<K, ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + k8s_openapi::Resource
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let object = ObjectName {
            kind: K::KIND,
            name: wanted.name_any(),
        };
        let encoded = match serde_json::to_vec(&wanted) {
            Ok(encoded) => encoded,
            Err(source) => return Err(ApplyError::Encode(object, source)),
        };
        let digest: [u8; 32] = Sha256::digest(&encoded).into();
        let version_before = live.as_ref().and_then(version_of);
        let sent = self.sent.get(K::KIND);
        let unchanged = sent.is_some_and(|sent| {
            let seen = version_before == sent.version || version_before == sent.version_before;
            sent.digest == digest && live.is_some() && seen && sent.at.elapsed() < RESYNC
        });
        if unchanged {
            return Ok(wanted);
        }
        let namespace = wanted.namespace().unwrap_or_default();
        let api: Api<K> = Api::namespaced(self.client.clone(), &namespace);
        if sent.is_none() {
            refuse_foreign(&api, &wanted, &object).await?;
        }
        let (params, patch) = (apply_params(), Patch::Apply(&wanted));
        let applied = match api.patch(&object.name, &params, &patch).await {
            Ok(applied) => applied,
            Err(source) => return Err(ApplyError::Write(object, Box::new(source))),
        };
        self.metrics.count_write(K::KIND);
        let sent = Sent {
            digest,
            version: version_of(applied.meta()),
            version_before,
            at: Instant::now(),
        };
        self.sent.insert(K::KIND, sent);
        Ok(applied)
    }

    /// The control Secret is not watched; the cache says within its bounds what it holds.
    async fn live_secret(&self, wanted: &Secret) -> Result<Option<ObjectMeta>, ApplyError> {
        let (namespace, name) = (wanted.namespace().unwrap_or_default(), wanted.name_any());
        match self
            .stores
            .secrets
            .read(self.client, &namespace, &name)
            .await
        {
            Ok(secret) => Ok(secret.map(|secret| secret.metadata.clone())),
            Err(SecretError { source, .. }) => {
                let kind = Secret::KIND;
                Err(ApplyError::Read(ObjectName { kind, name }, source))
            }
        }
    }
}

/// Before the first apply of this process: an object of that name must be ours or not exist.
async fn refuse_foreign<K>(api: &Api<K>, wanted: &K, object: &ObjectName) -> Result<(), ApplyError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let live = match api.get_metadata_opt(&object.name).await {
        Ok(live) => live,
        Err(source) => return Err(ApplyError::Read(object.clone(), Box::new(source))),
    };
    let owners = |meta: &ObjectMeta| meta.owner_references.clone().unwrap_or_default();
    let ours = owners(wanted.meta());
    let foreign = live.is_some_and(|live| {
        let theirs = owners(&live.metadata);
        !ours
            .iter()
            .all(|our| theirs.iter().any(|their| their.uid == our.uid))
    });
    if foreign {
        return Err(ApplyError::NameTaken(object.clone()));
    }
    Ok(())
}

/// What changes when somebody changes the object: its generation, or else its resourceVersion.
fn version_of(meta: &ObjectMeta) -> Option<String> {
    let uid = meta.uid.as_deref().unwrap_or_default();
    let version = meta.generation.map(|generation| format!("g{generation}"));
    let version = version.or_else(|| meta.resource_version.clone())?;
    Some(format!("{uid}/{version}"))
}

fn meta_in<K>(store: &Store<PartialObjectMeta<K>>, wanted: &K) -> Option<ObjectMeta>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let partial = store.get(&ClusterKey::of(wanted).object_ref())?;
    Some(partial.metadata.clone())
}
