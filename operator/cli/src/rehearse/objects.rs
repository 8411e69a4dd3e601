//! The files: one `PaymentCluster`, and sales as `SaleEvents` or as a list.

use std::path::{Path, PathBuf};

use floodgate_api::FieldError;
use floodgate_forecast::UnixMillis;
use floodgate_planner::rehearse::Settings;
use floodgate_planner::{Confidence, Sale, SalePhase};
use floodgate_trace::{ReadError, read_instants};
use jiff::Timestamp;
use kube::ResourceExt;

use super::args::Args;
use super::measured::Measured;
use crate::calendar::{self, LEVEL_MAX_USUAL};
use crate::file::{FileError, Saved};
use crate::settings;

/// Why the objects cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A field holds what is not allowed there.
    #[error("{kind} `{name}`")]
    Field {
        kind: &'static str,
        name: String,
        source: FieldError,
    },
    /// Not exactly one cluster.
    #[error("the files hold {}; must hold exactly one PaymentCluster", clusters_in_words(.0))]
    Clusters(Vec<String>),
    /// No sale hits the cluster.
    #[error(
        "SaleEvent `{sale}`: `spec.clusterSelector` asks for {wanted}, and the PaymentCluster is {held}; correct the selector, or label the cluster"
    )]
    NotSelected {
        sale: String,
        wanted: String,
        held: String,
    },
    /// The list of sales cannot be read.
    #[error(transparent)]
    List(#[from] ReadError),
}

/// What the files hold.
#[derive(Debug)]
pub struct Given {
    pub cluster: String,
    /// Where its past load is found.
    pub past: Past,
    /// What of it decides.
    pub settings: Settings,
    /// What its status has measured.
    pub measured: Measured,
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
    pub query: Option<String>,
    pub step_s: u32,
}

/// Reads and checks everything.
pub fn read(files: &[PathBuf], list: Option<&Path>, args: &Args) -> Result<Given, ObjectError> {
    let Saved {
        clusters, sales, ..
    } = Saved::read(files)?;
    let [cluster] = clusters.as_slice() else {
        let names = clusters.iter().map(ResourceExt::name_any);
        return Err(ObjectError::Clusters(names.collect()));
    };
    let name = cluster.name_any();
    let settings = settings::of_cluster(cluster).map_err(|source| ObjectError::Field {
        kind: "PaymentCluster",
        name: name.clone(),
        source,
    })?;
    let mut hitting = Vec::new();
    let mut others = Vec::new();
    for event in &sales {
        let sale = calendar::sale(event, &sales).map_err(|source| ObjectError::Field {
            kind: "SaleEvent",
            name: event.name_any(),
            source,
        })?;
        if calendar::selects(event, cluster) {
            hitting.push(sale);
        } else {
            others.push(sale.name);
        }
    }
    // Rehearsing without the sale that a file was given for would not answer the question.
    if hitting.is_empty()
        && let Some(event) = sales.first()
    {
        return Err(ObjectError::NotSelected {
            sale: event.name_any(),
            wanted: calendar::selector_in_words(event),
            held: calendar::cluster_in_words(cluster),
        });
    }
    if let Some(path) = list {
        hitting.extend(listed(path, args)?);
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
        measured: Measured::of(cluster),
        sales: hitting,
        others,
    })
}

fn clusters_in_words(names: &[String]) -> String {
    match names {
        [] => "no PaymentCluster".to_owned(),
        names => format!("the PaymentClusters {}", names.join(", ")),
    }
}

/// A list of T0s as sales of one phase each.
fn listed(path: &Path, args: &Args) -> Result<Vec<Sale>, ObjectError> {
    let sale = |(line, t0): (usize, Timestamp)| {
        let t0 = UnixMillis::from(t0);
        let until = t0.plus_s(i64::from(args.sales_minutes) * 60);
        let phase = SalePhase {
            name: "event".to_owned(),
            t0,
            until,
            uplift_percent: args.sales_uplift,
            confidence: Confidence::default(),
            planned_replicas: None,
            planned_later: Vec::new(),
        };
        Sale {
            name: format!("listed-{line}"),
            start: t0,
            end: until,
            level_max: LEVEL_MAX_USUAL,
            phases: vec![phase],
        }
    };
    Ok(read_instants(path)?.into_iter().map(sale).collect())
}
