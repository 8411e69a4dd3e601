//! One pass over one sale: the plan of each cluster, its pods at T0, and what came of it.
//!
//! The clusters' own passes bring the pods up; this one publishes the plan they go by, and freezes
//! it once the pre-scale of a phase has begun, so that it survives a restart in mid-sale.

use std::{sync::Arc, time::Duration};

use floodgate_api::{SaleEvent, sale::status::SaleEventStatus};
use floodgate_planner::SalePhase;
use floodgate_settings::{ValidSale, retained_sale, validate_sale};
use floodgate_words::{ConditionType, Reason};
use kube::{Resource, ResourceExt, runtime::controller::Action};

use crate::{
    clock::jittered,
    conditions::{Verdict, merge},
    context::Context,
    events::{self},
    metrics::CategoryLabel,
    snapshot::ClusterKey,
    status::StatusError,
    stores::GuardedSale,
};

mod conditions;
mod lateness;
mod plan;
mod preflight;
mod profile;
mod records;
mod seen;
mod stage;
mod status;
mod write;

use records::PhaseRecords;
use seen::ClusterSeen;
use stage::Stage;
use write::{refuse, write};

/// Pause between two passes while a pre-scale or a phase is under way.
const PERIOD_NEAR: Duration = Duration::from_secs(1);
/// Pause between two passes of a sale that lies ahead.
const PERIOD_FAR: Duration = Duration::from_secs(10);
/// Seconds for which a reading of the room on the nodes serves the pre-flight.
const ROOM_AGE_S_MAX: f64 = 600.0;
/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(3);

/// Reconciles sales.
pub struct SaleReconciler {
    ctx: Arc<Context>,
    /// What running phases have seen so far.
    records: PhaseRecords,
}

impl SaleReconciler {
    /// A reconciler that has seen nothing yet.
    pub fn new(ctx: Arc<Context>) -> Self {
        let records = PhaseRecords::default();
        Self { ctx, records }
    }
}

/// One pass.
pub async fn reconcile(
    object: Arc<GuardedSale>,
    this: Arc<SaleReconciler>,
) -> Result<Action, StatusError> {
    let ctx = &this.ctx;
    ctx.synced.wait().await;
    if object.meta().deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let key = ClusterKey::of(&*object);
    let event = match &object.0 {
        Ok(event) => event,
        Err(invalid) => {
            let status = SaleEventStatus::default();
            let message = format!("the object cannot be read: {}", invalid.error);
            let refusal = (Reason::Malformed, message.as_str());
            refuse(ctx, &status, refusal, &*object).await?;
            return Ok(Action::await_change());
        }
    };
    let all = ctx.stores.sales_in(&key.namespace);
    match validate_sale(event, event.learned_percent(all.iter().map(Arc::as_ref))) {
        Ok(valid) => pass(&this, &key, event, &valid, conditions::accepted(&valid)).await,
        Err(error) => {
            if let Some(valid) = retained_sale(event, None, ctx.clock.now()) {
                let message = format!("{error}; the last published plan holds");
                let kind = ConditionType::Accepted;
                let verdict = Verdict::new(kind, false, Reason::PlanRetained, message);
                return pass(&this, &key, event, &valid, verdict).await;
            }
            let status = event.status.clone().unwrap_or_default();
            let message = error.to_string();
            let refusal = (error.reason(), message.as_str());
            refuse(ctx, &status, refusal, event).await?;
            // What `learnFrom` names may appear or end.
            Ok(Action::requeue(PERIOD_FAR))
        }
    }
}

/// What to do after a failed pass.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature is the Controller's"
)]
pub fn error_policy(_: Arc<GuardedSale>, _: &StatusError, this: Arc<SaleReconciler>) -> Action {
    let label = CategoryLabel {
        category: "sale_status",
    };
    let failures = &this.ctx.metrics.reconcile_failures;
    failures.get_or_create(&label).inc();
    Action::requeue(jittered(RETRY, 300))
}

async fn pass(
    this: &SaleReconciler,
    key: &ClusterKey,
    event: &SaleEvent,
    valid: &ValidSale,
    accepted: Verdict,
) -> Result<Action, StatusError> {
    let SaleReconciler { ctx, records } = this;
    let now = ctx.clock.now();
    let before = event.status.clone().unwrap_or_default();
    if before.clusters.is_empty() && stage::is_over(valid, now) {
        let message = "every phase was over before it could be planned; set `start`, `end` and every `t0` ahead";
        let refusal = (Reason::SalePast, message);
        refuse(ctx, &before, refusal, event).await?;
        return Ok(Action::await_change());
    }
    let seen: Vec<ClusterSeen> = selected(ctx, key, valid);
    if seen.is_empty() {
        let refusal = (
            Reason::NoClusterMatches,
            "the selector matches no PaymentCluster",
        );
        refuse(ctx, &before, refusal, event).await?;
        return Ok(Action::requeue(PERIOD_FAR));
    }
    records.note(key, valid, &seen, now);
    let reports = |cluster: &str, phase: &SalePhase| records.record(key, cluster, phase);
    let generation = event.metadata.generation;
    let after = status::status(&before, generation, valid, &seen, reports, now);
    let room = if preflight::is_due(valid, now) {
        ctx.stores
            .rooms
            .read(&ctx.client, now, ROOM_AGE_S_MAX)
            .await
    } else {
        None
    };
    let prepared = preflight::prepared(
        &after,
        valid,
        &seen,
        room.as_deref().map(|read| &read.room),
        now,
    );
    let verdicts = conditions::verdicts(&after, valid, (accepted, prepared), now);
    let flips = merge::flips(&before.conditions, &verdicts);
    let conditions = merge::merged(&before.conditions, &verdicts, generation, now);
    let after = SaleEventStatus {
        conditions,
        ..after
    };
    if after != before {
        write(ctx, key, &after).await?;
        // The sum says how far the sale has come; its parts only say why.
        let stages = flips
            .iter()
            .filter(|flip| flip.verdict.kind == ConditionType::Ready);
        for flip in stages {
            ctx.publisher
                .publish(&event.object_ref(&()), events::stage(&flip.verdict))
                .await;
        }
    }
    let stage = stage::stage(&after, valid, now);
    Ok(match stage {
        Stage::Completed => Action::requeue(Duration::from_secs(600)),
        Stage::Scheduled | Stage::Prescaling | Stage::Running => {
            Action::requeue(pause(&after, valid, stage, now))
        }
    })
}

/// Until the next second at which something must be noted: T0 above all.
fn pause(
    status: &SaleEventStatus,
    valid: &ValidSale,
    stage: Stage,
    now: jiff::Timestamp,
) -> Duration {
    let usual = if stage == Stage::Scheduled {
        PERIOD_FAR
    } else {
        PERIOD_NEAR
    };
    let starts = status.clusters.iter().flat_map(|cluster| &cluster.phases);
    let starts = starts.map(|phase| phase.prescale_start.0);
    let edges = valid
        .sale
        .phases
        .iter()
        .flat_map(|phase| [phase.t0, phase.until]);
    let next = edges
        .filter_map(floodgate_planner::UnixMillis::timestamp)
        .chain(starts)
        .filter(|at| *at > now)
        .map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default())
        .min();
    next.map_or(usual, |next| next.min(usual))
        .max(Duration::from_millis(20))
}

/// The clusters a sale hits, with what their own passes left.
fn selected(ctx: &Context, key: &ClusterKey, valid: &ValidSale) -> Vec<ClusterSeen> {
    let all = ctx.stores.clusters.state();
    let here = all
        .iter()
        .filter_map(|cluster| cluster.0.as_ref().ok())
        .filter(|cluster| {
            cluster.namespace().as_deref() == Some(&key.namespace) && valid.selects(cluster)
        });
    let mut seen: Vec<ClusterSeen> = here
        .map(|cluster| {
            let cell = ctx.snapshots.cell(&ClusterKey::of(cluster));
            ClusterSeen {
                name: cluster.name_any(),
                planning: cell.planning.load_full(),
                pods: cell.pods.load_full(),
            }
        })
        .collect();
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    seen
}
