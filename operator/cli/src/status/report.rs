//! What `status` says of a cluster.

use floodgate_api::{PaymentCluster, PaymentClusterStatus};
use kube::ResourceExt;
use serde::Serialize;

use super::judge::{Judgement, judge};
use crate::moment::Moment;
use crate::point::Point;
use crate::query::{Found, QueryArgs, Source, namespace_of};

/// A cluster with what is wrong, as `-o json` prints it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    pub namespace: String,
    pub name: String,
    /// `Wrong` or `Fine`.
    pub verdict: &'static str,
    /// What is wrong, worst first.
    pub problems: Vec<Point>,
    /// What is only worth knowing.
    pub notes: Vec<Point>,
    /// The status as the operator wrote it.
    pub status: PaymentClusterStatus,
    /// The object itself; none where it cannot be read.
    #[serde(skip)]
    pub cluster: Option<PaymentCluster>,
}

/// Judges what was found.
pub fn report(
    found: Found<PaymentCluster>,
    source: &Source,
    query: &QueryArgs,
    moment: &Moment,
) -> ClusterReport {
    match found {
        Ok(cluster) => {
            let Judgement {
                mut problems,
                mut notes,
            } = judge(&cluster, moment.now());
            notes.splice(0..0, query.age([&cluster], moment));
            if cluster.status.is_none() {
                problems.insert(0, source.unseen("cluster"));
            }
            ClusterReport {
                namespace: namespace_of(&cluster),
                name: cluster.name_any(),
                verdict: if problems.is_empty() { "Fine" } else { "Wrong" },
                problems,
                notes,
                status: cluster.status.clone().unwrap_or_default(),
                cluster: Some(cluster),
            }
        }
        Err(unreadable) => {
            let cause = unreadable.cause;
            let what = format!("The object cannot be read as a PaymentCluster: {cause}");
            ClusterReport {
                namespace: unreadable.namespace,
                name: unreadable.name,
                verdict: "Wrong",
                problems: vec![Point::new(what, "Malformed", None)],
                notes: Vec::new(),
                status: PaymentClusterStatus::default(),
                cluster: None,
            }
        }
    }
}
