//! The loops and controllers of a leading operator, and the watches they share.

use std::{sync::Arc, time::Duration};

use floodgate_planner::HoldCause;
use futures::{StreamExt, stream};
use kube::{
    Client,
    runtime::{Controller, WatchStreamExt, controller::Config, reflector::ObjectRef},
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    context::Context,
    control::ControlClient,
    forecast::Forecaster,
    metrics::Metrics,
    nodes::Rooms,
    publisher::Publisher,
    readiness::Readiness,
    reconcile::{self, Reconciler},
    sale::{self, SaleReconciler},
    sample::{Sampler, early_warm},
    snapshot::{ClusterKey, Snapshots},
    stores::{Guarded, Stores},
    synced::Synced,
};

mod tasks;
mod watches;

use tasks::{drive, forget_gone, log_pass, named, open_when_filled, pass_on, until_stopped};
use watches::Watches;
pub use watches::scoped;

/// Clusters reconciled at once: a pass is a few milliseconds of waiting for the apiserver.
const CONCURRENCY: u16 = 16;
/// Triggers of one cluster that come within this are one.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Triggers, nudges and new pods waiting, at most; what does not fit comes with the next round.
const QUEUE: usize = 4_096;

/// What an operator is made of.
#[derive(Clone)]
pub struct Operator {
    /// Client; its writes pass the fence of leadership.
    pub client: Client,
    /// Who signs Events.
    pub identity: String,
    /// Namespace to watch; none for all.
    pub namespace: Option<String>,
    /// Where every loop and step takes the time from.
    pub clock: Clock,
    /// What `/metrics` serves.
    pub metrics: Metrics,
    /// Says while a leader still waits for its watches.
    pub readiness: Readiness,
    /// How this process came to lead.
    pub started_by: HoldCause,
}

/// Why a leading operator ends other than by request.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// The HTTP client for pods cannot be made.
    #[error("cannot make an HTTP client")]
    Http(#[source] reqwest::Error),
    /// A task ended although nobody asked it to.
    #[error("{0} ended unexpectedly")]
    TaskEnded(&'static str),
}

/// Runs every loop until `stop`; an error when one of them ends by itself.
pub async fn operate(operator: Operator, stop: CancellationToken) -> Result<(), OperateError> {
    let mut tasks = JoinSet::new();
    let snapshots = Arc::new(Snapshots::default());
    let (trigger, triggers) = mpsc::channel(QUEUE);
    let (nudge, nudges) = mpsc::channel(QUEUE);
    let (pod_seen, pods_seen) = mpsc::channel(QUEUE);
    let mut watches = Watches::prepare(&operator.client, operator.namespace.as_deref());
    let (readiness, synced) = (operator.readiness.clone(), watches.synced.clone());
    let gate = open_when_filled(readiness, synced, stop.clone());
    named(&mut tasks, "the gate of the watches", gate);
    let pods = watches.pods.store.clone();
    let events = std::mem::replace(&mut watches.pods.events, stream::empty().boxed());
    named(
        &mut tasks,
        "the watch of pods",
        pass_on(events, pod_seen, stop.clone()),
    );
    let control = ControlClient::new(operator.metrics.clone()).map_err(OperateError::Http)?;
    let sampler = Sampler {
        snapshots: Arc::clone(&snapshots),
        pods,
        control,
        metrics: operator.metrics.clone(),
        clock: operator.clock.clone(),
        triggers: trigger,
    };
    let forecaster = Forecaster::new(
        Arc::clone(&snapshots),
        operator.client.clone(),
        operator.metrics.clone(),
        operator.clock.clone(),
    );
    named(
        &mut tasks,
        "early warm-up",
        early_warm::run(sampler.clone(), pods_seen, stop.clone()),
    );
    named(
        &mut tasks,
        "the sample loop",
        sampler.run(nudges, stop.clone()),
    );
    named(
        &mut tasks,
        "the forecast loop",
        forecaster.run(stop.clone()),
    );
    let rooms = Arc::new(Rooms::default());
    let reading = Arc::clone(&rooms);
    let reading = reading.run(
        operator.client.clone(),
        operator.clock.clone(),
        stop.clone(),
    );
    named(&mut tasks, "the reading of room on the nodes", reading);
    let stores = watches.stores(rooms);
    let ctx = context(operator, &watches.synced, snapshots, stores, nudge);
    let reconciler = Arc::new(Reconciler::new(Arc::clone(&ctx)));
    let care = forget_gone(Arc::clone(&ctx), Arc::clone(&reconciler), stop.clone());
    named(&mut tasks, "the care of gone clusters", care);
    let sales = Arc::new(SaleReconciler::new(ctx));
    run_controllers((reconciler, sales), watches, triggers, &mut tasks, &stop);
    until_stopped(tasks, &stop)
        .await
        .map_err(OperateError::TaskEnded)
}

/// What the passes of both controllers work with.
fn context(
    operator: Operator,
    synced: &Synced,
    snapshots: Arc<Snapshots>,
    stores: Stores,
    nudges: mpsc::Sender<ClusterKey>,
) -> Arc<Context> {
    let Operator {
        client,
        identity,
        namespace: _,
        clock,
        metrics,
        readiness: _,
        started_by,
    } = operator;
    Arc::new(Context {
        publisher: Publisher::new(client.clone(), &identity, metrics.clone()),
        client,
        clock,
        metrics,
        synced: synced.clone(),
        snapshots,
        stores,
        started_by,
        nudges,
    })
}

/// Starts both controllers on their watches.
fn run_controllers(
    (clusters, sales): (Arc<Reconciler>, Arc<SaleReconciler>),
    watches: Watches,
    triggers: mpsc::Receiver<ObjectRef<Guarded>>,
    tasks: &mut JoinSet<&'static str>,
    stop: &CancellationToken,
) {
    let owned = watches.owned;
    let autoscalers = drive("autoscalers", watches.autoscalers.events, stop.clone());
    named(tasks, "the watch of autoscalers", autoscalers);
    let quotas = drive("quotas", watches.quotas.events, stop.clone());
    named(tasks, "the watch of quotas", quotas);
    let config = Config::default()
        .concurrency(CONCURRENCY)
        .debounce(DEBOUNCE);
    let watched = watches.clusters;
    let controller = Controller::for_stream(watched.events.applied_objects(), watched.store)
        .with_config(config.clone())
        .owns_stream(watches.deployments.events.touched_objects())
        .owns_stream(owned.services.events.touched_objects())
        .owns_stream(owned.network_policies.events.touched_objects())
        .owns_stream(owned.disruption_budgets.events.touched_objects())
        .reconcile_on(stream::unfold(triggers, async |mut triggers| {
            Some((triggers.recv().await?, triggers))
        }))
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    let passes = controller.run(reconcile::reconcile, reconcile::error_policy, clusters);
    let name = "the controller of clusters";
    named(tasks, name, passes.for_each(log_pass));
    let watched = watches.sales;
    let controller = Controller::for_stream(watched.events.applied_objects(), watched.store)
        .with_config(config)
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    let passes = controller.run(sale::reconcile, sale::error_policy, sales);
    named(tasks, "the controller of sales", passes.for_each(log_pass));
}
