//! The loops and controllers of a leading operator, and the watches they share.

use std::{sync::Arc, time::Duration};

use floodgate_planner::HoldCause;
use futures::{StreamExt, stream};
use k8s_openapi::{NamespaceResourceScope, api::core::v1::Pod};
use kube::{
    Api, Client, Resource,
    runtime::{
        Controller, WatchStreamExt,
        controller::{self, Action, Config},
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    control::ControlClient,
    events::Publisher,
    forecast::Forecaster,
    metrics::{ClusterLabels, Metrics},
    readiness::Readiness,
    reconcile::{self, Context, Guarded, OwnedStores},
    run::RunError,
    sale::{self, SaleContext},
    sample::{Sampler, early_warm},
    secrets::SecretCache,
    snapshot::{ClusterKey, Snapshots},
    synced::Synced,
    telemetry::chain,
};

mod watches;

use watches::{Events, Watches};

/// Clusters reconciled at once: a pass is a few milliseconds of waiting for the apiserver.
const CONCURRENCY: u16 = 16;
/// Triggers of one cluster that come within this are one.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Triggers, nudges and new pods waiting, at most; what does not fit comes with the next round.
const QUEUE: usize = 4_096;
/// How long running passes may take to end.
const DRAIN: Duration = Duration::from_secs(8);

/// Pause between two looks for clusters that are gone.
const CARE_PERIOD: Duration = Duration::from_secs(10);

/// What an operator is made of.
#[derive(Clone)]
pub struct Operator {
    /// Client; its writes pass the fence of leadership.
    pub client: Client,
    /// Who signs Events.
    pub identity: String,
    /// Namespace to watch; none for all.
    pub namespace: Option<String>,
    /// The clock.
    pub clock: Clock,
    /// Counters.
    pub metrics: Metrics,
    /// Says while a leader still waits for its watches.
    pub readiness: Readiness,
    /// How this process came to lead.
    pub started_by: HoldCause,
}

/// Name of the gate that the first lists of all watches open.
const GATE_WATCHES: &str = "watches filled";

/// An API in one namespace or in all.
pub fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Runs every loop until `stop`; an error when one of them ends by itself.
pub async fn operate(operator: Operator, stop: CancellationToken) -> Result<(), RunError> {
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
    let control = ControlClient::new(operator.metrics.clone()).map_err(RunError::Http)?;
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
    let contexts = contexts(&operator, &snapshots, &watches, nudge);
    let care = forget_gone(
        operator.metrics,
        watches.synced.clone(),
        snapshots,
        watches.clusters.store.clone(),
        stop.clone(),
    );
    named(&mut tasks, "the care of gone clusters", care);
    run_controllers(contexts, watches, triggers, &mut tasks, &stop);
    until_stopped(tasks, &stop).await
}

/// Waits for `stop`, or for a task that ends by itself, and lets what runs come to its end.
async fn until_stopped(
    mut tasks: JoinSet<&'static str>,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let ended = tokio::select! {
        // Asked first: a task that ends because it was asked to is no failure.
        biased;
        () = stop.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => Err(RunError::TaskEnded(ended.unwrap_or("a task"))),
    };
    stop.cancel();
    let drained = timeout(DRAIN, async {
        while let Some(task) = tasks.join_next().await {
            tracing::debug!(task = task.unwrap_or("a task that failed"), "ended");
        }
    });
    let drained = drained.await;
    if drained.is_err() {
        tracing::warn!("running passes did not end in time");
    }
    ended
}

fn named(
    tasks: &mut JoinSet<&'static str>,
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) {
    tasks.spawn(async move {
        task.await;
        name
    });
}

/// Keeps the process unready until every watch has had its first list: a forbidden one is then
/// seen, and named, instead of silently stopping every pass.
async fn open_when_filled(readiness: Readiness, synced: Synced, stop: CancellationToken) {
    readiness.close(GATE_WATCHES);
    tokio::select! {
        () = stop.cancelled() => return,
        () = synced.wait() => readiness.open(GATE_WATCHES),
    }
    stop.cancelled().await;
}

/// Passes the states of pods on to early warm-up, as they come.
async fn pass_on(pods: Events<Pod>, seen: mpsc::Sender<Pod>, stop: CancellationToken) {
    let pods = pods.applied_objects().take_until(stop.cancelled_owned());
    let mut pods = std::pin::pin!(pods);
    while let Some(pod) = pods.next().await {
        match pod {
            // A full queue only costs the second until the next round.
            Ok(pod) => drop(seen.try_send(pod)),
            Err(error) => log_watch("pods", &error),
        }
    }
}

/// Polls a watch whose events trigger nothing by themselves.
async fn drive<K>(what: &'static str, events: Events<K>, stop: CancellationToken) {
    let events = events.take_until(stop.cancelled_owned());
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        if let Err(error) = event {
            log_watch(what, &error);
        }
    }
}

/// What the passes of both controllers work with.
fn contexts(
    operator: &Operator,
    snapshots: &Arc<Snapshots>,
    watches: &Watches,
    nudges: mpsc::Sender<ClusterKey>,
) -> (Context, SaleContext) {
    let Operator {
        client,
        identity,
        clock,
        metrics,
        namespace: _,
        readiness: _,
        started_by,
    } = operator.clone();
    let publisher = Publisher::new(client.clone(), &identity, metrics.clone());
    let clusters = Context {
        client: client.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        synced: watches.synced.clone(),
        snapshots: Arc::clone(snapshots),
        publisher: publisher.clone(),
        secrets: SecretCache::default(),
        deployments: watches.deployments.store.clone(),
        sales: watches.sales.store.clone(),
        owned: OwnedStores {
            services: watches.owned.services.store.clone(),
            network_policies: watches.owned.network_policies.store.clone(),
            disruption_budgets: watches.owned.disruption_budgets.store.clone(),
        },
        autoscalers: watches.autoscalers.store.clone(),
        quotas: watches.quotas.store.clone(),
        started_by,
        nudges,
    };
    let sales = SaleContext {
        client,
        clock,
        metrics,
        synced: watches.synced.clone(),
        snapshots: Arc::clone(snapshots),
        publisher,
        clusters: watches.clusters.store.clone(),
        sales: watches.sales.store.clone(),
        ledger: sale::Ledger::default(),
        rooms: sale::Rooms::default(),
    };
    (clusters, sales)
}

/// Starts both controllers on their watches.
fn run_controllers(
    (ctx, sale_ctx): (Context, SaleContext),
    watches: Watches,
    triggers: mpsc::Receiver<ObjectRef<Guarded>>,
    tasks: &mut JoinSet<&'static str>,
    stop: &CancellationToken,
) {
    let Watches {
        synced: _,
        clusters,
        sales,
        pods: _,
        deployments,
        owned,
        autoscalers,
        quotas,
    } = watches;
    let autoscalers = drive("autoscalers", autoscalers.events, stop.clone());
    named(tasks, "the watch of autoscalers", autoscalers);
    let quotas = drive("quotas", quotas.events, stop.clone());
    named(tasks, "the watch of quotas", quotas);
    let config = Config::default()
        .concurrency(CONCURRENCY)
        .debounce(DEBOUNCE);
    let controller = Controller::for_stream(clusters.events.applied_objects(), clusters.store)
        .with_config(config.clone())
        .owns_stream(deployments.events.touched_objects())
        .owns_stream(owned.services.events.touched_objects())
        .owns_stream(owned.network_policies.events.touched_objects())
        .owns_stream(owned.disruption_budgets.events.touched_objects())
        .reconcile_on(stream::unfold(triggers, async |mut triggers| {
            Some((triggers.recv().await?, triggers))
        }))
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    let ctx = Arc::new(ctx);
    let passes = controller.run(reconcile::reconcile, reconcile::error_policy, ctx);
    let name = "the controller of clusters";
    named(tasks, name, passes.for_each(log_pass));
    let controller = Controller::for_stream(sales.events.applied_objects(), sales.store)
        .with_config(config)
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    let ctx = Arc::new(sale_ctx);
    let passes = controller.run(sale::reconcile, sale::error_policy, ctx);
    named(tasks, "the controller of sales", passes.for_each(log_pass));
}

fn log_watch(what: &str, error: &watcher::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "the watch of {what} was interrupted"
    );
}

/// Logs a pass that failed, once, with its chain.
fn log_pass<K, E>(
    pass: Result<(ObjectRef<K>, Action), controller::Error<E, watcher::Error>>,
) -> std::future::Ready<()>
where
    K: Resource<DynamicType = ()>,
    E: std::error::Error + 'static,
{
    match pass {
        Ok((object, _)) => tracing::trace!(%object, "pass"),
        Err(controller::Error::ReconcilerFailed(error, object)) => {
            tracing::warn!(%object, error = chain(&error), "the pass failed");
        }
        // A trigger for an object that is gone is no news.
        Err(controller::Error::ObjectNotFound(_)) => {}
        Err(error) => tracing::warn!(error = chain(&error), "a watch was interrupted"),
    }
    std::future::ready(())
}

/// Drops what is kept of clusters that no longer exist.
async fn forget_gone(
    metrics: Metrics,
    synced: Synced,
    snapshots: Arc<Snapshots>,
    clusters: Store<Guarded>,
    stop: CancellationToken,
) {
    let mut ticks = interval(CARE_PERIOD);
    tokio::select! {
        () = stop.cancelled() => return,
        () = synced.wait() => {}
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        for key in snapshots.retain(|key| clusters.get(&key.object_ref()).is_some()) {
            let labels = ClusterLabels {
                namespace: key.namespace,
                cluster: key.name,
            };
            metrics.clusters.forget(&labels);
        }
    }
}
