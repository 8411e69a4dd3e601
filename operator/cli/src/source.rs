//! Where objects come from: the Kubernetes cluster, or files in its place.

pub mod age;

use std::path::PathBuf;

use clap::Args;
use floodgate_api::{PaymentCluster, SaleEvent, spelling};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;

use crate::access::{Access, AccessArgs, AccessError, Scope};
use crate::failure::Failure;
use crate::file::Saved;
use crate::moment::{self, Moment};
use crate::status::judge::Point;

/// `-f` and what goes with it.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Reads saved objects (YAML or JSON, `-` for standard input) in place of the cluster; may be
    /// given more than once.
    #[arg(short, long, value_name = "FILE")]
    pub filename: Vec<PathBuf>,
    /// Judges saved objects as of this instant, RFC 3339; default now.
    #[arg(long, value_name = "INSTANT", requires = "filename", value_parser = moment::instant)]
    pub at: Option<Timestamp>,
}

impl SourceArgs {
    /// The instant everything is told relative to.
    pub fn moment(&self) -> Moment {
        Moment::new(self.at)
    }
}

/// Where objects come from.
pub enum Source {
    /// Files, and the namespace asked for.
    Files(Box<Saved>, Option<String>),
    /// The cluster.
    Cluster(Access),
}

/// An object the server holds and nobody can read as its kind.
#[derive(Debug)]
pub struct Unreadable {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub error: String,
}

impl From<InvalidObject> for Unreadable {
    fn from(invalid: InvalidObject) -> Self {
        Self {
            namespace: invalid.metadata.namespace.unwrap_or_default(),
            name: invalid.metadata.name.unwrap_or_default(),
            error: invalid.error,
        }
    }
}

/// An object, or why it cannot be read.
pub type Found<K> = Result<K, Unreadable>;

fn readable<K>(guarded: DeserializeGuard<K>) -> Found<K> {
    guarded.0.map_err(Unreadable::from)
}

impl Source {
    /// Reads the files, or the kubeconfig where there are none.
    pub async fn open(files: &SourceArgs, access: &AccessArgs) -> Result<Self, Failure> {
        if files.filename.is_empty() {
            return Ok(Self::Cluster(Access::open(access).await?));
        }
        let saved = Saved::read(&files.filename)?;
        Ok(Self::Files(Box::new(saved), access.namespace.clone()))
    }

    /// Whether files are read and some PaymentCluster stands in them.
    pub fn holds_clusters(&self) -> bool {
        matches!(self, Self::Files(saved, _) if !saved.clusters.is_empty())
    }

    /// The cluster of that name, or all of the scope.
    pub async fn clusters(
        &self,
        name: Option<&str>,
        scope: Scope,
    ) -> Result<Vec<Found<PaymentCluster>>, Failure> {
        let found: Vec<Found<PaymentCluster>> = match self {
            Self::Files(saved, namespace) => {
                let asked = namespace.as_deref().filter(|_| scope == Scope::Namespace);
                let wanted =
                    |cluster: &&PaymentCluster| is_named(*cluster, name) && is_in(*cluster, asked);
                saved
                    .clusters
                    .iter()
                    .filter(wanted)
                    .cloned()
                    .map(Ok)
                    .collect()
            }
            Self::Cluster(access) => {
                if let Some(name) = name {
                    access
                        .object(name)
                        .await?
                        .map(readable)
                        .into_iter()
                        .collect()
                } else {
                    let all = access.objects(scope, "").await?;
                    all.into_iter().map(readable).collect()
                }
            }
        };
        match name {
            Some(name) if found.is_empty() => Err(self.not_found("PaymentCluster", name).await),
            _ => Ok(found),
        }
    }

    /// Every sale of the scope, by namespace and name.
    pub async fn sales(&self, scope: Scope) -> Result<Vec<Found<SaleEvent>>, Failure> {
        let mut found: Vec<Found<SaleEvent>> = match self {
            Self::Files(saved, namespace) => {
                let asked = namespace.as_deref().filter(|_| scope == Scope::Namespace);
                let here = saved.sales.iter().filter(|sale| is_in(*sale, asked));
                here.cloned().map(Ok).collect()
            }
            Self::Cluster(access) => {
                let all = access.objects(scope, "").await?;
                all.into_iter().map(readable).collect()
            }
        };
        found.sort_by_key(|one| match one {
            Ok(sale) => (sale.namespace().unwrap_or_default(), sale.name_any()),
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
    pub async fn not_found(&self, kind: &'static str, name: &str) -> Failure {
        let hint = match self {
            Self::Files(saved, _) => {
                let held = saved.names(kind);
                let names: Vec<&str> = held.iter().map(|(_, name)| name.as_str()).collect();
                format!(
                    "{}{}",
                    held_in_words(kind, &held),
                    spelling::hint(name, &names)
                )
            }
            Self::Cluster(access) => elsewhere(access, kind, name).await,
        };
        Failure::NotFound {
            kind,
            name: name.to_owned(),
            place: self.place(),
            hint,
        }
    }

    /// That there is no object of the kind at all, and where to look instead.
    pub async fn nothing(&self, kind: &'static str, scope: Scope) -> String {
        if let (Self::Cluster(access), Scope::Namespace) = (self, scope)
            && let Some(missing) = no_namespace(access).await
        {
            return missing;
        }
        let elsewhere = match (self, scope) {
            (Self::Files(saved, _), _) => held_in_words(kind, &saved.names(kind)),
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
        format!("there is no {kind} in {place}; {elsewhere}")
    }

    /// That an object without a status was never looked at by an operator, and what to do.
    pub fn unseen(&self, what: &str) -> Point {
        let (told, remedy) = match self {
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
        Point {
            remedy: Some(remedy.to_owned()),
            ..Point::new(told, "NoStatus", None)
        }
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

/// Where an object may be that is not in the namespace of that name: the nearest spelling there, or
/// another namespace.
pub async fn elsewhere(access: &Access, kind: &str, name: &str) -> String {
    if let Some(missing) = no_namespace(access).await {
        return missing;
    }
    let (names, short) = if kind == "SaleEvent" {
        (access.names::<SaleEvent>().await, "sale")
    } else {
        (access.names::<PaymentCluster>().await, "pay")
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = spelling::hint(name, &names);
    format!("`kubectl get {short} -A` lists what there is{hint}")
}

/// That the namespace does not exist, with the nearest one; nothing where it does, or where nobody
/// lets us know.
async fn no_namespace(access: &Access) -> Option<String> {
    let all = access.namespaces().await;
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let missing = !names.is_empty() && !names.contains(&access.namespace.as_str());
    let hint = spelling::hint(&access.namespace, &names);
    missing.then(|| format!("there is no namespace {}{hint}", access.namespace))
}

/// What files hold of a kind: `they hold till (namespace shop), kiosk (namespace shop)`.
fn held_in_words(kind: &str, held: &[(String, String)]) -> String {
    if held.is_empty() {
        return format!("they hold no {kind} at all");
    }
    let held = held.iter().map(|(namespace, name)| {
        if namespace.is_empty() {
            name.clone()
        } else {
            format!("{name} (namespace {namespace})")
        }
    });
    format!("they hold {}", held.collect::<Vec<_>>().join(", "))
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
