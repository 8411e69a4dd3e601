//! Objects that cannot be acted on: a condition and an Event, and nothing else changes.

use floodgate_api::{API_VERSION, PaymentCluster, cluster::status::PaymentClusterStatus};
use floodgate_words::{ConditionType, Reason};
use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{Resource, core::error_boundary::InvalidObject};

use super::{Context, ReconcileError};
use crate::{
    conditions::{self, merge},
    events,
    observe::Observed,
    snapshot::{Cell, ClusterKey},
    status,
};

/// Tells that a cluster cannot be acted on; the rest of its status stays as it is.
pub(super) async fn refuse(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
    reason: Reason,
    message: &str,
) -> Result<(), ReconcileError> {
    let before = status::standing(cell, &observed.cluster, observed.now);
    let verdicts = conditions::of_refused(reason, message);
    let generation = observed.cluster.metadata.generation;
    let refused = merge::merged(&before.conditions, &verdicts, generation, observed.now);
    // What an SRE said lapses also while nothing else can be decided (S9).
    let mut overrides = before.overrides.clone();
    overrides.retain(|word| word.until.0 > observed.now);
    let lapsed =
        |old: &Condition| old.type_ == ConditionType::Overridden.as_str() && overrides.is_empty();
    let kept = before
        .conditions
        .iter()
        .filter(|old| !refused.iter().any(|new| new.type_ == old.type_) && !lapsed(old));
    let conditions = refused.iter().chain(kept).cloned().collect();
    let after = PaymentClusterStatus {
        observed_generation: generation,
        conditions,
        overrides,
        ..before.clone()
    };
    let news = before != after;
    status::write(ctx, key, cell, &before, after, observed.now).await?;
    if news {
        let about = observed.cluster.object_ref(&());
        ctx.publisher
            .publish(&about, events::refused(reason, message))
            .await;
    }
    Ok(())
}

/// Tells that an object cannot even be read as its kind. Written once: the watch brings the object
/// again only when somebody changes it.
pub(super) async fn malformed(
    ctx: &Context,
    key: &ClusterKey,
    invalid: &InvalidObject,
) -> Result<(), ReconcileError> {
    let message = format!("the object cannot be read: {}", invalid.error);
    tracing::warn!(cluster = %key, error = invalid.error, "the object cannot be read");
    let verdicts = conditions::of_refused(Reason::Malformed, &message);
    let generation = invalid.metadata.generation;
    let status = PaymentClusterStatus {
        observed_generation: generation,
        conditions: merge::merged(&[], &verdicts, generation, ctx.clock.now()),
        ..PaymentClusterStatus::default()
    };
    let cell = ctx.snapshots.cell(key);
    if cell.with_remembered(|remembered| remembered.announced.contains(&message)) {
        return Ok(());
    }
    status::patch(ctx, key, &status).await?;
    cell.with_remembered(|remembered| remembered.announced.insert(message.clone()));
    let about = ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(PaymentCluster::kind(&()).into_owned()),
        name: Some(key.name.clone()),
        namespace: Some(key.namespace.clone()),
        uid: invalid.metadata.uid.clone(),
        ..ObjectReference::default()
    };
    ctx.publisher
        .publish(&about, events::refused(Reason::Malformed, &message))
        .await;
    Ok(())
}
