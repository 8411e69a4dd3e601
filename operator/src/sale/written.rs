//! The status of a sale, as it is written.

use floodgate_api::{API_VERSION, SaleEvent, apply_params, sale::status::SaleEventStatus};
use floodgate_words::Reason;
use kube::{
    Api, Resource,
    api::{ApiResource, DynamicObject, Patch},
};
use serde_json::json;

use super::{SaleContext, SaleError};
use crate::{conditions::merge, events, metrics::KindLabel, snapshot::ClusterKey};

/// Tells that a sale cannot be acted on.
pub(super) async fn refuse<K: Resource<DynamicType = ()>>(
    ctx: &SaleContext,
    key: &ClusterKey,
    generation: Option<i64>,
    before: &SaleEventStatus,
    (reason, message): (Reason, &str),
    object: &K,
) -> Result<(), SaleError> {
    let verdicts = crate::conditions::of_refused(reason, message);
    let conditions = merge::merged(&before.conditions, &verdicts, generation, ctx.clock.now());
    let after = SaleEventStatus {
        observed_generation: generation,
        conditions,
        ..before.clone()
    };
    if after == *before {
        return Ok(());
    }
    write(ctx, key, &after).await?;
    ctx.publisher
        .publish(&object.object_ref(&()), events::refused(reason, message))
        .await;
    Ok(())
}

pub(super) async fn write(
    ctx: &SaleContext,
    key: &ClusterKey,
    status: &SaleEventStatus,
) -> Result<(), SaleError> {
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": key.name },
        "status": status,
    });
    // The answer is not read as a sale: one that cannot be read is told so, too.
    let kind = ApiResource::erase::<SaleEvent>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &kind);
    let written = api
        .patch_status(&key.name, &apply_params(), &Patch::Apply(&body))
        .await;
    match written {
        Ok(_) => {
            ctx.metrics
                .writes
                .get_or_create(&KindLabel { kind: "SaleEvent" })
                .inc();
            Ok(())
        }
        // Deleted meanwhile: there is nothing to tell.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(SaleError::Status(key.clone(), Box::new(source))),
    }
}
