//! What is read back: payments, keys, accounts.
//!
//! Payments and keys come from the primary, because someone decides by them; accounts and merchants
//! only answer reads and may come from a replica.

use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::batch::timestamp;
use super::{Shard, Store, StoreError};
use crate::account::{Account, Merchant};
use crate::ids::Slot;
use crate::order::{Payment, Recorded};

/// Time a replica has before the primary is asked; a read as a whole has half a second.
const REPLICA_MAX: Duration = Duration::from_millis(150);

const PAYMENT: &str = "SELECT id, user_id, merchant_id, amount_minor, currency, reference,
        refunded_minor, (extract(epoch FROM created_at) * 1000000)::bigint
    FROM payments WHERE id = $1";

/// Waits for whoever changes the payer's account.
const SETTLED: &str = "SELECT 1 FROM accounts WHERE id = $1 AND stripe = 0 FOR SHARE";

const RECORDED: &str = "SELECT p.id, p.user_id, p.merchant_id, p.amount_minor, p.currency,
        p.reference, p.refunded_minor, (extract(epoch FROM p.created_at) * 1000000)::bigint,
        k.outcome
    FROM idempotency_keys k LEFT JOIN payments p ON p.id = k.transfer_id
    WHERE k.user_id = $1 AND k.key = $2";

const ACCOUNT: &str = "SELECT currency, balance_minor,
        (extract(epoch FROM updated_at) * 1000000)::bigint
    FROM accounts WHERE id = $1 AND stripe = 0 AND kind = 'user'";

const MERCHANT: &str = "SELECT currency, sum(balance_minor)::bigint,
        (extract(epoch FROM max(updated_at)) * 1000000)::bigint
    FROM accounts WHERE id = $1 AND kind = 'merchant' GROUP BY currency";

impl Store {
    /// A payment by its id.
    pub async fn payment(&self, id: &str) -> Result<Option<Payment>, StoreError> {
        let Some(slot) = Slot::of_payment(id) else {
            return Ok(None);
        };
        let shard = self.shard_of(slot);
        let row = shard.read(PAYMENT, id).await?;
        row.map(|row| payment(&row))
            .transpose()
            .map_err(|error| shard.failed(error))
    }

    /// What is recorded under a payer's key. A request with the key that is at work on this pod, or
    /// holds the payer's row on another, is waited for: its effect must not be denied.
    pub async fn recorded(
        &self,
        user_id: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<Option<Recorded>, StoreError> {
        let shard = self.shard_of(Slot::of_user(user_id));
        self.same_key.wait(user_id, key, deadline).await?;
        let look_up = async {
            let connection = shard.checkout().await?;
            let (user_id, key) = (user_id.to_owned(), key.to_owned());
            let found = async move {
                query(&connection, SETTLED, &[&user_id]).await?;
                let row = query(&connection, RECORDED, &[&user_id, &key]).await?;
                row.map_or(Ok(None), |row| recorded(&row))
            };
            shard.to_its_end(found).await
        };
        timeout_at(deadline, look_up)
            .await
            .unwrap_or(Err(StoreError::Deadline))
    }

    /// A user's account, maybe a moment old.
    pub async fn account(&self, user_id: &str) -> Result<Option<Account>, StoreError> {
        let shard = self.shard_of(Slot::of_user(user_id));
        let Some(row) = shard.read_stale(ACCOUNT, user_id).await? else {
            return Ok(None);
        };
        account(user_id, &row)
            .map(Some)
            .map_err(|error| shard.failed(error))
    }

    /// A merchant, summed over the shards, maybe a moment old.
    pub async fn merchant(&self, merchant_id: &str) -> Result<Option<Merchant>, StoreError> {
        let parts = self.shards.iter().map(|shard| async move {
            let row = shard.read_stale(MERCHANT, merchant_id).await?;
            row.map(|row| merchant(merchant_id, &row))
                .transpose()
                .map_err(|error| shard.failed(error))
        });
        let parts = try_join_all(parts).await?;
        Ok(parts.into_iter().flatten().reduce(|mut sum, part| {
            sum.add(&part);
            sum
        }))
    }
}

impl Shard {
    /// Asks the primary for the row of an id.
    async fn read(&self, sql: &'static str, id: &str) -> Result<Option<Row>, StoreError> {
        let connection = self.checkout().await?;
        self.to_its_end(row_of(connection, sql, id.to_owned()))
            .await
    }

    /// Asks the replica, or the primary when there is none or it fails.
    async fn read_stale(&self, sql: &'static str, id: &str) -> Result<Option<Row>, StoreError> {
        if let Some(replica) = &self.replica {
            let asked = async {
                let connection = replica.get().await.ok()?;
                let row = row_of(connection, sql, id.to_owned());
                self.to_its_end(row).await.ok()
            };
            if let Ok(Some(row)) = timeout(REPLICA_MAX, asked).await {
                return Ok(row);
            }
        }
        self.read(sql, id).await
    }

    /// Does what reads on a connection, to its end also when nobody waits for it any more: a
    /// connection that goes back to its pool under a query makes whoever takes it next wait for
    /// that query.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match tokio::spawn(work).await {
            Ok(done) => done.map_err(|error| self.failed(error)),
            Err(_panicked) => Err(self.unavailable(None)),
        }
    }
}

async fn row_of(
    connection: deadpool_postgres::Object,
    sql: &'static str,
    id: String,
) -> Result<Option<Row>, tokio_postgres::Error> {
    query(&connection, sql, &[&id]).await
}

async fn query(
    connection: &deadpool_postgres::Object,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Option<Row>, tokio_postgres::Error> {
    let statement = connection.prepare_cached(sql).await?;
    connection.query_opt(&statement, params).await
}

fn payment(row: &Row) -> Result<Payment, tokio_postgres::Error> {
    Ok(Payment {
        id: row.try_get(0)?,
        user_id: row.try_get(1)?,
        merchant_id: row.try_get(2)?,
        amount_minor: row.try_get(3)?,
        currency: row.try_get(4)?,
        reference: row.try_get(5)?,
        refunded_minor: row.try_get(6)?,
        created_at: timestamp(row.try_get(7)?),
    })
}

fn recorded(row: &Row) -> Result<Option<Recorded>, tokio_postgres::Error> {
    if row.try_get::<_, &str>(8)? == "insufficient_funds" {
        return Ok(Some(Recorded::InsufficientFunds));
    }
    // A booked key without a payment is a refund's.
    if row.try_get::<_, Option<&str>>(0)?.is_none() {
        return Ok(None);
    }
    payment(row).map(|payment| Some(Recorded::Payment(payment)))
}

fn account(user_id: &str, row: &Row) -> Result<Account, tokio_postgres::Error> {
    Ok(Account {
        user_id: user_id.to_owned(),
        currency: row.try_get(0)?,
        balance_minor: row.try_get(1)?,
        updated_at: timestamp(row.try_get(2)?),
    })
}

fn merchant(merchant_id: &str, row: &Row) -> Result<Merchant, tokio_postgres::Error> {
    Ok(Merchant {
        merchant_id: merchant_id.to_owned(),
        currency: row.try_get(0)?,
        balance_minor: row.try_get(1)?,
        updated_at: timestamp(row.try_get(2)?),
    })
}
