//! Wires the process: probes, lease, and under the lease the loops and controllers.
//!
//! Invariant: no spawned task ends unnoticed; the first one that does ends the process.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::HoldCause;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Config, api::ListParams, client::ClientBuilder};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, jittered},
    controllers::{self, OperateError, Operator, scoped},
    leader::{CampaignEnd, Leadership, LeaseSettings, campaign, fence::FenceLayer},
    metrics::Metrics,
    readiness::Readiness,
    server,
};

/// How long running passes may take to end after SIGTERM, before the lease is given back.
const DRAIN: Duration = Duration::from_secs(10);

/// Pause between two looks for the CRDs.
const CRD_PAUSE: Duration = Duration::from_secs(2);

/// Name of the gate that the apiserver and the CRDs open.
const GATE_CRDS: &str = "CRDs established";

/// `floodgate-operator run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Address of probes and metrics.
    #[arg(long, env = "FLOODGATE_HTTP_ADDR", default_value_t = SocketAddr::from(([0, 0, 0, 0], server::PORT)))]
    pub http_addr: SocketAddr,
    /// Namespace of the Lease; the operator's own.
    #[arg(long, env = "POD_NAMESPACE", default_value = "floodgate-system")]
    pub namespace: String,
    /// Name of the Lease.
    #[arg(long, env = "FLOODGATE_LEASE", default_value = "floodgate-operator")]
    pub lease: String,
    /// Who this process is; the pod's name. A random part is added, so that a restarted container
    /// is not taken for the one before it.
    #[arg(long, env = "POD_NAME", default_value = "floodgate-operator")]
    pub identity: String,
    /// Watch this namespace only; without it, all of them.
    #[arg(long, env = "FLOODGATE_WATCH_NAMESPACE")]
    pub watch_namespace: Option<String>,
}

/// Why the process ends other than by request.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no way to an apiserver.
    #[error("cannot find a Kubernetes to talk to")]
    Config(#[source] kube::config::InferConfigError),
    /// The client cannot be made.
    #[error("cannot make a Kubernetes client")]
    Client(#[source] Box<kube::Error>),
    /// The port of probes is taken.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The loops and controllers ended.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// The lease is gone; another process may write now.
    #[error("the lease was lost")]
    LeaseLost,
    /// A task ended although nobody asked it to.
    #[error("{0} ended unexpectedly")]
    TaskEnded(&'static str),
}

/// Runs until `stop`, or until the process must end.
pub async fn run(args: RunArgs, stop: CancellationToken) -> Result<(), RunError> {
    let RunArgs {
        http_addr,
        namespace,
        lease,
        identity,
        watch_namespace,
    } = args;
    let metrics = Metrics::default();
    let readiness = Readiness::awaiting([GATE_CRDS]);
    let mut tasks = JoinSet::new();
    let listener = listen(http_addr).await?;
    let router = server::router(metrics.clone(), readiness.clone());
    // Probes answer until the last pass has ended, so that a drain is not taken for a dead process.
    let probing = CancellationToken::new();
    let served = server::serve(listener, router, probing.clone());
    tasks.spawn(probes(served));
    let config = Config::infer().await.map_err(RunError::Config)?;
    let plain = Client::try_from(config.clone()).map_err(|e| RunError::Client(Box::new(e)))?;
    let (leadership, following) = watch::channel(Leadership::default());
    let fence = FenceLayer::new(following.clone());
    let fenced = ClientBuilder::try_from(config).map_err(|e| RunError::Client(Box::new(e)))?;
    let fenced = fenced.with_layer(&fence).build();
    let unique = format!("{identity}-{:08x}", rand::random::<u32>());
    let settings = LeaseSettings::new(lease, unique.clone());
    let clock = Clock::system();
    let release = CancellationToken::new();
    let operator = Operator {
        client: fenced,
        identity: unique,
        namespace: watch_namespace,
        clock: clock.clone(),
        metrics: metrics.clone(),
        readiness: readiness.clone(),
        started_by: HoldCause::Restart,
    };
    let leases: Api<Lease> = Api::namespaced(plain.clone(), &namespace);
    let mut campaigning = tokio::spawn(campaign(
        leases,
        settings,
        clock,
        leadership,
        release.clone(),
    ));
    let leading = async {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = crds_established(&plain, operator.namespace.as_deref()) => readiness.open(GATE_CRDS),
        }
        lead(operator, following, &metrics, &stop).await
    };
    let ended = tokio::select! {
        ended = leading => ended,
        end = &mut campaigning => match end {
            Ok(CampaignEnd::Stopped) => Ok(()),
            Ok(CampaignEnd::Lost) | Err(_) => return Err(RunError::LeaseLost),
        },
        Some(ended) = tasks.join_next() => Err(RunError::TaskEnded(ended.unwrap_or("a task"))),
    };
    stop.cancel();
    release.cancel();
    if timeout(DRAIN, campaigning).await.is_err() {
        tracing::warn!("the lease was not given back in time");
    }
    probing.cancel();
    ended
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| RunError::Listen(address, source))
}

/// Serves the probes; ends only with the process.
async fn probes(served: impl Future<Output = std::io::Result<()>>) -> &'static str {
    if let Err(error) = served.await {
        tracing::error!(%error, "the server of probes failed");
    }
    "the server of probes"
}

/// Waits for leadership, then works until `stop`.
async fn lead(
    operator: Operator,
    mut following: watch::Receiver<Leadership>,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let taken_over = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        led = following.wait_for(|leadership| leadership.until.is_some()) => match led {
            Ok(leadership) => leadership.taken_over,
            Err(_) => return Err(RunError::LeaseLost),
        }
    };
    let started_by = if taken_over {
        HoldCause::Takeover
    } else {
        HoldCause::Restart
    };
    let operator = Operator {
        started_by,
        ..operator
    };
    metrics.leader.set(1);
    let ended = controllers::operate(operator, stop.clone()).await;
    metrics.leader.set(0);
    Ok(ended?)
}

/// Waits until both kinds are served; a missing one keeps the process unready, not dead.
///
/// A list of one object is asked instead of the CRD itself: it needs no right beyond those the
/// operator has anyway, and it is the very thing the watches need.
async fn crds_established(client: &Client, namespace: Option<&str>) {
    let one = ListParams::default().limit(1);
    loop {
        let clusters = scoped::<PaymentCluster>(client, namespace)
            .list_metadata(&one)
            .await;
        let sales = scoped::<SaleEvent>(client, namespace)
            .list_metadata(&one)
            .await;
        let Err(error) = clusters.map(drop).and(sales.map(drop)) else {
            return;
        };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "waiting for the CRDs"
        );
        tokio::time::sleep(jittered(CRD_PAUSE, 300)).await;
    }
}
