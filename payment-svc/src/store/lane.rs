//! A writer lane: takes whatever waits, writes it as one transaction, answers.
//!
//! Batches are natural: while one commits, the next gathers. There is no timer, so a lone payment
//! waits for nobody.
//! When a connection is lost under a batch, the lane sends the same batch again on a new one: keys
//! and ids are the same, so what was committed is found and what was not is booked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, timeout};
use tokio_postgres::Statement;
use tokio_util::sync::CancellationToken;

use super::batch::{self, Failure};
use super::connect::{self, Connection};
use super::queue::Item;
use super::{Shard, StoreError};
use crate::migrate;
use crate::order::PaymentOutcome;

/// Payments in one transaction; larger ones hold their locks longer without being cheaper.
const BATCH_PAYMENTS_MAX: usize = 128;
/// A batch that takes longer is lost; the server gives up after 2 s by itself.
const BATCH_MAX: Duration = Duration::from_secs(3);
/// Tries of one batch, the first included.
const TRIES_MAX: u32 = 3;
/// Wait before a second connection attempt; doubles up to the maximum.
const RECONNECT_WAIT_MIN: Duration = Duration::from_millis(50);
/// Longest wait between connection attempts.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);

type Outcomes = Vec<Result<PaymentOutcome, StoreError>>;

/// A connection that can write.
struct Writer {
    connection: Connection,
    book: Statement,
    _up: LaneUp,
}

/// Counts a lane as up. It falls with the connection, also under a batch that is being tried again,
/// so that payments of a shard without lanes are refused at once.
struct LaneUp(Arc<Shard>);

impl LaneUp {
    fn new(shard: &Arc<Shard>) -> Self {
        shard.lane_came_up();
        Self(Arc::clone(shard))
    }
}

impl Drop for LaneUp {
    fn drop(&mut self) {
        self.0.lane_went_down();
    }
}

/// Runs a lane until it is stopped; what it holds then is written first.
pub(super) async fn run(shard: Arc<Shard>, stop: CancellationToken) {
    let mut writer = None;
    let mut last_batch = Duration::ZERO;
    loop {
        if writer.is_none() {
            writer = tokio::select! {
                () = stop.cancelled() => break,
                opened = open_until_it_works(&shard) => Some(opened),
            };
        }
        let batch = tokio::select! {
            biased;
            batch = gather(&shard, last_batch) => batch,
            () = stop.cancelled() => break,
            () = lost(writer.as_ref()) => Vec::new(),
        };
        if writer
            .as_ref()
            .is_some_and(|writer| writer.connection.client.is_closed())
        {
            writer = None;
        }
        if !batch.is_empty() {
            let begun = Instant::now();
            write(&shard, &mut writer, batch).await;
            last_batch = begun.elapsed();
        }
    }
}

/// Waits for a payment, then takes all that wait. Waiting for the batch before is no sign of
/// overload; only what goes beyond it is reported to the gate.
async fn gather(shard: &Shard, last_batch: Duration) -> Vec<Item> {
    let mut waiting = shard.waiting.lock().await;
    let mut received = Vec::with_capacity(8);
    waiting.recv_many(&mut received, BATCH_PAYMENTS_MAX).await;
    drop(waiting);
    let now = Instant::now();
    if let Some(eldest) = received.first() {
        shard
            .gate
            .store_wait((now - eldest.since).saturating_sub(last_batch));
    }
    received
        .into_iter()
        .filter_map(|item| item.take(now))
        .collect()
}

/// Ends when the connection does, so that it is replaced before a payment needs it.
async fn lost(writer: Option<&Writer>) {
    if let Some(writer) = writer {
        writer.connection.ended.cancelled().await;
    }
}

/// Writes a batch and answers each of its payments.
async fn write(shard: &Arc<Shard>, writer: &mut Option<Writer>, items: Vec<Item>) {
    let begun = Instant::now();
    let outcomes = match decide(shard, writer, &items).await {
        Err(StoreError::Refused { source, .. }) if items.len() > 1 => {
            log(shard, "a batch was refused", source.as_ref());
            one_by_one(shard, writer, items).await;
            return;
        }
        Ok(outcomes) => outcomes,
        Err(error) => same_for_all(&error, items.len()),
    };
    shard
        .metrics
        .batch(shard.index, items.len(), begun.elapsed());
    for (item, outcome) in items.into_iter().zip(outcomes) {
        item.answer(outcome);
    }
}

/// One payment must not fail the others of its batch.
async fn one_by_one(shard: &Arc<Shard>, writer: &mut Option<Writer>, items: Vec<Item>) {
    for item in items {
        let outcome = decide(shard, writer, std::slice::from_ref(&item)).await;
        if let Err(StoreError::Refused { source, .. }) = &outcome {
            log(shard, "a batch was refused", source.as_ref());
        }
        item.answer(outcome.and_then(|mut outcomes| outcomes.remove(0)));
    }
}

/// Sends a batch until its outcome is known, tries run out, or nobody waits any more.
async fn decide(
    shard: &Arc<Shard>,
    writer: &mut Option<Writer>,
    items: &[Item],
) -> Result<Outcomes, StoreError> {
    let give_up = items
        .iter()
        .map(Item::deadline)
        .max()
        .unwrap_or_else(Instant::now);
    let mut may_be_committed = false;
    for _ in 0..TRIES_MAX {
        let ready = match writer {
            Some(ready) => ready,
            None => match tokio::time::timeout_at(give_up, open_until_it_works(shard)).await {
                Ok(opened) => writer.insert(opened),
                Err(_elapsed) => break,
            },
        };
        let sent = timeout(
            BATCH_MAX,
            batch::book(&ready.connection.client, &ready.book, items),
        );
        match sent.await {
            Ok(Ok(outcomes)) if outcomes.len() == items.len() => {
                let unknown = || shard.outcome_unknown();
                return Ok(outcomes
                    .into_iter()
                    .map(|recorded| recorded.ok_or_else(unknown))
                    .collect());
            }
            Ok(Err(error)) if batch::classify(&error) == Failure::Busy => {
                log(shard, "a batch was rolled back", Some(&error));
            }
            Ok(Err(error)) if batch::classify(&error) == Failure::Moved => {
                log(
                    shard,
                    "the shard takes no writes here any more",
                    Some(&error),
                );
                *writer = None;
            }
            Ok(Err(error)) if batch::classify(&error) == Failure::Refused && !may_be_committed => {
                return Err(StoreError::Refused {
                    shard: shard.index,
                    source: Some(error),
                });
            }
            Ok(_) | Err(_) => {
                tracing::warn!(shard = shard.index, "a connection was lost under a batch");
                may_be_committed = true;
                *writer = None;
            }
        }
        if Instant::now() >= give_up {
            break;
        }
    }
    Err(if may_be_committed {
        shard.outcome_unknown()
    } else {
        shard.unavailable(None)
    })
}

fn same_for_all(error: &StoreError, count: usize) -> Outcomes {
    let again = || match *error {
        StoreError::OutcomeUnknown { shard } => StoreError::OutcomeUnknown { shard },
        StoreError::Refused { shard, .. } => StoreError::Refused {
            shard,
            source: None,
        },
        StoreError::QueueFull { shard } | StoreError::Unavailable { shard, .. } => {
            StoreError::Unavailable {
                shard,
                source: None,
            }
        }
        StoreError::Deadline | StoreError::InProgress => StoreError::Deadline,
    };
    (0..count).map(|_| Err(again())).collect()
}

fn log(shard: &Shard, what: &str, error: Option<&tokio_postgres::Error>) {
    // The detail of PostgreSQL's message may quote a row, so only its code is logged.
    let sqlstate = error
        .and_then(|error| error.code())
        .map_or("?", |state| state.code());
    tracing::warn!(shard = shard.index, sqlstate, "{what}");
}

async fn open_until_it_works(shard: &Arc<Shard>) -> Writer {
    let mut wait = RECONNECT_WAIT_MIN;
    loop {
        match open(shard).await {
            Ok(writer) => return writer,
            Err(error) => {
                tracing::warn!(shard = shard.index, %error, "no writer connection");
                shard.report_writers();
            }
        }
        // Full jitter: pods that lost a shard together do not come back together.
        let share = rand::rng().random_range(0.5..1.0);
        tokio::time::sleep(wait.mul_f64(share)).await;
        wait = (wait * 2).min(RECONNECT_WAIT_MAX);
    }
}

async fn open(shard: &Arc<Shard>) -> Result<Writer, OpenError> {
    let mut connection = connect::connect(&shard.address)
        .await
        .map_err(OpenError::Connect)?;
    migrate::migrate(&mut connection.client)
        .await
        .map_err(OpenError::Migrate)?;
    let book = batch::prepare(&connection.client)
        .await
        .map_err(OpenError::Prepare)?;
    Ok(Writer {
        connection,
        book,
        _up: LaneUp::new(shard),
    })
}

/// Why a lane has no connection.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("connecting failed: {0}")]
    Connect(#[source] connect::ConnectError),
    #[error("the schema is not usable: {0}")]
    Migrate(#[source] migrate::MigrateError),
    #[error("preparing failed: {0}")]
    Prepare(#[source] tokio_postgres::Error),
}

impl Shard {
    fn lane_came_up(&self) {
        self.lanes_up.send_modify(|lanes| *lanes += 1);
        self.all_lanes_up.fetch_add(1, Ordering::Relaxed);
        self.report_writers();
    }

    fn lane_went_down(&self) {
        self.lanes_up.send_modify(|lanes| *lanes -= 1);
        self.all_lanes_up.fetch_sub(1, Ordering::Relaxed);
        self.report_writers();
    }

    /// The gate finishes only what was started while no shard can be written.
    fn report_writers(&self) {
        self.gate
            .writer_lost(self.all_lanes_up.load(Ordering::Relaxed) == 0);
    }
}
