//! The status of a sale, as it is written.

use floodgate_api::{SaleEvent, sale::status::SaleEventStatus};
use floodgate_words::Reason;
use kube::Resource;

use crate::{
    conditions::{merge, of_refused},
    context::Context,
    events,
    snapshot::ClusterKey,
    status::{StatusError, patch},
};

/// Publishes that a sale cannot be acted on.
pub(super) async fn refuse<K: Resource<DynamicType = ()>>(
    ctx: &Context,
    before: &SaleEventStatus,
    (reason, message): (Reason, &str),
    object: &K,
) -> Result<(), StatusError> {
    let generation = object.meta().generation;
    let verdicts = of_refused(reason, message);
    let conditions = merge::merged(&before.conditions, &verdicts, generation, ctx.clock.now());
    let after = SaleEventStatus {
        observed_generation: generation,
        conditions,
        ..before.clone()
    };
    if after == *before {
        return Ok(());
    }
    write(ctx, &ClusterKey::of(object), &after).await?;
    ctx.publisher
        .publish(&object.object_ref(&()), events::refused(reason, message))
        .await;
    Ok(())
}

/// Writes the status; one of a sale that was deleted meanwhile is nobody's.
pub(super) async fn write(
    ctx: &Context,
    key: &ClusterKey,
    status: &SaleEventStatus,
) -> Result<(), StatusError> {
    match patch::<SaleEvent>((&ctx.client, &ctx.metrics), key, status).await {
        Err(error) if error.is_gone() => Ok(()),
        written => written,
    }
}
