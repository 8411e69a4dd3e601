//! The relay: from each shard's outbox to the event stream, at least once and in order.
//!
//! One pod at a time relays a shard, held by an advisory lock for the length of one batch. Rows leave
//! the outbox when the stream has acknowledged them; a message id lets the stream drop what is sent
//! twice. While the stream is down nothing is lost: events wait in the outbox.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, stream};
use floodgate_contract::Level;
use futures::future::try_join_all;
use rand::Rng;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Row, Transaction};
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::store::{Shard, StoreError};

/// Name of the stream.
pub const STREAM: &str = "PAYMENTS";
/// Subjects of the stream; an event's subject is its topic.
pub const SUBJECTS: &str = "payments.>";
/// How long the stream keeps events.
const STREAM_AGE_MAX: Duration = Duration::from_hours(7 * 24);
/// Bytes the stream keeps; the oldest events go first.
const STREAM_BYTES_MAX: i64 = 1 << 30;
/// Span in which the stream knows a message id again; longer than any relay takes to try again.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);
/// Key of the advisory lock, arbitrary but fixed.
const LOCK_KEY: i64 = 0x6f75_7462_6f78;
/// Events of one batch.
const BATCH_EVENTS_MAX: i64 = 256;
/// Time the stream has to acknowledge a batch; the session may idle in a transaction for longer.
const ACKNOWLEDGE_MAX: Duration = Duration::from_secs(5);
/// Rest after a batch that emptied the outbox, so that the next one is worth its round trips.
const REST_AFTER_BATCH: Duration = Duration::from_millis(100);
/// Rest when nothing waits or another pod relays.
const REST_IDLE: Duration = Duration::from_secs(1);
/// Rest when the pod is past capacity: notifications wait first.
const REST_DEGRADED: Duration = Duration::from_secs(2);
/// Longest rest after failures.
const REST_FAILED_MAX: Duration = Duration::from_secs(10);
/// Rows counted for the lag; more are reported as this many.
const LAG_ROWS_MAX: i64 = 100_000;

const LOCK: &str = "SELECT pg_try_advisory_xact_lock($1)";
const WAITING: &str = "SELECT seq, topic, message_id, payload FROM outbox ORDER BY seq LIMIT $1
    FOR UPDATE SKIP LOCKED";
const DONE: &str = "DELETE FROM outbox WHERE seq = ANY($1)";
const LAG: &str = "SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT $1) AS waiting";

/// Why a batch was not relayed; its events stay in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The shard cannot be reached.
    #[error("the shard cannot be reached")]
    Shard(#[source] StoreError),
    /// The outbox cannot be read or emptied.
    #[error("the outbox failed")]
    Outbox(#[source] tokio_postgres::Error),
    /// The stream took an event and then did not, or not in time, acknowledge it.
    #[error("the stream did not take the events")]
    Stream(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address is wrong or the stream cannot be made.
    #[error("the stream cannot be opened")]
    Open(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What one look at an outbox came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// So many events went out.
    Events(usize),
    /// Nothing waits, or another pod is at it.
    Nothing,
}

/// Connects to the stream and makes it if it is not there.
pub async fn open(url: &str) -> Result<jetstream::Context, RelayError> {
    let client = async_nats::ConnectOptions::new()
        .name("payment-svc")
        .retry_on_initial_connect()
        .connect(url)
        .await
        .map_err(|error| RelayError::Open(error.into()))?;
    let context = jetstream::new(client);
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECTS.to_owned()],
        max_age: STREAM_AGE_MAX,
        max_bytes: STREAM_BYTES_MAX,
        duplicate_window: DUPLICATE_WINDOW,
        ..stream::Config::default()
    };
    context
        .get_or_create_stream(config)
        .await
        .map_err(|error| RelayError::Open(error.into()))?;
    Ok(context)
}

/// Relays the outboxes of all shards until it is stopped.
pub async fn run(
    url: String,
    shards: Vec<Arc<Shard>>,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let relay = async {
        let context = open_until_it_works(&url).await;
        let each = shards
            .iter()
            .map(|shard| relay_shard(&context, shard, &gate, &metrics));
        futures::future::join_all(each).await;
    };
    stop.run_until_cancelled(relay).await;
}

async fn open_until_it_works(url: &str) -> jetstream::Context {
    let mut rest = REST_IDLE;
    loop {
        match open(url).await {
            Ok(context) => return context,
            Err(error) => tracing::warn!(%error, "events wait in the outbox"),
        }
        sleep(jittered(rest)).await;
        rest = (rest * 2).min(REST_FAILED_MAX);
    }
}

async fn relay_shard(context: &jetstream::Context, shard: &Shard, gate: &Gate, metrics: &Metrics) {
    let mut failures = 0_u32;
    loop {
        let rest = match relay_batch(context, shard, metrics).await {
            Ok(relayed) => {
                failures = 0;
                match relayed {
                    _ if gate.level() >= Level::Reduce => REST_DEGRADED,
                    Relayed::Events(_) => REST_AFTER_BATCH,
                    Relayed::Nothing => REST_IDLE,
                }
            }
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(shard = shard.index(), %error, "events wait in the outbox");
                }
                failures = failures.saturating_add(1);
                (REST_IDLE * failures.min(10)).min(REST_FAILED_MAX)
            }
        };
        sleep(jittered(rest)).await;
    }
}

/// Relays what waits on one shard, a batch at most.
pub async fn relay_batch(
    context: &jetstream::Context,
    shard: &Shard,
    metrics: &Metrics,
) -> Result<Relayed, RelayError> {
    let mut connection = shard.checkout().await.map_err(RelayError::Shard)?;
    let lag: i64 = connection
        .query_one(LAG, &[&LAG_ROWS_MAX])
        .await
        .map_err(RelayError::Outbox)?
        .get(0);
    metrics.outbox_lag(shard.index(), u64::try_from(lag).unwrap_or(0));
    if lag == 0 {
        return Ok(Relayed::Nothing);
    }
    let transaction = connection.transaction().await.map_err(RelayError::Outbox)?;
    let rows = claim(&transaction).await.map_err(RelayError::Outbox)?;
    if rows.is_empty() {
        return Ok(Relayed::Nothing);
    }
    match timeout(ACKNOWLEDGE_MAX, publish(context, &rows)).await {
        Ok(published) => published?,
        Err(elapsed) => return Err(RelayError::Stream(elapsed.into())),
    }
    let done: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    transaction
        .execute(DONE, &[&done])
        .await
        .map_err(RelayError::Outbox)?;
    transaction.commit().await.map_err(RelayError::Outbox)?;
    metrics.relayed(shard.index(), u64::try_from(rows.len()).unwrap_or(0));
    Ok(Relayed::Events(rows.len()))
}

/// The events of a batch, oldest first; none if another pod is relaying.
async fn claim(transaction: &Transaction<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    let mine: bool = transaction.query_one(LOCK, &[&LOCK_KEY]).await?.get(0);
    if !mine {
        return Ok(Vec::new());
    }
    transaction.query(WAITING, &[&BATCH_EVENTS_MAX]).await
}

/// Sends all events, then waits for all acknowledgements: one round trip for the batch.
async fn publish(context: &jetstream::Context, rows: &[Row]) -> Result<(), RelayError> {
    let mut acknowledgements = Vec::with_capacity(rows.len());
    for row in rows {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", row.get::<_, &str>(2));
        let acknowledgement = context
            .publish_with_headers(
                row.get::<_, String>(1),
                headers,
                row.get::<_, String>(3).into(),
            )
            .await
            .map_err(|error| RelayError::Stream(error.into()))?;
        acknowledgements.push(acknowledgement.into_future());
    }
    try_join_all(acknowledgements)
        .await
        .map_err(|error| RelayError::Stream(error.into()))?;
    Ok(())
}

fn jittered(rest: Duration) -> Duration {
    rest.mul_f64(rand::rng().random_range(0.75..1.25))
}
