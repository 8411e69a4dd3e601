//! The `ConfigMap` that holds the model of a cluster, so that a restart is never without a forecast.
//!
//! Its name is the cluster's with `-forecast` behind it; it belongs to the cluster and goes with it.
//! Invariant: a `ConfigMap` that was not made for this very cluster is neither read nor written.

use std::{collections::BTreeMap, time::Duration};

use floodgate_api::apply_params;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch},
};
use tokio::time::timeout;

use super::stored_forecast::{StoredForecast, StoredForecastError};
use crate::{build::labels, metrics::Metrics, target::ForecastTarget};

/// Longest wait for an answer of the apiserver (F42).
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What went wrong with a stored model.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// It cannot be read.
    #[error("ConfigMap {0} with the stored model cannot be read")]
    Read(String, #[source] Box<kube::Error>),
    /// It cannot be written.
    #[error("ConfigMap {0} with the stored model cannot be written")]
    Write(String, #[source] Box<kube::Error>),
    /// Somebody else's object has its name.
    #[error("ConfigMap {0} was not made for this cluster; rename or remove it to store the model")]
    Foreign(String),
    /// No answer came.
    #[error("ConfigMap {name}: the apiserver gave no answer within {s} s", s = ANSWER_MAX.as_secs())]
    TimedOut { name: String },
    /// What it holds is no use.
    #[error(transparent)]
    Unusable(#[from] StoredForecastError),
}

/// Name of the `ConfigMap` of a cluster.
fn config_map_name(cluster: &str) -> String {
    format!("{cluster}-forecast")
}

/// Where the models of clusters are stored.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) client: Client,
    pub(super) metrics: Metrics,
}

impl Store {
    /// The stored forecast of a cluster, where there is one.
    pub(super) async fn read(
        &self,
        target: &ForecastTarget,
    ) -> Result<Option<StoredForecast>, StoreError> {
        let Some(found) = self.own(target).await? else {
            return Ok(None);
        };
        Ok(Some(StoredForecast::decode(
            &found.data.unwrap_or_default(),
        )?))
    }

    /// Writes the data of a forecast.
    pub(super) async fn write(
        &self,
        target: &ForecastTarget,
        data: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        self.own(target).await?;
        let (namespace, cluster) = &target.cluster;
        let name = config_map_name(cluster);
        let wanted = ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                namespace: Some(namespace.clone()),
                labels: Some(labels(cluster)),
                owner_references: Some(vec![target.owner.clone()]),
                ..ObjectMeta::default()
            },
            data: Some(data.clone()),
            ..ConfigMap::default()
        };
        let (api, params, patch) = (self.api(target), apply_params(), Patch::Apply(&wanted));
        let written = timeout(ANSWER_MAX, api.patch(&name, &params, &patch)).await;
        written
            .map_err(|_| StoreError::TimedOut { name: name.clone() })?
            .map_err(|source| StoreError::Write(name, Box::new(source)))?;
        self.metrics.count_write("ConfigMap");
        Ok(())
    }

    /// The `ConfigMap`, if there is one and it is the cluster's own.
    async fn own(&self, target: &ForecastTarget) -> Result<Option<ConfigMap>, StoreError> {
        let name = config_map_name(&target.cluster.1);
        let found = timeout(ANSWER_MAX, self.api(target).get_opt(&name)).await;
        let found = found
            .map_err(|_| StoreError::TimedOut { name: name.clone() })?
            .map_err(|source| StoreError::Read(name.clone(), Box::new(source)))?;
        let foreign = found.as_ref().is_some_and(|found| {
            let owners = found.metadata.owner_references.as_deref();
            let mut owners = owners.unwrap_or_default().iter();
            !owners.any(|owner| owner.uid == target.owner.uid)
        });
        if foreign {
            return Err(StoreError::Foreign(name));
        }
        Ok(found)
    }

    fn api(&self, target: &ForecastTarget) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &target.cluster.0)
    }
}
