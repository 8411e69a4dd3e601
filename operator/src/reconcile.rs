//! One pass over one cluster: observe, validate, plan, build, apply, status.
//!
//! A pass ignores why it runs and starts from the top; what the next one needs and no object holds
//! is remembered here and nowhere else. Waiting is a value, not an error.

use std::{sync::Arc, time::Duration};

use floodgate_api::PaymentCluster;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Resource, runtime::controller::Action};
use tokio::time::timeout;

use crate::{
    apply::{Applier, ApplyError},
    build::{Applied, BuildInput, Prepared, Resources, build, control_secret_name},
    conditions::{self, Standing},
    context::Context,
    metrics::CategoryLabel,
    observe::{ObserveError, observe},
    plan::{Before, Planned, plan},
    secrets::control_token,
    snapshot::ClusterKey,
    status::StatusError,
    stores::Guarded,
    validate::{ValidateError, ValidatedCluster, validate},
};

mod back_off;
mod conflict;
mod foreign_writes;
mod gauges;
mod pass;
mod refuse;
mod remembered;
mod report;
mod targets;

use back_off::BackOff;
use conflict::conflict;
use pass::Pass;
use remembered::{Memories, Remembered};

/// Reconciles clusters.
pub struct Reconciler {
    ctx: Arc<Context>,
    memories: Memories,
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

/// Longest pass. Requests have no deadline of their own; a connection that died silently must
/// not hold a cluster for longer (F42).
const PASS_MAX: Duration = Duration::from_secs(20);
/// Pause before a missing Secret is looked for again.
const RETRY: Duration = Duration::from_secs(3);
impl Reconciler {
    /// A reconciler that remembers nothing yet.
    pub fn new(ctx: Arc<Context>) -> Self {
        let memories = Memories::default();
        Self { ctx, memories }
    }

    /// Forgets clusters that `exists` no longer knows.
    pub fn retain(&self, exists: impl Fn(&ClusterKey) -> bool) {
        self.memories.retain(exists);
    }

    /// A pass, unless the last one failed and its back-off is not over.
    async fn pass_unless_backing_off(
        &self,
        key: &ClusterKey,
        cluster: Arc<PaymentCluster>,
        remembered: &mut Remembered,
    ) -> Result<Action, ReconcileError> {
        let now = || self.ctx.clock.now();
        let last = remembered.back_off.as_ref();
        if let Some(left) = last.and_then(|last| last.left(&cluster, now())) {
            return Ok(Action::requeue(left));
        }
        let last = remembered.back_off.take();
        let passing = Box::pin(pass(&self.ctx, key, Arc::clone(&cluster), remembered));
        let done = timeout(PASS_MAX, passing).await;
        let done = done.unwrap_or(Err(ReconcileError::TimedOut));
        if done.is_err() {
            let next = BackOff::after(last.as_ref(), &cluster, now(), rand::random());
            remembered.back_off = Some(next);
        }
        done
    }
}

/// One pass.
pub async fn reconcile(
    object: Arc<Guarded>,
    this: Arc<Reconciler>,
) -> Result<Action, ReconcileError> {
    // An empty store says nothing about what exists; a pass over one would take a running
    // Deployment for missing (S4).
    this.ctx.synced.wait().await;
    let _timer = this.ctx.metrics.time_reconcile();
    let key = ClusterKey::of(&*object);
    if object.meta().deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let memory = this.memories.of(&key);
    // Never contended: the controller runs one pass over an object at a time.
    let mut remembered = memory.lock().await;
    match &object.0 {
        Ok(cluster) => {
            let cluster = Arc::new(cluster.clone());
            this.pass_unless_backing_off(&key, cluster, &mut remembered)
                .await
        }
        Err(invalid) => {
            refuse::malformed(&this.ctx, &key, &mut remembered, invalid).await?;
            Ok(Action::await_change())
        }
    }
}

/// What to do after a failed pass.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature is the Controller's"
)]
pub fn error_policy(object: Arc<Guarded>, error: &ReconcileError, this: Arc<Reconciler>) -> Action {
    let label = CategoryLabel {
        category: error.category(),
    };
    let failures = &this.ctx.metrics.reconcile_failures;
    failures.get_or_create(&label).inc();
    match error {
        ReconcileError::Status(error) if error.is_gone() => Action::await_change(),
        ReconcileError::Observe(_)
        | ReconcileError::Apply(_)
        | ReconcileError::Status(_)
        | ReconcileError::TimedOut => {
            let memory = this.memories.of(&ClusterKey::of(&*object));
            let left = || {
                let remembered = memory.try_lock().ok()?;
                let cluster = object.0.as_ref().ok()?;
                remembered
                    .back_off
                    .as_ref()?
                    .left(cluster, this.ctx.clock.now())
            };
            Action::requeue(left().unwrap_or(RETRY))
        }
    }
}

async fn pass(
    ctx: &Context,
    key: &ClusterKey,
    cluster: Arc<PaymentCluster>,
    remembered: &mut Remembered,
) -> Result<Action, ReconcileError> {
    let cell = ctx.snapshots.cell(key);
    let written = remembered.deployment.as_ref();
    let observed = observe(
        &ctx.client,
        &ctx.stores,
        &ctx.clock,
        &cell,
        cluster,
        written,
    )
    .await?;
    let mut pass = Pass {
        ctx,
        key,
        cell: &cell,
        remembered,
        observed,
    };
    let conflict = conflict(&mut pass);
    let (valid, accepted) = match validate(&pass.observed.cluster, &pass.observed.secrets) {
        Ok(valid) => (valid, conditions::accepted()),
        Err(error) => match retained(&pass) {
            // What ran on the last valid spec goes on by it: overrides, sales and load still count.
            Some(valid) => (valid, conditions::not_accepted(&error)),
            None => return refused(&mut pass, &error).await,
        },
    };
    let before = Before {
        started_by: ctx.started_by,
        ordered: pass
            .remembered
            .deployment
            .as_ref()
            .and_then(|one| one.spec.replicas),
        by_hand: conflict.by_hand,
        ..pass.remembered.before.clone()
    };
    let planned = plan(&pass.observed, &valid, &before);
    let token = control_token(pass.observed.control_token.as_deref());
    targets::publish(&pass, &valid, &planned, &token);
    let (warm, now) = (planned.replica_state.warm, pass.observed.now);
    let standing = Standing {
        short_for_s: pass.remembered.short_for_s(warm, planned.replicas, now),
        foreign_writer: conflict.writer,
    };
    let input = BuildInput {
        replicas: conflict
            .yielded
            .unwrap_or_else(|| i32::try_from(planned.replicas).unwrap_or(i32::MAX)),
        before_override: planned.before_override,
        control_token: &token,
    };
    let applied = applied(&mut pass, build(&valid, &input)).await?;
    remember(&mut pass, &valid, &planned, &applied.deployment);
    gauges::set(&pass, &planned);
    report::report(&mut pass, &valid, &planned, &applied, &standing, accepted).await?;
    Ok(Action::requeue(report::pause(&pass.observed, &planned)))
}

/// Applies what was built; an object that belongs to somebody else is reported.
async fn applied(
    pass: &mut Pass<'_>,
    built: Resources<Prepared>,
) -> Result<Resources<Applied>, ReconcileError> {
    let Pass { ctx, key, .. } = *pass;
    let applier = Applier {
        client: &ctx.client,
        stores: &ctx.stores,
        metrics: &ctx.metrics,
        sent: &mut pass.remembered.sent,
    };
    let applied = Box::pin(applier.apply(built)).await;
    if let Err(error) = &applied
        && let Some(reason) = error.reason()
    {
        refuse::refuse(pass, reason, &error.to_string()).await?;
    }
    if applied.is_ok() && pass.observed.control_token.is_none() {
        let secret = control_secret_name(&key.name);
        ctx.stores.secrets.forget(&key.namespace, &secret);
    }
    Ok(applied?)
}

/// The last spec that was valid, if this process has acted on it; its generation is that of the
/// object, because the status is about this one.
fn retained(pass: &Pass<'_>) -> Option<ValidatedCluster> {
    let valid = pass.remembered.valid.clone()?;
    Some(ValidatedCluster {
        generation: pass.observed.cluster.metadata.generation,
        ..valid
    })
}

/// A cluster whose spec cannot be acted on says so and waits; what runs keeps running.
async fn refused(pass: &mut Pass<'_>, error: &ValidateError) -> Result<Action, ReconcileError> {
    refuse::refuse(pass, error.reason(), &error.to_string()).await?;
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
    pass: &mut Pass<'_>,
    valid: &ValidatedCluster,
    planned: &Planned,
    deployment: &Deployment,
) {
    let remembered = &mut *pass.remembered;
    remembered.valid = Some(valid.clone());
    remembered.before = Before {
        memory: Some(planned.decision.memory.clone()),
        policy: planned.policy.clone(),
        history_lost_at: pass.observed.forecast.history_lost_at,
        ..Before::default()
    };
    if deployment.metadata.resource_version.is_some() {
        remembered.deployment = Some(Arc::new(deployment.clone()));
    }
}
