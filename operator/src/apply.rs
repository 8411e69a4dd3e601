//! Applies what was built, by server-side apply with one field manager.
//!
//! Every field the operator owns is sent every time it sends at all; what was sent before and
//! still stands is not sent again.
//! Order: what pods need first, the pods last, so that a crash between two writes leaves nothing
//! that waits for something nobody made (F48).

use std::{collections::HashMap, marker::PhantomData, time::Duration};

use floodgate_api::apply_params;
use floodgate_words::Reason;
use k8s_openapi::{NamespaceResourceScope, Resource as _, api::core::v1::Secret};
use kube::{
    Api, Resource, ResourceExt,
    api::{ObjectMeta, Patch},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    build::{Applied, Prepared, Resources},
    metrics::KindLabel,
    reconcile::Context,
    secrets::SecretError,
    snapshot::{Cell, ClusterKey},
};

/// After this long an object is applied again although nothing seems to have changed: changes that
/// bump no generation, and watches that went silent, are put right within it (F42).
const RESYNC: Duration = Duration::from_secs(300);

/// What could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object cannot be read.
    #[error("cannot read {kind} {name}")]
    Read {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The object cannot be written.
    #[error("cannot apply {kind} {name}")]
    Write {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// An object of that name belongs to somebody else and is left alone.
    #[error("{kind} {name} exists and was not made for this cluster; rename or remove it")]
    NameTaken {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
    },
    /// An object cannot be written as JSON.
    #[error("cannot encode {kind} {name}")]
    Encode {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl ApplyError {
    /// Label of this error in metrics and logs.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Read { .. } => "apply_read",
            Self::Write { .. } => "apply_write",
            Self::NameTaken { .. } => "name_taken",
            Self::Encode { .. } => "apply_encode",
        }
    }

    /// The reason to give in the status, where the object itself is at fault.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::NameTaken { .. } => Some(Reason::NameTaken),
            Self::Read { .. } | Self::Write { .. } | Self::Encode { .. } => None,
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
pub type SentByKind = HashMap<String, Sent>;

/// Applies everything a cluster owns.
pub async fn apply(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
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
    let secret_live = live_secret(ctx, &control_secret).await?;
    let step = Step { ctx, key, cell };
    let control_secret = step.one(control_secret, secret_live).await?;
    let live = meta_in(&ctx.owned.services, &service);
    let service = step.one(service, live).await?;
    let live = meta_in(&ctx.owned.network_policies, &network_policy);
    let network_policy = step.one(network_policy, live).await?;
    let live = meta_in(&ctx.owned.disruption_budgets, &pod_disruption_budget);
    let pod_disruption_budget = step.one(pod_disruption_budget, live).await?;
    let watched = ctx.deployments.get(&key.object_ref());
    let live = watched
        .as_ref()
        .map(|deployment| deployment.metadata.clone());
    let applied = step.one(deployment.clone(), live).await?;
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

/// One cluster's apply.
struct Step<'a> {
    ctx: &'a Context,
    key: &'a ClusterKey,
    cell: &'a Cell,
}

impl Step<'_> {
    /// Applies one object unless it stands as it was sent before; then it is returned as built.
    async fn one<K>(&self, wanted: K, live: Option<ObjectMeta>) -> Result<K, ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + k8s_openapi::Resource
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let (kind, name) = (K::KIND.to_owned(), wanted.name_any());
        let encoded = serde_json::to_vec(&wanted).map_err(|source| ApplyError::Encode {
            kind: kind.clone(),
            name: name.clone(),
            source,
        })?;
        let digest: [u8; 32] = Sha256::digest(&encoded).into();
        let version_before = live.as_ref().and_then(version_of);
        let sent = self
            .cell
            .with_remembered(|remembered| remembered.sent.get(&kind).cloned());
        let stands = sent.as_ref().is_some_and(|sent| {
            let seen = version_before == sent.version || version_before == sent.version_before;
            sent.digest == digest && live.is_some() && seen && sent.at.elapsed() < RESYNC
        });
        if stands {
            return Ok(wanted);
        }
        let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &self.key.namespace);
        if sent.is_none() {
            refuse_foreign(&api, &wanted, &kind, &name).await?;
        }
        let params = apply_params();
        let applied = api
            .patch(&name, &params, &Patch::Apply(&wanted))
            .await
            .map_err(|source| ApplyError::Write {
                kind: kind.clone(),
                name: name.clone(),
                source: Box::new(source),
            })?;
        let label = KindLabel { kind: K::KIND };
        self.ctx.metrics.writes.get_or_create(&label).inc();
        let version = version_of(applied.meta());
        let sent = Sent {
            digest,
            version,
            version_before,
            at: Instant::now(),
        };
        self.cell
            .with_remembered(|remembered| remembered.sent.insert(kind, sent));
        Ok(applied)
    }
}

/// Before the first apply of this process: an object of that name must be ours or not exist.
async fn refuse_foreign<K>(
    api: &Api<K>,
    wanted: &K,
    kind: &str,
    name: &str,
) -> Result<(), ApplyError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let live = api
        .get_metadata_opt(name)
        .await
        .map_err(|source| ApplyError::Read {
            kind: kind.to_owned(),
            name: name.to_owned(),
            source: Box::new(source),
        })?;
    let owners = |meta: &ObjectMeta| meta.owner_references.clone().unwrap_or_default();
    let ours = owners(wanted.meta());
    let foreign = live.is_some_and(|live| {
        let theirs = owners(&live.metadata);
        !ours
            .iter()
            .all(|our| theirs.iter().any(|their| their.uid == our.uid))
    });
    if foreign {
        return Err(ApplyError::NameTaken {
            kind: kind.to_owned(),
            name: name.to_owned(),
        });
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

fn meta_in<K>(
    store: &kube::runtime::reflector::Store<kube::core::PartialObjectMeta<K>>,
    wanted: &K,
) -> Option<ObjectMeta>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let reference = kube::runtime::reflector::ObjectRef::new(&wanted.name_any())
        .within(&wanted.namespace().unwrap_or_default());
    store
        .get(&reference)
        .map(|partial| partial.metadata.clone())
}

/// The control Secret is not watched; the cache says within its bounds how it stands.
async fn live_secret(ctx: &Context, wanted: &Secret) -> Result<Option<ObjectMeta>, ApplyError> {
    let (namespace, name) = (wanted.namespace().unwrap_or_default(), wanted.name_any());
    let read = ctx.secrets.read(&ctx.client, &namespace, &name).await;
    match read {
        Ok(secret) => Ok(secret.map(|secret| secret.metadata.clone())),
        Err(SecretError { source, .. }) => Err(ApplyError::Read {
            kind: Secret::KIND.to_owned(),
            name,
            source,
        }),
    }
}
