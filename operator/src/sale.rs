//! One pass over one sale: what is planned per cluster, what stood at T0, what came of it.
//!
//! The clusters' own passes bring the pods up; this one publishes the plan they go by, and freezes
//! it once the pre-scale of a phase has begun, so that it survives a restart in mid-sale.

use std::{sync::Arc, time::Duration};

use floodgate_api::{SaleEvent, sale::status::SaleEventStatus};
use floodgate_planner::SalePhase;
use floodgate_settings::{ValidSale, retained_sale, validate_sale};
use floodgate_words::{ConditionType, Reason};
use kube::{
    Client, Resource, ResourceExt,
    runtime::{controller::Action, reflector::Store},
};

use crate::{
    clock::{Clock, jittered},
    conditions::{Verdict, merge},
    events::{self},
    metrics::{CategoryLabel, Metrics},
    nodes::Rooms,
    publisher::Publisher,
    snapshot::{ClusterKey, Snapshots},
    stores::{Guarded, GuardedSale},
    synced::Synced,
};

mod lateness;
mod ledger;
mod outcome;
mod preflight;
mod profile;
mod written;

pub use ledger::Ledger;
use outcome::{ClusterSeen, Stage};
use written::{refuse, write};

/// Pause between two passes while a pre-scale or a phase is under way.
const PERIOD_NEAR: Duration = Duration::from_secs(1);
/// Pause between two passes of a sale that lies ahead.
const PERIOD_FAR: Duration = Duration::from_secs(10);
/// Seconds for which the room on the nodes stands for the pre-flight.
const ROOM_AGE_S_MAX: f64 = 600.0;
/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(3);

/// What every pass over a sale works with.
pub struct SaleContext {
    /// Client whose writes pass the fence of leadership.
    pub client: Client,
    /// The clock.
    pub clock: Clock,
    /// Counters.
    pub metrics: Metrics,
    /// Says when every store was filled once.
    pub synced: Synced,
    /// What the loops leave for each other.
    pub snapshots: Arc<Snapshots>,
    /// Publishes Events.
    pub publisher: Publisher,
    /// Clusters as the watch has them.
    pub clusters: Store<Guarded>,
    /// Sales as the watch has them.
    pub sales: Store<GuardedSale>,
    /// What running phases have seen so far.
    pub ledger: Ledger,
    /// Room on the nodes, as it was read last.
    pub rooms: Arc<Rooms>,
}

/// A pass over a sale that failed.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// The status could not be written.
    #[error("cannot write the status of SaleEvent {0}")]
    Status(ClusterKey, #[source] Box<kube::Error>),
}

/// One pass.
pub async fn reconcile(
    object: Arc<GuardedSale>,
    ctx: Arc<SaleContext>,
) -> Result<Action, SaleError> {
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
            refuse(
                &ctx,
                &key,
                object.meta().generation,
                &status,
                refusal,
                &*object,
            )
            .await?;
            return Ok(Action::await_change());
        }
    };
    let all: Vec<Arc<SaleEvent>> = siblings(&ctx, &key.namespace);
    match validate_sale(event, event.learned_percent(all.iter().map(Arc::as_ref))) {
        Ok(valid) => pass(&ctx, &key, event, &valid, outcome::accepted(&valid)).await,
        Err(error) => {
            if let Some(valid) = retained_sale(event, None, ctx.clock.now()) {
                let message = format!("{error}; the last published plan holds");
                let kind = ConditionType::Accepted;
                let verdict = Verdict::new(kind, false, Reason::PlanRetained, message);
                return pass(&ctx, &key, event, &valid, verdict).await;
            }
            let status = event.status.clone().unwrap_or_default();
            let message = error.to_string();
            let refusal = (error.reason(), message.as_str());
            refuse(
                &ctx,
                &key,
                event.metadata.generation,
                &status,
                refusal,
                event,
            )
            .await?;
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
pub fn error_policy(_: Arc<GuardedSale>, _: &SaleError, ctx: Arc<SaleContext>) -> Action {
    let label = CategoryLabel {
        category: "sale_status",
    };
    ctx.metrics.reconcile_failures.get_or_create(&label).inc();
    Action::requeue(jittered(RETRY, 300))
}

async fn pass(
    ctx: &SaleContext,
    key: &ClusterKey,
    event: &SaleEvent,
    valid: &ValidSale,
    accepted: Verdict,
) -> Result<Action, SaleError> {
    let now = ctx.clock.now();
    let before = event.status.clone().unwrap_or_default();
    if before.clusters.is_empty() && outcome::is_over(valid, now) {
        let message = "every phase was over before it could be planned; set `start`, `end` and every `t0` ahead";
        let refusal = (Reason::SalePast, message);
        refuse(ctx, key, event.metadata.generation, &before, refusal, event).await?;
        return Ok(Action::await_change());
    }
    let seen: Vec<ClusterSeen> = selected(ctx, key, valid);
    if seen.is_empty() {
        let refusal = (
            Reason::NoClusterMatches,
            "the selector matches no PaymentCluster",
        );
        refuse(ctx, key, event.metadata.generation, &before, refusal, event).await?;
        return Ok(Action::requeue(PERIOD_FAR));
    }
    ctx.ledger.note(key, valid, &seen, now);
    let reports = |cluster: &str, phase: &SalePhase| ctx.ledger.tally(key, cluster, phase);
    let generation = event.metadata.generation;
    let after = outcome::status(&before, generation, valid, &seen, reports, now);
    let room = if preflight::is_due(valid, now) {
        ctx.rooms.read(&ctx.client, now, ROOM_AGE_S_MAX).await
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
    let verdicts = outcome::verdicts(&after, valid, (accepted, prepared), now);
    let flips = merge::flips(&before.conditions, &verdicts);
    let conditions = merge::merged(&before.conditions, &verdicts, generation, now);
    let after = SaleEventStatus {
        conditions,
        ..after
    };
    if after != before {
        write(ctx, key, &after).await?;
        // The sum tells how far the sale has come; its parts only say why.
        let stages = flips
            .iter()
            .filter(|flip| flip.verdict.kind == ConditionType::Ready);
        for flip in stages {
            ctx.publisher
                .publish(&event.object_ref(&()), events::stage(&flip.verdict))
                .await;
        }
    }
    let stage = outcome::stage(&after, valid, now);
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
fn selected(ctx: &SaleContext, key: &ClusterKey, valid: &ValidSale) -> Vec<ClusterSeen> {
    let all = ctx.clusters.state();
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

fn siblings(ctx: &SaleContext, namespace: &str) -> Vec<Arc<SaleEvent>> {
    let all = ctx.sales.state();
    let readable = all.iter().filter_map(|sale| sale.0.as_ref().ok());
    readable
        .filter(|sale| sale.namespace().as_deref() == Some(namespace))
        .map(|sale| Arc::new(sale.clone()))
        .collect()
}
