//! One pass over one cluster: observe, validate, plan, build, apply, status.
//!
//! A pass ignores why it runs and starts from the top; what the next one needs and no object holds
//! is in the cell. Waiting is a value, not an error.

use std::{collections::HashSet, sync::Arc, time::Duration};

use floodgate_api::{PaymentCluster, cluster::status::PaymentClusterStatus};
use floodgate_planner::HoldCause;
use jiff::Timestamp;
use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::ResourceQuota,
};
use kube::{
    Client, Resource,
    runtime::{controller::Action, reflector::Store},
};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    apply::{ApplyError, SentByKind, apply},
    build::{BuildInput, build},
    clock::Clock,
    conditions,
    metrics::{CategoryLabel, Metrics},
    nodes::Rooms,
    observe::{ObserveError, Observed, observe},
    plan::{Before, Planned, plan},
    publisher::Publisher,
    secrets::SecretCache,
    snapshot::{Cell, ClusterKey, Snapshots},
    status::StatusError,
    stores::{Guarded, GuardedSale, OwnedStores},
    synced::Synced,
    validate::{ValidateError, ValidatedCluster, validate},
};

mod conflict;
mod publish;
mod refuse;
mod rest;
mod tell;

pub use publish::token;
use tell::{pause, standing, tell};

/// What every pass works with.
pub struct Context {
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
    /// Secrets read lately.
    pub secrets: SecretCache,
    /// Deployments as the watch has them.
    pub deployments: Store<Deployment>,
    /// Sales as the watch has them.
    pub sales: Store<GuardedSale>,
    /// Other objects of clusters, their metadata only.
    pub owned: OwnedStores,
    /// Autoscalers of others.
    pub autoscalers: Store<HorizontalPodAutoscaler>,
    /// Quotas of the namespaces.
    pub quotas: Store<ResourceQuota>,
    /// Room on the nodes, as it was read last.
    pub rooms: Arc<Rooms>,
    /// How this process came to lead: what the first pass over a cluster holds for.
    pub started_by: HoldCause,
    /// Clusters whose pods are not to wait for the next round.
    pub nudges: mpsc::Sender<ClusterKey>,
}

/// What the next pass needs of the last one and that stands in no object.
#[derive(Debug, Default)]
pub struct Remembered {
    /// What was planned with, and what the planner wants back.
    pub before: Before,
    /// The last spec that was valid, as it was understood.
    pub valid: Option<ValidatedCluster>,
    /// What was applied, by kind.
    pub sent: SentByKind,
    /// The Deployment as the last apply returned it.
    pub deployment: Option<Arc<Deployment>>,
    /// Status last written, and when.
    pub status: Option<(Timestamp, PaymentClusterStatus)>,
    /// Remarks already published.
    pub announced: HashSet<String>,
    /// Since when fewer pods than planned are warm, and how many were planned.
    pub short_since: Option<(Timestamp, u32)>,
    /// When somebody else wrote the replicas.
    pub foreign: conflict::ForeignWrites,
    /// Until when a cluster whose pass failed rests.
    pub rest: Option<rest::Rest>,
}

/// A pass that failed.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Something could not be read.
    #[error("observe")]
    Observe(#[from] ObserveError),
    /// Something could not be applied.
    #[error("apply")]
    Apply(#[from] ApplyError),
    /// The status could not be written.
    #[error("status")]
    Status(#[from] StatusError),
    /// An answer of the apiserver did not come.
    #[error("the pass took longer than {} s", PASS_MAX.as_secs())]
    TimedOut,
}

impl ReconcileError {
    /// Label of this error in metrics and logs.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Observe(error) => error.category(),
            Self::Apply(error) => error.category(),
            Self::Status(_) => "status",
            Self::TimedOut => "timeout",
        }
    }
}

/// Longest pass. Requests have no deadline of their own; a connection that died without a word must
/// not hold a cluster for longer (F42).
const PASS_MAX: Duration = Duration::from_secs(20);
/// Pause before a missing Secret is looked for again.
const RETRY: Duration = Duration::from_secs(3);
/// Longest pause between two passes; the sample loop triggers far more often.
const RESYNC: Duration = Duration::from_secs(30);

/// One pass.
pub async fn reconcile(object: Arc<Guarded>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    // An empty store says nothing about what exists; a pass over one would take a running
    // Deployment for missing (S4).
    ctx.synced.wait().await;
    let _timer = ctx.metrics.time_reconcile();
    let key = ClusterKey::of(&*object);
    if object.meta().deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    match &object.0 {
        Ok(cluster) => rested_pass(&ctx, &key, Arc::new(cluster.clone())).await,
        Err(invalid) => {
            refuse::malformed(&ctx, &key, invalid).await?;
            Ok(Action::await_change())
        }
    }
}

/// What to do after a failed pass.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature is the Controller's"
)]
pub fn error_policy(object: Arc<Guarded>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    let label = CategoryLabel {
        category: error.category(),
    };
    ctx.metrics.reconcile_failures.get_or_create(&label).inc();
    match error {
        ReconcileError::Status(error) if error.is_gone() => Action::await_change(),
        ReconcileError::Observe(_)
        | ReconcileError::Apply(_)
        | ReconcileError::Status(_)
        | ReconcileError::TimedOut => {
            let cell = ctx.snapshots.cell(&ClusterKey::of(&*object));
            let rest = cell.with_remembered(|remembered| remembered.rest.clone());
            let left = |rest: rest::Rest| rest.left(object.0.as_ref().ok()?, ctx.clock.now());
            Action::requeue(rest.and_then(left).unwrap_or(RETRY))
        }
    }
}

/// A pass, unless the last one failed and the cluster rests.
async fn rested_pass(
    ctx: &Context,
    key: &ClusterKey,
    cluster: Arc<PaymentCluster>,
) -> Result<Action, ReconcileError> {
    let cell = ctx.snapshots.cell(key);
    let last = cell.with_remembered(|remembered| remembered.rest.take());
    if let Some(left) = last
        .as_ref()
        .and_then(|rest| rest.left(&cluster, ctx.clock.now()))
    {
        cell.with_remembered(|remembered| remembered.rest = last);
        return Ok(Action::requeue(left));
    }
    let passing = timeout(PASS_MAX, Box::pin(pass(ctx, key, Arc::clone(&cluster))));
    let done = passing.await.unwrap_or(Err(ReconcileError::TimedOut));
    if done.is_err() {
        let rest = rest::Rest::after(last.as_ref(), &cluster, ctx.clock.now(), rand::random());
        cell.with_remembered(|remembered| remembered.rest = Some(rest));
    }
    done
}

async fn pass(
    ctx: &Context,
    key: &ClusterKey,
    cluster: Arc<PaymentCluster>,
) -> Result<Action, ReconcileError> {
    let cell = ctx.snapshots.cell(key);
    let mut observed = observe(ctx, key, &cell, cluster).await?;
    observed.by_hand = conflict::note_writes(&cell, &observed);
    let (valid, accepted) = match validate(&observed.cluster, &observed.secrets) {
        Ok(valid) => (valid, conditions::accepted()),
        Err(error) => match retained(&cell, &observed) {
            // What ran on the last valid spec goes on by it: overrides, sales and load still count.
            Some(valid) => (valid, conditions::not_accepted(&error)),
            None => return refused(ctx, key, &cell, &observed, &error).await,
        },
    };
    let before = cell.with_remembered(|remembered| remembered.before.clone());
    let planned = plan(&observed, &valid, &before);
    let token = publish::token(&observed);
    publish::target(ctx, key, &cell, &observed, &valid, &planned, &token);
    let standing = standing(ctx, key, &cell, &observed, &planned);
    let input = BuildInput {
        replicas: conflict::yielded(&cell, &standing, &observed)
            .unwrap_or_else(|| i32::try_from(planned.replicas).unwrap_or(i32::MAX)),
        before_override: planned.before_override,
        control_token: &token,
    };
    let applied = Box::pin(apply(ctx, key, &cell, build(&valid, &input))).await;
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) => {
            if let Some(reason) = error.reason() {
                refuse::refuse(ctx, key, &cell, &observed, reason, &error.to_string()).await?;
            }
            return Err(error.into());
        }
    };
    if observed.control_token.is_none() {
        ctx.secrets.forget(
            &key.namespace,
            &crate::build::control_secret_name(&key.name),
        );
    }
    let deployment = Arc::new(applied.deployment);
    remember(&cell, &observed, &valid, &planned, &deployment);
    publish::metrics(ctx, key, &observed, &planned);
    tell(
        ctx,
        key,
        &cell,
        &observed,
        &valid,
        &planned,
        &deployment,
        &standing,
        accepted,
    )
    .await?;
    Ok(Action::requeue(pause(&observed, &planned)))
}

/// The last spec that was valid, if this process has acted on it; its generation is that of the
/// object, because the status tells of this one.
fn retained(cell: &Cell, observed: &Observed) -> Option<ValidatedCluster> {
    let valid = cell.with_remembered(|remembered| remembered.valid.clone())?;
    Some(ValidatedCluster {
        generation: observed.cluster.metadata.generation,
        ..valid
    })
}

/// A cluster whose spec cannot be acted on says so and waits; what runs keeps running.
async fn refused(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
    error: &ValidateError,
) -> Result<Action, ReconcileError> {
    refuse::refuse(ctx, key, cell, observed, error.reason(), &error.to_string()).await?;
    let secret = matches!(
        error,
        ValidateError::SecretNotFound { .. }
            | ValidateError::SecretKeyNotFound { .. }
            | ValidateError::SecretInvalid { .. }
    );
    // Secrets are not watched; anything else changes with the object.
    Ok(if secret {
        Action::requeue(RETRY)
    } else {
        Action::await_change()
    })
}

/// Keeps what the next pass needs.
fn remember(
    cell: &Cell,
    observed: &Observed,
    valid: &ValidatedCluster,
    planned: &Planned,
    deployment: &Arc<Deployment>,
) {
    cell.with_remembered(|remembered| {
        remembered.valid = Some(valid.clone());
        remembered.before = Before {
            memory: Some(planned.decision.memory.clone()),
            policy: planned.policy.clone(),
            history_lost_at: observed.forecast.history_lost_at,
        };
        if deployment.metadata.resource_version.is_some() {
            remembered.deployment = Some(Arc::clone(deployment));
        }
    });
}
