//! The shards: where payments are written in batches and read back.
//!
//! A [`Shard`] has a bounded queue in front of a few writer lanes, and small pools for reads and
//! refunds. Everything of one payment happens on its payer's shard.
//! Invariant: work is dropped only before its batch was sent; after that it runs to a recorded
//! state, and a request that cannot learn which one ends as `outcome_unknown`.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::queue::{Item, Ticket};
use self::same_key::SameKey;
use crate::config::ShardAddress;
use crate::gate::Gate;
use crate::ids::Slot;
use crate::metrics::Metrics;
use crate::money::{Currency, MinorUnits};
use crate::order::{NewPayment, PaymentOutcome};
use crate::vitals::Vitals;

mod batch;
pub mod connect;
mod error;
mod lane;
mod queue;
mod read;
mod refund;
mod same_key;

pub use self::connect::ConnectError;
pub use self::error::StoreError;

/// Payments that may wait for one shard. At a thousand payments per second, which is more than a
/// pod writes, this is half a second of work; what comes after it is refused at once.
const QUEUE_PAYMENTS_MAX: usize = 512;
/// Writer lanes per shard: while one waits for its commit the other collects and executes.
const LANES_PER_SHARD: usize = 2;
/// Time the first lane of a shard may take to connect.
const OPEN_MAX: Duration = Duration::from_secs(1);
/// Time the self-test may take on one shard.
const SELF_TEST_MAX: Duration = Duration::from_secs(2);

/// All shards.
pub struct Store {
    shards: Vec<Arc<Shard>>,
    same_key: SameKey,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// One shard.
pub struct Shard {
    index: usize,
    address: tokio_postgres::Config,
    pool: deadpool_postgres::Pool,
    replica: Option<deadpool_postgres::Pool>,
    queue: mpsc::Sender<Item>,
    waiting: Mutex<mpsc::Receiver<Item>>,
    lanes_up: watch::Sender<usize>,
    /// Lanes up on all shards together.
    all_lanes_up: Arc<AtomicU32>,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
}

impl Store {
    /// Prepares the shards; nothing is connected before [`Store::start`].
    pub fn new(
        addresses: &[ShardAddress],
        gate: &Arc<Gate>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, ConnectError> {
        let all_lanes_up = Arc::new(AtomicU32::new(0));
        let shards = addresses.iter().enumerate().map(|(index, address)| {
            let primary = connect::parse(&address.primary)?;
            let replica = address.replica.as_deref().map(connect::parse).transpose()?;
            let (queue, waiting) = mpsc::channel(QUEUE_PAYMENTS_MAX);
            Ok(Arc::new(Shard {
                index,
                pool: connect::pool(&primary)?,
                replica: replica.as_ref().map(connect::pool).transpose()?,
                address: primary,
                queue,
                waiting: Mutex::new(waiting),
                lanes_up: watch::Sender::new(0),
                all_lanes_up: Arc::clone(&all_lanes_up),
                gate: Arc::clone(gate),
                metrics: Arc::clone(metrics),
            }))
        });
        Ok(Self {
            shards: shards.collect::<Result<_, ConnectError>>()?,
            same_key: SameKey::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Starts the writer lanes; each connects, and keeps connecting, by itself.
    pub fn start(&self, vitals: &Vitals) {
        for shard in &self.shards {
            for _ in 0..LANES_PER_SHARD {
                let lane = lane::run(Arc::clone(shard), self.stop.clone());
                let watched = vitals.clone().watch("writer lane", self.stop.clone(), lane);
                self.tasks.spawn(watched);
            }
        }
    }

    /// Stops the lanes after what they hold is recorded.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The shards in their fixed order.
    pub fn shards(&self) -> &[Arc<Shard>] {
        &self.shards
    }

    /// Books a payment, or says what is recorded under its key.
    pub async fn book(
        &self,
        payment: NewPayment,
        deadline: Instant,
    ) -> Result<PaymentOutcome, StoreError> {
        let slot = payment.slot();
        let shard = self.shard_of(slot);
        let _first = self
            .same_key
            .enter(&payment.user_id, &payment.idempotency_key, deadline)
            .await?;
        if *shard.lanes_up.borrow() == 0 {
            return Err(shard.unavailable(None));
        }
        let (item, ticket) = queue::item(payment, slot, deadline);
        shard
            .queue
            .try_send(item)
            .map_err(|_| StoreError::QueueFull { shard: shard.index })?;
        Ticket::wait(ticket, shard.index, deadline).await
    }

    /// Opens a connection to every shard, and waits until each has a writer lane.
    pub async fn open(&self) -> Result<(), StoreError> {
        let opened = join_all(self.shards.iter().map(|shard| async {
            drop(shard.checkout().await?);
            let mut lanes_up = shard.lanes_up.subscribe();
            match timeout(OPEN_MAX, lanes_up.wait_for(|lanes| *lanes > 0)).await {
                Ok(Ok(_)) => Ok(()),
                _ => Err(shard.unavailable(None)),
            }
        }));
        opened.await.into_iter().collect()
    }

    /// Sends a payment nobody can make down the whole path of every shard.
    pub async fn self_test(&self) -> Result<(), StoreError> {
        let tests = self.shards.iter().map(|shard| async {
            let deadline = Instant::now() + SELF_TEST_MAX;
            let (item, ticket) = queue::item(impossible_payment(), Slot::of_user(""), deadline);
            shard
                .queue
                .try_send(item)
                .map_err(|_| StoreError::QueueFull { shard: shard.index })?;
            Ticket::wait(ticket, shard.index, deadline).await.map(drop)
        });
        join_all(tests).await.into_iter().collect()
    }

    fn shard_of(&self, slot: Slot) -> &Arc<Shard> {
        &self.shards[slot.shard(self.shards.len())]
    }
}

impl Shard {
    /// Position in the fixed order.
    pub fn index(&self) -> usize {
        self.index
    }

    /// A connection to the primary.
    pub async fn checkout(&self) -> Result<deadpool_postgres::Object, StoreError> {
        let asked = Instant::now();
        let connection = self.pool.get().await;
        self.gate.store_wait(asked.elapsed());
        connection.map_err(|error| self.unavailable(Some(error.into())))
    }

    fn unavailable(&self, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError::Unavailable {
            shard: self.index,
            source,
        }
    }

    fn outcome_unknown(&self) -> StoreError {
        StoreError::OutcomeUnknown { shard: self.index }
    }

    /// An error of a statement that had no effect or only read.
    fn failed(&self, error: tokio_postgres::Error) -> StoreError {
        match batch::classify(&error) {
            batch::Failure::Refused => StoreError::Refused {
                shard: self.index,
                source: Some(error),
            },
            batch::Failure::Lost | batch::Failure::Busy | batch::Failure::Moved => {
                self.unavailable(Some(error.into()))
            }
        }
    }
}

/// A payment of a user that cannot exist, because `~` is in no account id.
fn impossible_payment() -> NewPayment {
    NewPayment {
        user_id: "~self-test".to_owned(),
        merchant_id: "~self-test".to_owned(),
        amount: MinorUnits::ONE,
        currency: Currency::CNY,
        reference: None,
        idempotency_key: "self-test".to_owned(),
    }
}
