//! A small shop: two shards, a router, a few payers and merchants.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use payment_svc::cache::{Cache, CacheConfig};
use payment_svc::config::ShardAddress;
use payment_svc::gate::{Clock, Gate, GateConfig};
use payment_svc::http::{App, router};
use payment_svc::ids::Slot;
use payment_svc::metrics::Metrics;
use payment_svc::money::Currency;
use payment_svc::read_cache::ReadCache;
use payment_svc::seed::{self, Seed};
use payment_svc::store::{Store, connect};
use payment_svc::vitals::Vitals;
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use tower::ServiceExt;

use super::servers;

/// Opening balance of every payer.
pub const BALANCE: i64 = 10_000;
/// Payers of a shop; they are spread over both shards.
pub const PAYERS: u32 = 20;
/// Longest time a client may wait, ms: a busy machine is to answer all the same.
pub const TIMEOUT_MS_MAX: u32 = 15_000;
/// Time a condition has to come true on a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A shop with its books.
pub struct Shop {
    router: Router,
    pub store: Arc<Store>,
    pub metrics: Arc<Metrics>,
    pub gate: Arc<Gate>,
    pub urls: Vec<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// The id of a payment or refund.
    pub fn id(&self) -> String {
        self.body["id"].as_str().expect("an id").to_owned()
    }

    /// Whether the answer says that an earlier request had it.
    pub fn replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }
}

impl Shop {
    /// Opens a shop on two fresh shards.
    pub async fn open() -> Self {
        Self::open_with(CacheConfig::default()).await
    }

    /// Opens a shop with a cache of one's own.
    pub async fn open_with(cache: CacheConfig) -> Self {
        let postgres = servers::postgres().await;
        let urls = vec![postgres.database().await, postgres.database().await];
        seed(&urls).await;
        Self::over(urls, cache).await
    }

    /// Another pod over the books of a shop.
    pub async fn over(urls: Vec<String>, cache: CacheConfig) -> Self {
        let addresses: Vec<ShardAddress> = urls
            .iter()
            .map(|url| ShardAddress {
                primary: url.clone(),
                replica: None,
            })
            .collect();
        Self::over_addresses(addresses, cache).await
    }

    /// A pod over shards with replicas.
    pub async fn over_addresses(addresses: Vec<ShardAddress>, cache: CacheConfig) -> Self {
        let urls: Vec<String> = addresses
            .iter()
            .map(|address| address.primary.clone())
            .collect();
        let metrics = Metrics::new(urls.len());
        let gate = Gate::new(
            &GateConfig::default(),
            Arc::clone(&metrics),
            Clock::system(),
        );
        let cache = Cache::connect(cache, Arc::clone(&metrics), gate.level_watch());
        let store = Arc::new(Store::new(&addresses, &gate, &metrics).unwrap());
        store.start(&Vitals::default());
        eventually("the lanes are up", async || store.open().await.is_ok()).await;
        let read_cache = Arc::new(ReadCache::new(Arc::clone(&store), cache));
        let app = Arc::new(App {
            store: Arc::clone(&store),
            read_cache,
            gate: Arc::clone(&gate),
        });
        Self {
            router: router(app),
            store,
            metrics,
            gate,
            urls,
        }
    }

    /// Sends a request down the real router.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Gets a path, patiently.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(within(TIMEOUT_MS_MAX, request)).await
    }

    /// Posts a JSON body under a key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(post(path, key, body.to_string())).await
    }

    /// Pays `amount_minor` from the n-th payer to the first merchant.
    pub async fn pay(&self, payer: u32, amount_minor: i64, key: &str) -> Answer {
        self.post("/v1/payments", key, &payment(payer, amount_minor))
            .await
    }

    /// Refunds.
    pub async fn refund(&self, payment_id: &str, amount_minor: i64, key: &str) -> Answer {
        let path = format!("/v1/payments/{payment_id}/refunds");
        self.post(&path, key, &json!({ "amount_minor": amount_minor }))
            .await
    }

    /// URL of the shard that keeps the n-th payer.
    pub fn shard_url(&self, payer: u32) -> &str {
        &self.urls[Slot::of_user(&seed::user_id(payer)).shard(self.urls.len())]
    }

    /// A number read from the books of the n-th payer's shard.
    pub async fn number(&self, payer: u32, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
        number(self.shard_url(payer), sql, params).await
    }

    /// Balance of the n-th payer in the books.
    pub async fn balance(&self, payer: u32) -> i64 {
        let user = seed::user_id(payer);
        self.number(
            payer,
            "SELECT balance_minor FROM accounts WHERE id = $1",
            &[&user],
        )
        .await
    }

    /// Asserts what must hold of the books at any time.
    pub async fn assert_books_balance(&self) {
        for url in &self.urls {
            for (what, sql) in BOOKS {
                assert_eq!(number(url, sql, &[]).await, 0, "{what}");
            }
        }
    }
}

/// Counts of what must not be.
const BOOKS: [(&str, &str); 6] = [
    (
        "transfers whose entries do not sum to zero",
        "SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY transfer_id, currency
            HAVING sum(amount_minor) <> 0) AS t",
    ),
    (
        "accounts whose balance is not the sum of their entries",
        "SELECT count(*) FROM accounts a WHERE balance_minor <> (SELECT coalesce(sum(e.amount_minor), 0)
            FROM entries e WHERE e.account_id = a.id AND e.stripe = a.stripe)",
    ),
    (
        "overdrawn accounts",
        "SELECT count(*) FROM accounts WHERE kind <> 'opening' AND balance_minor < 0",
    ),
    (
        "payments without two entries, a key and an event",
        "SELECT count(*) FROM payments p WHERE
            (SELECT count(*) FROM entries e WHERE e.transfer_id = p.id) <> 2
            OR (SELECT count(*) FROM idempotency_keys k WHERE k.transfer_id = p.id) <> 1
            OR (SELECT count(*) FROM outbox o WHERE o.message_id = p.id || '.succeeded') <> 1",
    ),
    (
        "payments whose refunds do not add up",
        "SELECT count(*) FROM payments p WHERE refunded_minor <> (SELECT coalesce(sum(r.amount_minor), 0)
            FROM refunds r WHERE r.payment_id = p.id) OR refunded_minor > amount_minor",
    ),
    (
        "keys with more than one effect",
        "SELECT count(*) FROM (SELECT 1 FROM payments GROUP BY user_id, idempotency_key
            HAVING count(*) > 1) AS t",
    ),
];

/// The body of a payment of the n-th payer to the first merchant.
pub fn payment(payer: u32, amount_minor: i64) -> Value {
    json!({
        "user_id": seed::user_id(payer),
        "merchant_id": seed::merchant_id(1),
        "amount_minor": amount_minor,
        "currency": "CNY",
    })
}

/// A POST with a JSON body and a key, of a patient client.
pub fn post(path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(body.into())
        .unwrap();
    within(TIMEOUT_MS_MAX, request)
}

/// The request of a client that waits so long, ms.
pub fn within(timeout_ms: u32, mut request: Request<Body>) -> Request<Body> {
    request
        .headers_mut()
        .insert("x-request-timeout-ms", timeout_ms.into());
    request
}

/// Polls a condition until it holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < WAIT_MAX, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A number read from a database.
pub async fn number(url: &str, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
    let connection = connect::administer(url).await.unwrap();
    connection
        .client
        .query_one(sql, params)
        .await
        .unwrap()
        .get(0)
}

/// Books the opening deposits of a shop.
pub async fn seed(urls: &[String]) {
    let what = Seed {
        users: PAYERS,
        merchants: 3,
        balance_minor: BALANCE,
        currency: Currency::CNY,
    };
    for (index, url) in urls.iter().enumerate() {
        let mut connection = connect::administer(url).await.unwrap();
        seed::seed_shard(&mut connection.client, &what, index, urls.len())
            .await
            .unwrap();
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}
