//! Where objects come from: the Kubernetes cluster, or files in its place.

use std::path::PathBuf;

use floodgate_api::{PaymentCluster, SaleEvent, spelling};
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::core::DeserializeGuard;

use super::error::{QueryError, Unreadable};
use crate::access::{Access, AccessArgs, AccessError, Object, Scope};
use crate::file::Saved;
use crate::point::Point;

/// A kind of object that commands answer about.
pub trait Kind: Object {
    /// What kubectl takes for its plural.
    const SHORT: &'static str;

    /// Those in files.
    fn saved(saved: &Saved) -> &[Self];
}

impl Kind for PaymentCluster {
    const SHORT: &'static str = "pay";

    fn saved(saved: &Saved) -> &[Self] {
        &saved.clusters
    }
}

impl Kind for SaleEvent {
    const SHORT: &'static str = "sale";

    fn saved(saved: &Saved) -> &[Self] {
        &saved.sales
    }
}

/// Where objects come from.
pub enum Source {
    /// Files, and the namespace asked for.
    Files(Box<Saved>, Option<String>),
    /// The cluster.
    Cluster(Access),
}

/// An object, or why it cannot be read.
pub type Found<K> = Result<K, Unreadable>;

impl Source {
    /// Reads the files, or the kubeconfig where there are none.
    pub async fn open(files: &[PathBuf], access: &AccessArgs) -> Result<Self, QueryError> {
        if files.is_empty() {
            return Ok(Self::Cluster(Access::open(access).await?));
        }
        let saved = Saved::read(files)?;
        Ok(Self::Files(Box::new(saved), access.namespace.clone()))
    }

    /// Whether files are read and some PaymentCluster is in them.
    pub fn holds_clusters(&self) -> bool {
        matches!(self, Self::Files(saved, _) if !saved.clusters.is_empty())
    }

    /// The object of that name, or all of the scope, by namespace and name.
    pub async fn objects<K: Kind>(
        &self,
        name: Option<&str>,
        scope: Scope,
    ) -> Result<Vec<Found<K>>, QueryError> {
        let mut found: Vec<Found<K>> = match (self, name) {
            (Self::Files(saved, namespace), _) => {
                let asked = namespace.as_deref().filter(|_| scope == Scope::Namespace);
                let all = K::saved(saved).iter();
                let wanted = all.filter(|one| is_named(*one, name) && is_in(*one, asked));
                wanted.cloned().map(Ok).collect()
            }
            (Self::Cluster(access), Some(name)) => access
                .object(name)
                .await?
                .map(readable)
                .into_iter()
                .collect(),
            (Self::Cluster(access), None) => {
                let all = access.objects(scope).await?;
                all.into_iter().map(readable).collect()
            }
        };
        if let Some(name) = name.filter(|_| found.is_empty()) {
            return Err(self.not_found::<K>(name).await);
        }
        found.sort_by_key(|one| match one {
            Ok(object) => (object.namespace().unwrap_or_default(), object.name_any()),
            Err(unreadable) => (unreadable.namespace.clone(), unreadable.name.clone()),
        });
        Ok(found)
    }

    /// Events about an object, oldest first. Without the right to list them there are none, and
    /// the error says so.
    pub async fn events(
        &self,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Vec<Event>, AccessError> {
        let mut events: Vec<Event> = match self {
            Self::Files(saved, _) => saved.events.clone(),
            Self::Cluster(access) => {
                let fields = format!("involvedObject.kind={kind},involvedObject.name={name}");
                let all = access.events(namespace, &fields).await?;
                all.into_iter().filter_map(|event| event.0.ok()).collect()
            }
        };
        events.retain(|event| {
            event.involved_object.kind.as_deref() == Some(kind)
                && event.involved_object.name.as_deref() == Some(name)
                && (namespace.is_none() || event.involved_object.namespace.as_deref() == namespace)
        });
        Ok(events)
    }

    /// That no object of the name is there, with what there is.
    async fn not_found<K: Kind>(&self, name: &str) -> QueryError {
        let saved = match self {
            Self::Files(saved, _) => saved,
            Self::Cluster(access) => return not_found::<K>(access, name).await,
        };
        let held = K::saved(saved).iter().map(ResourceExt::name_any);
        let held: Vec<String> = held.collect();
        let names: Vec<&str> = held.iter().map(String::as_str).collect();
        QueryError::NotFound {
            kind: K::kind(&()).into_owned(),
            name: name.to_owned(),
            place: self.place(),
            hint: contents::<K>(saved) + &spelling::hint(name, &names),
        }
    }

    /// That there is no object of the kind at all, and where to look instead.
    pub async fn nothing<K: Kind>(&self, scope: Scope) -> String {
        if let (Self::Cluster(access), Scope::Namespace) = (self, scope)
            && let Some(missing) = no_namespace(access).await
        {
            return missing;
        }
        let elsewhere = match (self, scope) {
            (Self::Files(saved, _), _) => contents::<K>(saved),
            (Self::Cluster(_), Scope::Namespace) => {
                "look in another with -n, in all of them with -A, or in a file with -f".to_owned()
            }
            (Self::Cluster(_), Scope::Everywhere) => {
                "give a file with -f, or another --context".to_owned()
            }
        };
        let place = match (self, scope) {
            (_, Scope::Namespace) => self.place(),
            (Self::Files(..), Scope::Everywhere) => "the files given with -f".to_owned(),
            (Self::Cluster(_), Scope::Everywhere) => "any namespace".to_owned(),
        };
        format!("there is no {} in {place}; {elsewhere}", K::kind(&()))
    }

    /// That an object without a status was never looked at by an operator, and what to do.
    pub fn unseen(&self, what: &str) -> Point {
        let (what, remedy) = match self {
            Self::Files(..) => (
                format!(
                    "This {what} was never seen by the operator: the saved object has no status"
                ),
                "read the cluster without -f, or save it again with `kubectl get -o yaml`",
            ),
            Self::Cluster(_) => (
                format!("The operator has not looked at this {what} yet"),
                "is it running? `kubectl get pods -A -l app.kubernetes.io/name=floodgate-operator`",
            ),
        };
        Point::new(what, "NoStatus", None).with_remedy(remedy)
    }

    fn place(&self) -> String {
        match self {
            Self::Files(_, Some(namespace)) => {
                format!("namespace {namespace} of the files given with -f")
            }
            Self::Files(_, None) => "the files given with -f".to_owned(),
            Self::Cluster(access) => format!("namespace {}", access.namespace),
        }
    }
}

/// An object on the server.
pub async fn one<K: Kind>(access: &Access, name: &str) -> Result<K, QueryError> {
    match access.object(name).await? {
        Some(guarded) => Ok(readable(guarded)?),
        None => Err(not_found::<K>(access, name).await),
    }
}

/// That the namespace has no object of the name: with the nearest spelling there, or with the
/// namespace that is missing.
async fn not_found<K: Kind>(access: &Access, name: &str) -> QueryError {
    let hint = if let Some(missing) = no_namespace(access).await {
        missing
    } else {
        let names = access.names::<K>().await;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = spelling::hint(name, &names);
        format!("`kubectl get {} -A` lists what there is{hint}", K::SHORT)
    };
    QueryError::NotFound {
        kind: K::kind(&()).into_owned(),
        name: name.to_owned(),
        place: format!("namespace {}", access.namespace),
        hint,
    }
}

/// That the namespace does not exist, with the nearest one; nothing where it does, or where the
/// user may not list them.
async fn no_namespace(access: &Access) -> Option<String> {
    let all = access.namespaces().await;
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let missing = !names.is_empty() && !names.contains(&access.namespace.as_str());
    let hint = spelling::hint(&access.namespace, &names);
    missing.then(|| format!("there is no namespace {}{hint}", access.namespace))
}

/// What files hold of a kind: `they hold till (namespace shop), kiosk (namespace shop)`.
fn contents<K: Kind>(saved: &Saved) -> String {
    let held = K::saved(saved).iter().map(|one| match one.namespace() {
        Some(namespace) => format!("{} (namespace {namespace})", one.name_any()),
        None => one.name_any(),
    });
    let held: Vec<String> = held.collect();
    if held.is_empty() {
        return format!("they hold no {} at all", K::kind(&()));
    }
    format!("they hold {}", held.join(", "))
}

fn readable<K: Kind>(guarded: DeserializeGuard<K>) -> Found<K> {
    guarded.0.map_err(|invalid| Unreadable {
        kind: K::kind(&()).into_owned(),
        namespace: invalid.metadata.namespace.unwrap_or_default(),
        name: invalid.metadata.name.unwrap_or_default(),
        cause: invalid.error,
    })
}

fn is_named<K: ResourceExt>(object: &K, name: Option<&str>) -> bool {
    name.is_none_or(|name| object.name_any() == name)
}

fn is_in<K: ResourceExt>(object: &K, namespace: Option<&str>) -> bool {
    match (object.namespace(), namespace) {
        (Some(own), Some(asked)) => own == asked,
        _ => true,
    }
}
