//! Routes of the control port and the loop of the gate, on one thread.

use std::net::TcpListener;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use floodgate_contract::{
    ControlStatus, LIVE_PATH, METRICS_PATH, POLICY_PATH, Policy, READY_PATH, STATUS_PATH,
    WARM_PATH, WarmRequest,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use super::warm_up;
use crate::gate::PolicyError;
use crate::metrics::OPENMETRICS_TYPE;

/// Hottest keys a status names.
const HOT_KEYS_MAX: usize = 100;

/// Serves and ticks until stopped.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the control port does not listen");
            return;
        }
    };
    let serve = axum::serve(listener, router(Arc::clone(&shared))).into_future();
    tokio::select! {
        ended = serve => tracing::error!(?ended, "the control port ended by itself"),
        () = tick(&shared) => {}
        () = stop.cancelled() => {}
    }
}

async fn tick(shared: &Shared) {
    let mut ticks = interval(shared.gate.tick_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.gate.tick();
        shared.cache.tick();
    }
}

/// All routes; those under `/control` want the token.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let control = Router::new()
        .route(POLICY_PATH, put(put_policy))
        .route(STATUS_PATH, get(status))
        .route(WARM_PATH, put(put_warm))
        .route_layer(from_fn_with_state(Arc::clone(&shared), authorise));
    Router::new()
        .route(LIVE_PATH, get(|| async { "live\n" }))
        .route(READY_PATH, get(ready))
        .route(METRICS_PATH, get(metrics))
        .merge(control)
        .with_state(shared)
}

async fn authorise(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    if shared
        .token
        .accepts(header.map(axum::http::HeaderValue::as_bytes))
    {
        return next.run(request).await;
    }
    let mut refusal = problem(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "the control token is missing or another",
    );
    refusal.headers_mut().insert(
        WWW_AUTHENTICATE,
        axum::http::HeaderValue::from_static("Bearer"),
    );
    refusal
}

async fn put_policy(State(shared): State<Arc<Shared>>, Json(policy): Json<Policy>) -> Response {
    match shared.gate.put_policy(policy) {
        Ok(ack) => Json(ack).into_response(),
        Err(error @ PolicyError::Stale { .. }) => {
            problem(StatusCode::CONFLICT, "policy_stale", &error.to_string())
        }
        Err(error @ PolicyError::NoLease) => problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "lease_invalid",
            &error.to_string(),
        ),
    }
}

async fn put_warm(State(shared): State<Arc<Shared>>, Json(request): Json<WarmRequest>) -> Response {
    let (ack, news) = shared.warm().take_up(request);
    if news {
        let advance = shared.warm().step(shared.gate.uptime());
        warm_up::note(&shared, advance);
        shared.warm_news.notify_one();
    }
    Json(ack).into_response()
}

async fn status(State(shared): State<Arc<Shared>>) -> Json<ControlStatus> {
    let gate = shared.gate.status();
    let machine = shared.warm();
    Json(ControlStatus {
        uptime_ms: millis(shared.gate.uptime()),
        level: gate.level,
        level_trigger: gate.trigger.to_owned(),
        policy_version: gate.policy_version,
        queue_delay_us: u64::try_from(gate.queue_delay.as_micros()).unwrap_or(u64::MAX),
        classes: shared.metrics.class_counts(),
        in_flight: shared.gate.in_flight(),
        cpu_permille: (gate.cpu_share * 1_000.0) as u32,
        warm: machine.state(),
        warm_permille: machine.permille(),
        warm_ms: machine.warm_at().map(millis),
        ready: !shared.draining() && machine.may_serve(),
        draining: shared.draining(),
        hot_keys: shared.cache.hottest(HOT_KEYS_MAX),
    })
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ready() {
        return "ready\n".into_response();
    }
    let why = if shared.draining() {
        "draining\n".to_owned()
    } else {
        let machine = shared.warm();
        format!(
            "{:?}, score {} permille\n",
            machine.state(),
            machine.permille()
        )
    };
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(CONTENT_TYPE, OPENMETRICS_TYPE)], shared.metrics.render()).into_response()
}

fn problem(status: StatusCode, code: &'static str, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    (
        status,
        [(CONTENT_TYPE, "application/problem+json")],
        body.to_string(),
    )
        .into_response()
}
