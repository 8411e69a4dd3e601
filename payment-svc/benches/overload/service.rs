//! A service like the pods': same gate, same control port, a handler of known cost.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use floodgate_contract::Class;
use futures::future::{BoxFuture, FutureExt};
use payment_svc::cache::{Cache, CacheConfig};
use payment_svc::control::{self, ControlConfig, WarmError, WarmTarget};
use payment_svc::gate::{Ask, Clock, Gate, GateConfig};
use payment_svc::metrics::Metrics;
use payment_svc::vitals::Vitals;
use rustix::time::{ClockId, clock_gettime};

/// CPU of one request beside parsing and answering: JSON, queries, the batch.
const WORK: Duration = Duration::from_micros(400);
/// Wait for the store.
const STORE: Duration = Duration::from_millis(5);

struct Nothing;

impl WarmTarget for Nothing {
    fn load(&self, _key: String) -> BoxFuture<'_, Result<bool, WarmError>> {
        async { Ok(true) }.boxed()
    }

    fn open_pools(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        async { Ok(()) }.boxed()
    }

    fn self_test(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        async { Ok(()) }.boxed()
    }
}

/// Serves until killed. `mode` is `<workers>,<open|gated>`; the address goes to the output.
pub fn serve(mode: &str) {
    let (workers, gated) = mode.split_once(',').expect("two words");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("the word to go");
    let mut builder = match workers {
        "1" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(workers.parse().expect("a number"))
        .enable_all()
        .build()
        .expect("a runtime");
    let gated = gated == "gated";
    runtime.block_on(async move {
        let metrics = Metrics::new(1);
        let gate = Gate::new(
            &GateConfig::default(),
            Arc::clone(&metrics),
            Clock::system(),
        );
        let cache = Cache::connect(
            CacheConfig::default(),
            Arc::clone(&metrics),
            gate.level_watch(),
        );
        tokio::spawn(Arc::clone(&gate).probe());
        let config = ControlConfig {
            addr: ([127, 0, 0, 1], 0).into(),
            token_file: PathBuf::from("/dev/null"),
            warm_deadline: Duration::ZERO,
        };
        let handle = tokio::runtime::Handle::current();
        let target = Arc::new(Nothing);
        let control = control::spawn(
            config,
            Arc::clone(&gate),
            cache,
            metrics,
            target,
            &handle,
            &Vitals::default(),
        )
        .expect("the control port");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bound");
        println!("{}", listener.local_addr().expect("an address"));
        std::io::stdout().flush().expect("said");
        let router = Router::new()
            .route("/pay", get(pay))
            .with_state((gate, gated));
        axum::serve(listener, router).await.expect("served");
        control.stop();
    });
}

async fn pay(
    State((gate, gated)): State<(Arc<Gate>, bool)>,
    Query(query): Query<HashMap<String, u64>>,
) -> Response {
    let class = Class::ALL[query["c"] as usize % 4];
    if !gated {
        work().await;
        return StatusCode::CREATED.into_response();
    }
    let ask = Ask::new(class, query["k"].wrapping_mul(0x9E37_79B9_7F4A_7C15));
    match gate.admit(&ask) {
        Ok(permit) => {
            work().await;
            permit.finish(201);
            StatusCode::CREATED.into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn work() {
    burn(WORK / 2);
    tokio::time::sleep(STORE).await;
    burn(WORK / 2);
}

fn burn(cpu: Duration) {
    let used = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let until = used() + cpu;
    while used() < until {
        std::hint::spin_loop();
    }
}
