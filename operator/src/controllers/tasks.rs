//! The tasks beside the controllers, how they end, and what is logged of them.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Resource,
    runtime::{
        WatchStreamExt,
        controller::{self, Action},
        reflector::ObjectRef,
        watcher,
    },
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::watches::Events;
use crate::{
    context::Context, metrics::ClusterLabels, readiness::Readiness, reconcile::Reconciler,
    snapshot::ClusterKey, synced::Synced, telemetry::chain,
};

/// Name of the gate that the first lists of all watches open.
const GATE_WATCHES: &str = "watches filled";
/// How long running passes may take to end.
const DRAIN: Duration = Duration::from_secs(8);
/// Pause between two looks for clusters that are gone.
const CARE_PERIOD: Duration = Duration::from_secs(10);

/// Waits for `stop`, or for a task that ends by itself, and lets what runs come to its end; an error
/// names the task.
pub(super) async fn until_stopped(
    mut tasks: JoinSet<&'static str>,
    stop: &CancellationToken,
) -> Result<(), &'static str> {
    let ended = tokio::select! {
        // Asked first: a task that ends because it was asked to is no failure.
        biased;
        () = stop.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => Err(ended.unwrap_or("a task")),
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

pub(super) fn named(
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
pub(super) async fn open_when_filled(
    readiness: Readiness,
    synced: Synced,
    stop: CancellationToken,
) {
    readiness.close(GATE_WATCHES);
    tokio::select! {
        () = stop.cancelled() => return,
        () = synced.wait() => readiness.open(GATE_WATCHES),
    }
    stop.cancelled().await;
}

/// Passes the states of pods on to early warm-up, as they come.
pub(super) async fn pass_on(pods: Events<Pod>, seen: mpsc::Sender<Pod>, stop: CancellationToken) {
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
pub(super) async fn drive<K>(what: &'static str, events: Events<K>, stop: CancellationToken) {
    let events = events.take_until(stop.cancelled_owned());
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        if let Err(error) = event {
            log_watch(what, &error);
        }
    }
}

fn log_watch(what: &str, error: &watcher::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "the watch of {what} was interrupted"
    );
}

/// Logs a pass that failed, once, with its chain.
pub(super) fn log_pass<K, E>(
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
pub(super) async fn forget_gone(
    ctx: Arc<Context>,
    reconciler: Arc<Reconciler>,
    stop: CancellationToken,
) {
    let mut ticks = interval(CARE_PERIOD);
    tokio::select! {
        () = stop.cancelled() => return,
        () = ctx.synced.wait() => {}
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let exists = |key: &ClusterKey| ctx.stores.clusters.get(&key.object_ref()).is_some();
        reconciler.retain(exists);
        for key in ctx.snapshots.retain(exists) {
            let labels = ClusterLabels {
                namespace: key.namespace,
                cluster: key.name,
            };
            ctx.metrics.clusters.forget(&labels);
        }
    }
}
