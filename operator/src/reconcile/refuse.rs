//! Objects that cannot be acted on: a condition and an Event, and nothing else changes.

use floodgate_api::{API_VERSION, PaymentCluster, PaymentClusterStatus};
use floodgate_words::{ConditionType, Reason};
use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{Resource, core::error_boundary::InvalidObject};

use super::{pass::Pass, remembered::Remembered};
use crate::{
    conditions::{self, merge},
    context::Context,
    events,
    snapshot::ClusterKey,
    status::{self, StatusError},
};

/// Reports that a cluster cannot be acted on; the rest of its status stays as it is.
pub(super) async fn refuse(
    pass: &mut Pass<'_>,
    reason: Reason,
    message: &str,
) -> Result<(), StatusError> {
    let before = pass.status();
    let now = pass.observed.now;
    let verdicts = conditions::of_refused(reason, message);
    let generation = pass.observed.cluster.metadata.generation;
    let refused = merge::merged(&before.conditions, &verdicts, generation, now);
    // Overrides lapse also while nothing else can be decided (S9).
    let mut overrides = before.overrides.clone();
    overrides.retain(|one| one.until.0 > now);
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
    pass.write_status(&before, after).await?;
    if news {
        pass.publish(events::refused(reason, message)).await;
    }
    Ok(())
}

/// Reports that an object cannot even be read as its kind. Written once: the watch brings the object
/// again only when somebody changes it.
pub(super) async fn malformed(
    ctx: &Context,
    key: &ClusterKey,
    remembered: &mut Remembered,
    invalid: &InvalidObject,
) -> Result<(), StatusError> {
    let message = format!("the object cannot be read: {}", invalid.error);
    tracing::warn!(cluster = %key, error = invalid.error, "the object cannot be read");
    let verdicts = conditions::of_refused(Reason::Malformed, &message);
    let generation = invalid.metadata.generation;
    let status = PaymentClusterStatus {
        observed_generation: generation,
        conditions: merge::merged(&[], &verdicts, generation, ctx.clock.now()),
        ..PaymentClusterStatus::default()
    };
    if remembered.announced.contains(&message) {
        return Ok(());
    }
    status::patch::<PaymentCluster>((&ctx.client, &ctx.metrics), key, &status).await?;
    remembered.announced.insert(message.clone());
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
