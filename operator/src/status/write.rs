//! Writes the status of a cluster when it says something new.
//!
//! Facts a person acts on (conditions, replicas, decision, level, overrides, sale) are written at
//! once; numbers that move all the time (load, forecast) are written at most every ten seconds,
//! because every write is a write of the apiserver's log and of every watcher (S11).

use std::borrow::Cow;

use floodgate_api::{API_VERSION, PaymentCluster, PaymentClusterStatus, apply_params};
use jiff::Timestamp;
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, Patch},
};
use serde::Serialize;
use serde_json::json;

use super::decision::NUMBERS_PERIOD_S;
use crate::{clock::seconds_between, metrics::Metrics, snapshot::ClusterKey};

/// Seconds within which the watch brings back what was written.
const WATCH_LAG_S: f64 = 5.0;

/// The status as this process wrote it last, and when.
pub type Written = (Timestamp, PaymentClusterStatus);

/// The status cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the status of {kind} {key}")]
pub struct StatusError {
    kind: Cow<'static, str>,
    key: ClusterKey,
    #[source]
    source: Box<kube::Error>,
}

impl StatusError {
    /// Whether the object is gone, which needs no status.
    pub fn is_gone(&self) -> bool {
        matches!(&*self.source, kube::Error::Api(status) if status.code == 404)
    }
}

/// The status in force: what this process wrote a moment ago, which the watch may not have brought
/// back yet, or else what the object says.
pub fn current(
    written: Option<&Written>,
    cluster: &PaymentCluster,
    now: Timestamp,
) -> PaymentClusterStatus {
    match written {
        Some((at, known)) if seconds_between(*at, now) < WATCH_LAG_S => known.clone(),
        _ => cluster.status.clone().unwrap_or_default(),
    }
}

/// Writes `after` when it says something else than `before`, or when only numbers moved and it is
/// time.
pub async fn write(
    (client, metrics): (&Client, &Metrics),
    key: &ClusterKey,
    written: &mut Option<Written>,
    before: &PaymentClusterStatus,
    after: PaymentClusterStatus,
    now: Timestamp,
) -> Result<(), StatusError> {
    if *before == after {
        return Ok(());
    }
    let numbers_due = written
        .as_ref()
        .is_none_or(|(at, _)| seconds_between(*at, now) >= NUMBERS_PERIOD_S);
    if facts(before) == facts(&after) && !numbers_due {
        return Ok(());
    }
    patch::<PaymentCluster>((client, metrics), key, &after).await?;
    *written = Some((now, after));
    Ok(())
}

/// Sends the status of a cluster or a sale as it is.
pub async fn patch<K: Resource<DynamicType = ()>>(
    (client, metrics): (&Client, &Metrics),
    key: &ClusterKey,
    status: &impl Serialize,
) -> Result<(), StatusError> {
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": K::kind(&()),
        "metadata": { "name": key.name },
        "status": status,
    });
    // The answer is not read as a `K`: an object that cannot be read as one gets a status, too.
    let kind = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &key.namespace, &kind);
    let patch = Patch::Apply(&body);
    let sent = api.patch_status(&key.name, &apply_params(), &patch).await;
    sent.map_err(|source| StatusError {
        kind: K::kind(&()),
        key: key.clone(),
        source: Box::new(source),
    })?;
    metrics.count_write(K::kind(&()));
    Ok(())
}

/// The part of a status that is written at once: everything but what moves by itself.
fn facts(status: &PaymentClusterStatus) -> PaymentClusterStatus {
    let mut facts = status.clone();
    facts.load_rps = None;
    facts.lead_time = None;
    facts.forecast = None;
    if let Some(capacity) = &mut facts.capacity {
        capacity.warm_total_rps = 0;
        capacity.rps = 0;
        capacity.samples = None;
    }
    if let Some(decision) = &mut facts.decision {
        decision.explain.clear();
        decision.bids.clear();
    }
    facts
}
