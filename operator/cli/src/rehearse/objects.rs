//! The files: one `PaymentCluster`, and sales as `SaleEvents` or as a list.

use std::path::{Path, PathBuf};

use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_forecast::UnixMillis;
use floodgate_planner::rehearse::Settings;
use floodgate_planner::{Chance, Sale, SalePhase};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::Args;
use super::settings::{self, FieldError};

/// Why the objects cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A file is no YAML.
    #[error("`{}` must be YAML or JSON: {cause}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// An object is not what its kind says.
    #[error("{kind} `{name}` in `{}` cannot be read: {cause}", path.display())]
    Shape {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A field holds what is not allowed there.
    #[error("{kind} `{name}`: {source}")]
    Field {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Field and what it must be.
        source: FieldError,
    },
    /// Not exactly one cluster.
    #[error("the files hold {0} PaymentClusters; must hold exactly one")]
    Clusters(usize),
    /// A row of a list of sales.
    #[error("`{}` line {line}: must be `timestamp,label` with an RFC 3339 timestamp", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

/// What the files hold.
#[derive(Debug)]
pub struct Given {
    /// Name of the cluster.
    pub cluster: String,
    /// Where its past load is found.
    pub past: Past,
    /// What of it decides.
    pub settings: Settings,
    /// Sales that select it.
    pub sales: Vec<Sale>,
    /// Sales that do not.
    pub others: Vec<String>,
}

/// What the operator asks of Prometheus for the history of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Namespace and name.
    pub cluster: (String, String),
    /// Its own query.
    pub query: Option<String>,
    /// Seconds between two samples.
    pub step_s: u32,
}

/// Reads and checks everything.
pub fn read(files: &[PathBuf], list: Option<&Path>, args: &Args) -> Result<Given, ObjectError> {
    let mut clusters: Vec<PaymentCluster> = Vec::new();
    let mut events: Vec<SaleEvent> = Vec::new();
    for path in files {
        let syntax = |error: serde_saphyr::Error| ObjectError::Syntax {
            path: path.clone(),
            cause: error.to_string(),
        };
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text(path)?).map_err(syntax)?;
        for document in documents {
            take(path, document, &mut clusters, &mut events)?;
        }
    }
    let [cluster] = clusters.as_slice() else {
        return Err(ObjectError::Clusters(clusters.len()));
    };
    let name = cluster.metadata.name.clone().unwrap_or_default();
    let settings = settings::of_cluster(cluster).map_err(|source| ObjectError::Field {
        kind: "PaymentCluster",
        name: name.clone(),
        source,
    })?;
    let mut sales = Vec::new();
    let mut others = Vec::new();
    for event in &events {
        let sale = settings::of_sale(event).map_err(|source| ObjectError::Field {
            kind: "SaleEvent",
            name: event.metadata.name.clone().unwrap_or_default(),
            source,
        })?;
        if settings::selects(event, cluster) {
            sales.push(sale);
        } else {
            others.push(sale.name);
        }
    }
    if let Some(path) = list {
        sales.extend(listed(path, args)?);
    }
    let traffic = &cluster.spec.traffic;
    let namespace = cluster.metadata.namespace.clone();
    Ok(Given {
        past: Past {
            cluster: (
                namespace.unwrap_or_else(|| "default".to_owned()),
                name.clone(),
            ),
            query: traffic.query.clone(),
            step_s: u32::try_from(traffic.history_step_seconds.clamp(15, 3_600)).unwrap_or(60),
        },
        cluster: name,
        settings,
        sales,
        others,
    })
}

fn take(
    path: &Path,
    document: Value,
    clusters: &mut Vec<PaymentCluster>,
    events: &mut Vec<SaleEvent>,
) -> Result<(), ObjectError> {
    let kind = document["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "PaymentCluster" => clusters.push(object(path, &kind, document)?),
        "SaleEvent" => events.push(object(path, &kind, document)?),
        _ if kind.ends_with("List") => {
            for item in document["items"].as_array().into_iter().flatten() {
                take(path, item.clone(), clusters, events)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn object<K: DeserializeOwned>(path: &Path, kind: &str, document: Value) -> Result<K, ObjectError> {
    let name = document["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    serde_json::from_value(document).map_err(|error| ObjectError::Shape {
        kind: kind.to_owned(),
        name,
        path: path.to_owned(),
        cause: error.to_string(),
    })
}

/// A list of T0s as sales of one phase each.
fn listed(path: &Path, args: &Args) -> Result<Vec<Sale>, ObjectError> {
    let text = text(path)?;
    let rows = text.lines().enumerate().filter(|(index, row)| {
        let row = row.trim();
        !(row.is_empty() || (*index == 0 && row.starts_with("timestamp")))
    });
    let sale = |(index, row): (usize, &str)| {
        let line = index + 1;
        let bad = || ObjectError::Row {
            path: path.to_owned(),
            line,
        };
        let (time, _) = row.split_once(',').unwrap_or((row, ""));
        let t0: Timestamp = time.trim().parse().map_err(|_| bad())?;
        let t0 = UnixMillis::from(t0);
        let until = t0.plus_s(i64::from(args.sales_minutes) * 60);
        let phase = SalePhase {
            name: "event".to_owned(),
            t0,
            until,
            uplift_percent: args.sales_uplift,
            chance: Chance::default(),
            planned_replicas: None,
        };
        Ok(Sale {
            name: format!("listed-{line}"),
            start: t0,
            end: until,
            phases: vec![phase],
        })
    };
    rows.map(sale).collect()
}

/// The text of a file.
pub fn text(path: &Path) -> Result<String, ObjectError> {
    std::fs::read_to_string(path).map_err(|source| ObjectError::Read {
        path: path.to_owned(),
        source,
    })
}
