//! The Kubernetes cluster, accessed with the rights of whoever runs the plugin.

mod error;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Event, Namespace};
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DeserializeGuard;
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::{AccessError, Requested};

/// A server that does not answer within this is unreachable: on a bad night nobody waits longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A list of ten thousand clusters takes seconds, not more.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// These options are listed apart from those of a command.
const HEADING: &str = "Cluster options";
/// Objects requested per page, as kubectl does.
const PAGE: u32 = 500;

/// Which cluster and namespace, as kubectl takes them.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// Kubeconfig file; default: $KUBECONFIG, else ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; default: its current one.
    #[arg(long, global = true, help_heading = HEADING)]
    context: Option<String>,
    /// Namespace; default: that of the context.
    #[arg(short, long, global = true, overrides_with = "namespace", help_heading = HEADING)]
    pub namespace: Option<String>,
}

/// A kind of object that lives in a namespace.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + DeserializeOwned
        + Clone
        + Debug
{
}

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The namespace of the context, or the one given with `-n`.
    Namespace,
    /// Every namespace.
    Everywhere,
}

/// A connection, and the namespace of its objects.
pub struct Access {
    client: Client,
    pub namespace: String,
    url: String,
}

impl Access {
    /// Names of the contexts of the kubeconfig; none where it cannot be read.
    pub fn contexts(args: &AccessArgs) -> Vec<String> {
        let read = match &args.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let contexts = read.into_iter().flat_map(|config| config.contexts);
        contexts.map(|context| context.name).collect()
    }

    /// Reads the kubeconfig; nothing is sent yet.
    pub async fn open(args: &AccessArgs) -> Result<Self, AccessError> {
        let options = KubeConfigOptions {
            context: args.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = match (&args.kubeconfig, &args.context) {
            (Some(path), _) => {
                let kubeconfig = Kubeconfig::read_from(path)
                    .map_err(|source| AccessError::Kubeconfig(Box::new(source)))?;
                Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|source| AccessError::Kubeconfig(Box::new(source)))?
            }
            (None, Some(_)) => Config::from_kubeconfig(&options)
                .await
                .map_err(|source| AccessError::Kubeconfig(Box::new(source)))?,
            (None, None) => Config::infer()
                .await
                .map_err(|error| AccessError::no_cluster(&error))?,
        };
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        // A person waits for the answer and can ask again; hidden retries only hide the reason.
        config.default_retry = false;
        let namespace = args.namespace.clone();
        let url = config.cluster_url.to_string();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client =
            Client::try_from(config).map_err(|source| AccessError::Client(Box::new(source)))?;
        Ok(Self {
            client,
            namespace,
            url,
        })
    }

    /// One object of the namespace; `None` when it is not there.
    pub async fn object<K: Object>(
        &self,
        name: &str,
    ) -> Result<Option<DeserializeGuard<K>>, AccessError> {
        let api: Api<DeserializeGuard<K>> = Api::namespaced(self.client.clone(), &self.namespace);
        match api.get(name).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error::is_absent(&error) => Ok(None),
            Err(error) => Err(self.error::<K>(error, "get", Some(&self.namespace))),
        }
    }

    /// Every object of the scope.
    pub async fn objects<K: Object>(
        &self,
        scope: Scope,
    ) -> Result<Vec<DeserializeGuard<K>>, AccessError> {
        let namespace = match scope {
            Scope::Namespace => Some(self.namespace.as_str()),
            Scope::Everywhere => None,
        };
        self.listed(namespace, "").await
    }

    /// Events that match `fields` (a field selector), of the namespace given, else of that of the
    /// connection.
    pub async fn events(
        &self,
        namespace: Option<&str>,
        fields: &str,
    ) -> Result<Vec<DeserializeGuard<Event>>, AccessError> {
        self.listed(Some(namespace.unwrap_or(&self.namespace)), fields)
            .await
    }

    /// Names of every object of the namespace; none where they cannot be had.
    pub async fn names<K: Object>(&self) -> Vec<String> {
        let all = self.objects::<K>(Scope::Namespace).await;
        let all = all.into_iter().flatten();
        all.map(|one| one.name_any()).collect()
    }

    /// Names of every namespace; none where they cannot be had.
    pub async fn namespaces(&self) -> Vec<String> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let all = api.list_metadata(&ListParams::default()).await;
        let all = all.into_iter().flat_map(|list| list.items);
        all.map(|one| one.name_any()).collect()
    }

    async fn listed<K: Object>(
        &self,
        namespace: Option<&str>,
        fields: &str,
    ) -> Result<Vec<DeserializeGuard<K>>, AccessError> {
        let api: Api<DeserializeGuard<K>> = match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let mut params = ListParams::default().limit(PAGE);
        if !fields.is_empty() {
            params = params.fields(fields);
        }
        let mut all = Vec::new();
        loop {
            let page = api
                .list(&params)
                .await
                .map_err(|error| self.error::<K>(error, "list", namespace))?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    /// Changes annotations of an object of the namespace by a merge patch; `null` removes one.
    /// With `dry_run` the server checks rights and admission and keeps nothing.
    pub async fn annotate<K: Object>(
        &self,
        name: &str,
        annotations: &Value,
        dry_run: bool,
    ) -> Result<(), AccessError> {
        let api: Api<DeserializeGuard<K>> = Api::namespaced(self.client.clone(), &self.namespace);
        let patch = serde_json::json!({ "metadata": { "annotations": annotations } });
        let params = PatchParams {
            dry_run,
            field_manager: Some("kubectl-floodgate".to_owned()),
            ..PatchParams::default()
        };
        api.patch(name, &params, &Patch::Merge(&patch))
            .await
            .map(|_| ())
            .map_err(|error| self.error::<K>(error, "patch", Some(&self.namespace)))
    }

    fn error<K: Object>(
        &self,
        error: kube::Error,
        verb: &'static str,
        namespace: Option<&str>,
    ) -> AccessError {
        let requested = Requested {
            verb,
            resource: resource_of::<K>(),
            namespace: namespace.map(str::to_owned),
            url: self.url.clone(),
        };
        AccessError::of_request(requested, error)
    }
}

/// `paymentclusters.floodgate.dev`, or `events` of the core group.
fn resource_of<K: Object>() -> String {
    let (plural, group) = (K::plural(&()), K::group(&()));
    if group.is_empty() {
        plural.into_owned()
    } else {
        format!("{plural}.{group}")
    }
}
