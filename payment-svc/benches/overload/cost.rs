//! What one question to the gate costs, alone on a core, and what a refusal costs on its whole way
//! through the router: a payment's body is read before the gate is asked.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::IntoResponse;
use floodgate_contract::{Class, Level, Policy};
use payment_svc::cache::{Cache, CacheConfig};
use payment_svc::config::ShardAddress;
use payment_svc::gate::{Ask, Clock, Gate, GateConfig};
use payment_svc::http::{App, router};
use payment_svc::metrics::Metrics;
use payment_svc::read_cache::ReadCache;
use payment_svc::store::Store;
use tower::ServiceExt;

const ROUNDS: u32 = 200_000;

/// Prints the time to let one in and out again, and the time to refuse one, answer included.
pub fn print() {
    let metrics = Metrics::new(1);
    let gate = Gate::new(
        &GateConfig::default(),
        Arc::clone(&metrics),
        Clock::system(),
    );
    let admit_ns = time_ns(&gate, Class::Critical);
    let survive = Policy {
        version: 1,
        floor: Level::Survive,
        pin: None,
        quotas_rps: [None; 4],
        lease_s: 600,
        reason: String::new(),
    };
    gate.put_policy(survive).expect("the first policy");
    let refuse_ns = time_ns(&gate, Class::Critical);
    println!("gate: let in and out {admit_ns:.0} ns, refuse with answer {refuse_ns:.0} ns");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let router = closed_router(gate, metrics);
        let read_ns = refused_ns(&router, |user| {
            let path = format!("/v1/accounts/u-{user:06}");
            Request::get(path).body(Body::empty()).expect("a request")
        });
        let read_ns = read_ns.await;
        let payment_ns = refused_ns(&router, |user| {
            let body = format!(
                r#"{{"user_id":"u-{user:06}","merchant_id":"m-0001","amount_minor":1250,"currency":"CNY"}}"#
            );
            Request::post("/v1/payments")
                .header("content-type", "application/json")
                .header("idempotency-key", format!("load-abcdefghijkl-{user}"))
                .body(body.into())
                .expect("a request")
        });
        let payment_ns = payment_ns.await;
        println!("router: refuse a read {read_ns:.0} ns, a payment {payment_ns:.0} ns");
    });
}

/// The router of a pod whose gate refuses; its shard is never asked.
fn closed_router(gate: Arc<Gate>, metrics: Arc<Metrics>) -> Router {
    let address = ShardAddress {
        primary: "postgres://nobody@127.0.0.1:1/none".to_owned(),
        replica: None,
    };
    let store = Arc::new(Store::new(&[address], &gate, &metrics).expect("an address"));
    let cache = Cache::connect(CacheConfig::default(), metrics, gate.level_watch());
    let read_cache = Arc::new(ReadCache::new(Arc::clone(&store), cache));
    router(Arc::new(App {
        store,
        read_cache,
        gate,
    }))
}

async fn refused_ns(router: &Router, request: impl Fn(u32) -> Request<Body>) -> f64 {
    let start = Instant::now();
    for user in 0..ROUNDS {
        let answer = router
            .clone()
            .oneshot(request(user))
            .await
            .expect("infallible");
        assert_eq!(answer.status(), 503);
        drop(black_box(answer));
    }
    start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
}

fn time_ns(gate: &Arc<Gate>, class: Class) -> f64 {
    let start = Instant::now();
    for user in 0..ROUNDS {
        match gate.admit(&Ask::new(class, u64::from(user))) {
            Ok(permit) => permit.finish(201),
            Err(refusal) => drop(black_box(refusal.into_response())),
        }
    }
    start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
}
