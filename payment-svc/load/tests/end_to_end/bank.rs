//! A small bank that speaks the payment API, with faults to order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use payment_load::target::Target;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::postgres::Shards;

/// What goes wrong; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every answer takes this long.
    pub delay: Duration,
    /// From when and for how long the whole bank is paused, from its start.
    pub stall: Option<(Duration, Duration)>,
    /// Every n-th request is refused with 503.
    pub refuse_every: Option<u64>,
    /// The `Retry-After` of a refusal.
    pub retry_after: Option<&'static str>,
    /// The first answer of every n-th create is lost after the payment was booked.
    pub lose_answer_every: Option<u64>,
    /// A retry books the payment once more.
    pub forgets_keys: bool,
    /// A retry is declined although the first attempt was booked.
    pub declines_retries: bool,
}

/// What the bank saw and did.
#[derive(Debug, Default)]
pub struct Seen {
    pub requests: AtomicU64,
    pub creates: AtomicU64,
    ids: AtomicU64,
    /// Requests by address of the peer: one connection each.
    pub by_connection: Mutex<HashMap<SocketAddr, u64>>,
    /// Bodies of creates by idempotency key, one for each attempt.
    pub by_key: Mutex<HashMap<String, Vec<Bytes>>>,
    payments: Mutex<HashMap<String, Value>>,
    keys: Mutex<HashMap<String, Value>>,
}

struct Inner {
    faults: Faults,
    seen: Arc<Seen>,
    shards: Option<Arc<Shards>>,
    opened: Instant,
}

/// A running bank; it ends when it is dropped.
pub struct Bank {
    pub target: Target,
    pub seen: Arc<Seen>,
    server: JoinHandle<()>,
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Bank {
    /// Opens a bank that keeps its books in memory, and in `shards` when they are given.
    pub async fn open(faults: Faults, shards: Option<Arc<Shards>>) -> Self {
        let seen = Arc::new(Seen::default());
        let inner = Inner {
            faults,
            seen: Arc::clone(&seen),
            shards,
            opened: Instant::now(),
        };
        let router = Router::new()
            .route("/v1/payments", post(create).get(look_up))
            .route("/v1/payments/{id}", get(payment))
            .route("/v1/payments/{id}/refunds", post(refund))
            .route("/v1/accounts/{id}", get(account))
            .route("/v1/merchants/{id}", get(account))
            .with_state(Arc::new(inner))
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            target,
            seen,
            server,
        }
    }
}

impl Inner {
    /// Counts a request, waits as long as ordered, and may refuse it.
    async fn enter(&self, peer: SocketAddr) -> Result<(), Response> {
        *self
            .seen
            .by_connection
            .lock()
            .unwrap()
            .entry(peer)
            .or_default() += 1;
        let number = self.seen.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some((from, span)) = self.faults.stall {
            let (from, to) = (self.opened + from, self.opened + from + span);
            if (from..to).contains(&Instant::now()) {
                sleep_until(to).await;
            }
        }
        sleep(self.faults.delay).await;
        if self
            .faults
            .refuse_every
            .is_none_or(|every| !number.is_multiple_of(every))
        {
            return Ok(());
        }
        let body = Json(json!({"code": "overloaded", "charged": false}));
        let mut refusal = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
        if let Some(seconds) = self.faults.retry_after {
            refusal
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.parse().unwrap());
        }
        Err(refusal)
    }
}

type Books = State<Arc<Inner>>;
type Peer = ConnectInfo<SocketAddr>;

async fn create(
    State(bank): Books,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = bank.enter(peer).await {
        return refusal;
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let number = bank.seen.creates.fetch_add(1, Ordering::Relaxed) + 1;
    bank.seen
        .by_key
        .lock()
        .unwrap()
        .entry(key.clone())
        .or_default()
        .push(body.clone());
    let known = bank.seen.keys.lock().unwrap().get(&key).cloned();
    let first = known.is_none();
    if !first && bank.faults.declines_retries {
        let body = json!({"code": "insufficient_funds", "charged": false});
        return (StatusCode::PAYMENT_REQUIRED, Json(body)).into_response();
    }
    let answer = match known.filter(|_| !bank.faults.forgets_keys) {
        Some(answer) => answer,
        None => book(&bank, &key, serde_json::from_slice(&body).unwrap()).await,
    };
    let every = bank.faults.lose_answer_every;
    if first && every.is_some_and(|every| number.is_multiple_of(every)) {
        return lost();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn book(bank: &Inner, key: &str, mut payment: Value) -> Value {
    let id = format!("pay_{}", bank.seen.ids.fetch_add(1, Ordering::Relaxed));
    payment["id"] = json!(id);
    payment["status"] = json!("succeeded");
    payment["refunded_minor"] = json!(0);
    if let Some(shards) = &bank.shards {
        shards.book_payment(key, &payment).await;
    }
    bank.seen
        .payments
        .lock()
        .unwrap()
        .insert(id, payment.clone());
    bank.seen
        .keys
        .lock()
        .unwrap()
        .insert(key.to_owned(), payment.clone());
    payment
}

/// An answer that breaks off: the headers promise more than comes.
fn lost() -> Response {
    let cut = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    (StatusCode::CREATED, Body::from_stream(cut)).into_response()
}

async fn payment(State(bank): Books, ConnectInfo(peer): Peer, Path(id): Path<String>) -> Response {
    if let Err(refusal) = bank.enter(peer).await {
        return refusal;
    }
    found(bank.seen.payments.lock().unwrap().get(&id))
}

async fn look_up(
    State(bank): Books,
    ConnectInfo(peer): Peer,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Err(refusal) = bank.enter(peer).await {
        return refusal;
    }
    found(
        bank.seen
            .keys
            .lock()
            .unwrap()
            .get(&query["idempotency_key"]),
    )
}

fn found(payment: Option<&Value>) -> Response {
    match payment {
        Some(payment) => Json(payment).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"code": "not_found"}))).into_response(),
    }
}

async fn refund(
    State(bank): Books,
    ConnectInfo(peer): Peer,
    Path(payment): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Err(refusal) = bank.enter(peer).await {
        return refusal;
    }
    let key = headers["idempotency-key"].to_str().unwrap();
    let known = bank.seen.keys.lock().unwrap().get(key).cloned();
    if let Some(answer) = known {
        return (StatusCode::CREATED, Json(answer)).into_response();
    }
    let id = format!("ref_{}", bank.seen.ids.fetch_add(1, Ordering::Relaxed));
    let amount_minor = body["amount_minor"].as_i64().unwrap();
    let of = bank.seen.payments.lock().unwrap()[&payment].clone();
    if let Some(shards) = &bank.shards {
        shards.book_refund(key, &id, &of, amount_minor).await;
    }
    let answer = json!({"id": id, "payment_id": payment, "amount_minor": amount_minor});
    bank.seen
        .keys
        .lock()
        .unwrap()
        .insert(key.to_owned(), answer.clone());
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn account(State(bank): Books, ConnectInfo(peer): Peer, Path(id): Path<String>) -> Response {
    if let Err(refusal) = bank.enter(peer).await {
        return refusal;
    }
    Json(json!({"user_id": id, "currency": "CNY", "balance_minor": 1})).into_response()
}
