//! Where objects come from: the Kubernetes cluster, or files in its place.

use std::path::PathBuf;

use clap::Args;
use floodgate_api::{PaymentCluster, SaleEvent};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;

use crate::access::{Access, AccessArgs, AccessError, Scope};
use crate::failure::Failure;
use crate::file::Saved;
use crate::moment::Moment;

/// `-f` and what goes with it.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Reads saved objects (YAML or JSON, `-` for standard input) in place of the cluster; may be
    /// given more than once.
    #[arg(short, long, value_name = "FILE")]
    pub filename: Vec<PathBuf>,
    /// Judges saved objects as of this instant, RFC 3339; default now.
    #[arg(long, value_name = "INSTANT", requires = "filename")]
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

    /// The cluster of that name, or all of the scope.
    pub async fn clusters(
        &self,
        name: Option<&str>,
        scope: Scope,
    ) -> Result<Vec<Found<PaymentCluster>>, Failure> {
        let found: Vec<Found<PaymentCluster>> = match self {
            Self::Files(saved, namespace) => {
                let wanted = |cluster: &&PaymentCluster| {
                    is_named(*cluster, name) && is_in(*cluster, namespace.as_deref())
                };
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
            Some(name) if found.is_empty() => Err(self.not_found("PaymentCluster", "pay", name)),
            _ => Ok(found),
        }
    }

    /// Every sale of the namespace that can be read.
    pub async fn sales(&self) -> Result<Vec<SaleEvent>, Failure> {
        match self {
            Self::Files(saved, namespace) => {
                let here = saved
                    .sales
                    .iter()
                    .filter(|sale| is_in(*sale, namespace.as_deref()));
                Ok(here.cloned().collect())
            }
            Self::Cluster(access) => {
                let all = access.objects(Scope::Namespace, "").await?;
                Ok(all.into_iter().filter_map(|sale| sale.0.ok()).collect())
            }
        }
    }

    /// The sale of that name; without a name the only one there is.
    pub fn pick<'a>(
        &self,
        sales: &'a [SaleEvent],
        name: Option<&str>,
    ) -> Result<&'a SaleEvent, Failure> {
        let mut named = sales.iter().filter(|sale| is_named(*sale, name));
        match (named.next(), named.next(), name) {
            (Some(sale), None, _) | (Some(sale), Some(_), Some(_)) => Ok(sale),
            (_, _, Some(name)) => Err(self.not_found("SaleEvent", "sale", name)),
            (None, _, None) => Err(Failure::NoSale(self.place())),
            (Some(_), Some(_), None) => Err(crate::sale::SaleError::Ambiguous {
                names: sales.iter().map(ResourceExt::name_any).collect(),
            }
            .into()),
        }
    }

    /// Events about an object, oldest first. Without the right to list them there are none, and
    /// the error says so.
    pub async fn events(&self, kind: &str, name: &str) -> Result<Vec<Event>, AccessError> {
        let mut events: Vec<Event> = match self {
            Self::Files(saved, _) => saved.events.clone(),
            Self::Cluster(access) => {
                let fields = format!("involvedObject.kind={kind},involvedObject.name={name}");
                let all = access.objects::<Event>(Scope::Namespace, &fields).await?;
                all.into_iter().filter_map(|event| event.0.ok()).collect()
            }
        };
        events.retain(|event| {
            event.involved_object.kind.as_deref() == Some(kind)
                && event.involved_object.name.as_deref() == Some(name)
        });
        Ok(events)
    }

    fn not_found(&self, kind: &'static str, short: &str, name: &str) -> Failure {
        let hint = match self {
            Self::Files(..) => "check the names in them".to_owned(),
            Self::Cluster(_) => format!("`kubectl get {short} -A` lists what there is"),
        };
        Failure::NotFound {
            kind,
            name: name.to_owned(),
            place: self.place(),
            hint,
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Files(..) => "the files given with -f".to_owned(),
            Self::Cluster(access) => format!("namespace {}", access.namespace),
        }
    }
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
