//! The end of a pass: what its plan means, told in status and Events, and when the next one is due.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::Resource;

use super::{Context, RESYNC, conflict, publish};
use crate::{
    clock::seconds_between,
    conditions::{self, Standing, Verdict},
    events,
    observe::Observed,
    plan::Planned,
    snapshot::{Cell, ClusterKey},
    status::{self, StatusError},
    validate::ValidatedCluster,
};

/// How the plan stands against what runs.
pub(super) fn standing(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
    planned: &Planned,
) -> Standing {
    let foreign_writer = conflict::foreign_writer(ctx, key, cell, observed);
    let wanted = planned.replicas;
    let short = planned.replica_state.warm < wanted;
    let since = cell.with_remembered(|remembered| {
        let since = match remembered.short_since {
            _ if !short => None,
            // A plan that grows starts its own lead time.
            Some((since, planned)) if planned >= wanted => Some((since, wanted)),
            _ => Some((observed.now, wanted)),
        };
        remembered.short_since = since;
        since
    });
    Standing {
        short_for_s: since.map(|(since, _)| seconds_between(since, observed.now)),
        foreign_writer,
    }
}

/// Writes the status and publishes Events about what changed.
#[expect(
    clippy::too_many_arguments,
    reason = "the last step sees what all others made"
)]
pub(super) async fn tell(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
    valid: &ValidatedCluster,
    planned: &Planned,
    deployment: &Deployment,
    standing: &Standing,
    accepted: Verdict,
) -> Result<(), StatusError> {
    let before = status::standing(cell, &observed.cluster, observed.now);
    let verdicts = conditions::of(observed, valid, planned, deployment, standing, accepted);
    let verdicts = conditions::merge::carried_over(verdicts, &before.conditions);
    let flips = conditions::merge::flips(&before.conditions, &verdicts);
    let after = status::build_status(observed, valid, planned, &verdicts, before.clone());
    status::write(ctx, key, cell, &before, after, observed.now).await?;
    let about = observed.cluster.object_ref(&());
    if planned.replicas == planned.decision.replicas
        && let Some(event) = events::scaled(&planned.decision)
    {
        publish::count_decision(ctx, &planned.decision);
        ctx.publisher.publish(&about, event).await;
    }
    for flip in flips.iter().filter(|flip| flip.status_changed) {
        if let Some(event) = events::condition(&flip.verdict) {
            ctx.publisher.publish(&about, event).await;
        }
    }
    for remark in publish::new_remarks(cell, &planned.overrides, &before.conditions) {
        ctx.publisher.publish(&about, events::remark(&remark)).await;
    }
    Ok(())
}

/// Until the plan may change by itself: an override that lapses lapses then, not later.
pub(super) fn pause(observed: &Observed, planned: &Planned) -> Duration {
    let Some(wake) = planned.decision.next_wake.timestamp() else {
        return RESYNC;
    };
    let lapse = planned.overrides.active.iter().map(|one| one.until.0).min();
    let wake = lapse.map_or(wake, |lapse| wake.min(lapse));
    let pause = Duration::try_from(wake.duration_since(observed.now)).unwrap_or_default();
    pause.clamp(Duration::from_millis(20), RESYNC)
}
