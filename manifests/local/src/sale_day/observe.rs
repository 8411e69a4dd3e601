//! What is seen of the cluster each second: status of cluster and sale, Deployment, Lease.
//!
//! Names of fields are constants here and held to the generated CRDs by a test.
//! Invariant: what could not be read in a second is none in its row, never the value before it.

use serde_json::Value;

use super::api::Api;
use super::report::Row;

/// Namespace of the demo's PaymentCluster.
pub const NAMESPACE: &str = "pay";
/// Name of the demo's PaymentCluster.
pub const CLUSTER: &str = "checkout";
/// Name of the demo's SaleEvent.
pub const SALE: &str = "double-eleven";
/// Namespace of the operator.
pub const OPERATOR_NAMESPACE: &str = "floodgate-system";
/// The operator's Lease.
pub const LEASE: &str = "floodgate-operator";

const DESIRED: &str = "/status/replicas/desired";
const WARM: &str = "/status/replicas/warm";
const LEVEL: &str = "/status/level/current";
const LEVEL_REASON: &str = "/status/level/reason";
const FORECAST_P50: &str = "/status/forecast/p50Rps";
const FORECAST_UPPER: &str = "/status/forecast/upperRps";
const WINNER: &str = "/status/decision/winner";
const EXPLAIN: &str = "/status/decision/explain";
const OVERRIDES: &str = "/status/overrides";
const PLANNED: &str = "/status/plannedReplicas";

/// Path of the demo's PaymentCluster.
pub fn cluster_path() -> String {
    format!("/apis/floodgate.dev/v1alpha1/namespaces/{NAMESPACE}/paymentclusters/{CLUSTER}")
}

/// Path of the demo's SaleEvent.
pub fn sale_path() -> String {
    format!("/apis/floodgate.dev/v1alpha1/namespaces/{NAMESPACE}/saleevents/{SALE}")
}

/// Path of the Deployment the operator keeps.
pub fn deployment_path() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{CLUSTER}")
}

/// Path of the operator's Lease.
pub fn lease_path() -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/{LEASE}")
}

/// The objects of one second, null where one could not be read.
#[derive(Debug, Default)]
pub struct Seen {
    /// The PaymentCluster.
    pub cluster: Value,
    /// The SaleEvent.
    pub sale: Value,
    /// The Deployment.
    pub deployment: Value,
    /// The operator's Lease.
    pub lease: Value,
}

impl Seen {
    /// Reads all four at once.
    pub async fn look(api: &Api) -> Self {
        let paths = [cluster_path(), sale_path(), deployment_path(), lease_path()];
        let [cluster, sale, deployment, lease] =
            paths.each_ref().map(|path| api.read_or_null(path));
        let (cluster, sale, deployment, lease) = tokio::join!(cluster, sale, deployment, lease);
        Self {
            cluster,
            sale,
            deployment,
            lease,
        }
    }

    /// Fills the fields of a row that come from the cluster.
    pub fn fill(&self, row: &mut Row) {
        let Self {
            cluster,
            sale,
            deployment,
            lease,
        } = self;
        row.desired = number(cluster, DESIRED);
        row.warm = number(cluster, WARM);
        row.level = text(cluster, LEVEL).and_then(|level| level.parse().ok());
        row.level_reason = text(cluster, LEVEL_REASON).filter(|reason| !reason.is_empty());
        row.forecast_p50_rps = cluster.pointer(FORECAST_P50).and_then(Value::as_f64);
        row.forecast_upper_rps = cluster.pointer(FORECAST_UPPER).and_then(Value::as_f64);
        row.signals_fresh = condition(cluster, "SignalsFresh").map(|status| status == "True");
        row.source = text(cluster, WINNER);
        row.explain = text(cluster, EXPLAIN);
        row.overridden = cluster.get("status").map(|_| {
            let overrides = cluster.pointer(OVERRIDES).and_then(Value::as_array);
            overrides.is_some_and(|overrides| !overrides.is_empty())
        });
        row.planned = number(sale, PLANNED);
        row.replicas = number(deployment, "/spec/replicas");
        // A Deployment leaves out `readyReplicas` when it is 0.
        row.ready = deployment
            .get("status")
            .map(|status| number(status, "/readyReplicas").unwrap_or(0));
        row.leader = text(lease, "/spec/holderIdentity");
    }
}

/// Status of a condition: `True`, `False` or `Unknown`.
pub fn condition(object: &Value, kind: &str) -> Option<String> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let condition = conditions
        .iter()
        .find(|condition| condition["type"] == kind)?;
    text(condition, "/status")
}

/// Whether a pod's Ready condition is True.
pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").as_deref() == Some("True")
}

fn number(object: &Value, pointer: &str) -> Option<u32> {
    object
        .pointer(pointer)?
        .as_u64()
        .and_then(|number| number.try_into().ok())
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use floodgate_words::Level;
    use serde_json::{Value, json};

    use super::{Seen, condition};
    use crate::sale_day::report::Row;

    fn seen() -> Seen {
        Seen {
            cluster: json!({ "status": {
                "replicas": { "desired": 9, "ready": 8, "warm": 7 },
                "level": { "current": "Guard" },
                "forecast": { "p50Rps": 41, "upperRps": 58 },
                "decision": { "winner": "sale", "explain": "sale bids 9" },
                "overrides": [{ "name": "floor-replicas" }],
                "conditions": [
                    { "type": "SignalsFresh", "status": "False", "reason": "Stale", "message": "12 s old" },
                    { "type": "Degraded", "status": "False", "reason": "Normal", "message": "" },
                ],
            }}),
            sale: json!({ "status": { "plannedReplicas": 9 } }),
            deployment: json!({ "spec": { "replicas": 9 }, "status": { "readyReplicas": 8 } }),
            lease: json!({ "spec": { "holderIdentity": "floodgate-operator-1" } }),
        }
    }

    #[test]
    fn a_row_is_filled_from_what_was_seen() {
        let mut row = Row::default();
        seen().fill(&mut row);
        assert_eq!(
            (row.desired, row.warm, row.replicas, row.ready, row.planned),
            (Some(9), Some(7), Some(9), Some(8), Some(9))
        );
        assert_eq!(
            (row.level, row.signals_fresh),
            (Some(Level::Guard), Some(false))
        );
        assert_eq!(
            (row.forecast_p50_rps, row.forecast_upper_rps),
            (Some(41.0), Some(58.0))
        );
        assert_eq!(
            (row.source.as_deref(), row.overridden),
            (Some("sale"), Some(true))
        );
        assert_eq!(row.leader.as_deref(), Some("floodgate-operator-1"));
    }

    #[test]
    fn what_was_not_seen_is_none_even_if_it_was_there_before() {
        let mut row = Row::default();
        seen().fill(&mut row);
        Seen::default().fill(&mut row);
        assert_eq!(row, Row::default());
    }

    #[test]
    fn conditions_are_found_by_their_type() {
        let cluster = seen().cluster;
        assert_eq!(
            condition(&cluster, "SignalsFresh").as_deref(),
            Some("False")
        );
        assert_eq!(condition(&cluster, "Ready"), None);
    }

    /// Whether the schema of a generated CRD has the field at a JSON pointer.
    fn assert_in_schema(crd: &str, pointer: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../crds")
            .join(crd);
        let crd: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut schema = crd
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .unwrap();
        for name in pointer.split('/').skip(1) {
            schema = schema
                .pointer(&format!("/properties/{name}"))
                .unwrap_or_else(|| panic!("{pointer}"));
        }
    }

    #[test]
    fn every_field_that_is_read_stands_in_the_crds() {
        for pointer in [
            super::DESIRED,
            super::WARM,
            super::LEVEL,
            super::LEVEL_REASON,
            super::FORECAST_P50,
            super::FORECAST_UPPER,
            super::WINNER,
            super::EXPLAIN,
            super::OVERRIDES,
            "/status/conditions",
        ] {
            assert_in_schema("paymentclusters.yaml", pointer);
        }
        assert_in_schema("saleevents.yaml", super::PLANNED);
    }
}
