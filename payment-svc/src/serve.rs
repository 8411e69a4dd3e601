//! A pod from its start to its end: what is built in which order, and how it leaves.
//!
//! Leaving: unready at once; served on until the endpoints have heard of it; then no new
//! connections, what is in flight is finished, the batches are recorded, and the process ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::{Cache, CacheConfig};
use crate::config::ServeConfig;
use crate::control::{self, Control, ControlConfig, ControlError};
use crate::events;
use crate::gate::{Clock, Gate, GateConfig};
use crate::http::{self, App, ServeError, Server};
use crate::metrics::Metrics;
use crate::read_cache::ReadCache;
use crate::store::{ConnectError, Store};
use crate::vitals::Vitals;

/// Time from unready to the last new connection: kube-proxy and clients hear of it within 2 s.
const LEAVE_NOTICE: Duration = Duration::from_secs(3);
/// Time for what is in flight after that; with the notice it stays below the 30 s of the pod.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Exit code of a second signal.
const ABORT_CODE: i32 = 130;

/// Why a pod does not start or did not leave cleanly.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// An address of a shard is unusable.
    #[error("cannot prepare the shards")]
    Shards(#[source] ConnectError),
    /// The control port cannot be served.
    #[error("cannot serve the control port")]
    Control(#[source] ControlError),
    /// The payment port cannot be served.
    #[error("cannot serve payments")]
    Http(#[source] ServeError),
    /// Signals cannot be received.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    /// A task that has to run as long as the pod does ended by itself; the log names it.
    #[error("a part of the pod ended by itself")]
    Broken,
    /// Requests were still in flight when the time to leave was up.
    #[error("left with requests in flight")]
    Drain,
}

/// The parts of a pod that have to be ended.
struct Pod {
    gate: Arc<Gate>,
    store: Arc<Store>,
    control: Control,
    /// Stops gate probe and relay.
    background: CancellationToken,
    tasks: TaskTracker,
}

/// Serves until a signal, then leaves; fails at once when a part of the pod ends by itself.
pub async fn serve(config: ServeConfig) -> Result<(), PodError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(PodError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(PodError::Signals)?;
    let http_addr = config.http_addr;
    let vitals = Vitals::default();
    let (pod, app) = start(config, &vitals)?;
    let server = Server::bind(http_addr).await.map_err(PodError::Http)?;
    tracing::info!(http = %server.address(), control = %pod.control.addr(), "serving");

    let stop_accepting = CancellationToken::new();
    let mut serving =
        tokio::spawn(server.run(http::router(app), stop_accepting.clone(), DRAIN_MAX));
    tokio::select! {
        () = first_of(&mut terminate, &mut interrupt) => {}
        () = vitals.lost() => return Err(PodError::Broken),
        ended = &mut serving => {
            tracing::error!(?ended, "the payment port ended by itself");
            return Err(PodError::Broken);
        }
    }
    tokio::spawn(async move {
        first_of(&mut terminate, &mut interrupt).await;
        tracing::warn!("second signal, leaving at once");
        std::process::exit(ABORT_CODE);
    });

    tracing::info!(in_flight = pod.gate.in_flight(), "leaving");
    pod.control.drain();
    tokio::time::sleep(LEAVE_NOTICE).await;
    stop_accepting.cancel();
    let finished = serving.await.unwrap_or(false);
    leave(pod).await;
    if finished {
        Ok(())
    } else {
        Err(PodError::Drain)
    }
}

fn start(config: ServeConfig, vitals: &Vitals) -> Result<(Pod, Arc<App>), PodError> {
    let metrics = Metrics::new(config.shards.len());
    let gate = Gate::new(
        &GateConfig::default(),
        Arc::clone(&metrics),
        Clock::system(),
    );
    let cache_config = CacheConfig {
        url: config.cache_url,
        ..CacheConfig::default()
    };
    let cache = Cache::connect(cache_config, Arc::clone(&metrics), gate.level_watch());
    let store = Store::new(&config.shards, &gate, &metrics).map_err(PodError::Shards)?;
    let store = Arc::new(store);
    store.start(vitals);
    let read_cache = Arc::new(ReadCache::new(Arc::clone(&store), Arc::clone(&cache)));
    let control = control::spawn(
        ControlConfig {
            addr: config.control_addr,
            token_file: config.control_token_file,
            warm_deadline: config.warm_deadline,
        },
        Arc::clone(&gate),
        cache,
        Arc::clone(&metrics),
        Arc::clone(&read_cache) as _,
        &Handle::current(),
        vitals,
    )
    .map_err(PodError::Control)?;
    let background = CancellationToken::new();
    let tasks = TaskTracker::new();
    let probe = background
        .clone()
        .run_until_cancelled_owned(Arc::clone(&gate).probe());
    tasks.spawn(
        vitals
            .clone()
            .watch("gate probe", background.clone(), probe),
    );
    if let Some(url) = config.events_url {
        let relay = events::run(
            url,
            store.shards().to_vec(),
            Arc::clone(&gate),
            metrics,
            background.clone(),
        );
        tasks.spawn(vitals.clone().watch("relay", background.clone(), relay));
    }
    let app = Arc::new(App {
        store: Arc::clone(&store),
        read_cache,
        gate: Arc::clone(&gate),
    });
    Ok((
        Pod {
            gate,
            store,
            control,
            background,
            tasks,
        },
        app,
    ))
}

async fn leave(pod: Pod) {
    pod.background.cancel();
    pod.tasks.close();
    pod.tasks.wait().await;
    pod.store.stop().await;
    pod.control.stop();
    tracing::info!("left");
}

async fn first_of(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
