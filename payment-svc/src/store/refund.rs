//! One refund, there and back in one round trip.
//!
//! Invariant: what was begun goes on to a recorded state, whether or not someone still waits for it.

use std::sync::Arc;

use deadpool_postgres::Object;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;

use super::batch::{self, Failure, timestamp};
use super::{Shard, Store, StoreError};
use crate::ids::Slot;
use crate::order::{Booked, NewRefund, RefundOutcome};

const REFUND: &str =
    "SELECT outcome, refund_id, currency, created_us, replayed, refundable, user_id
    FROM book_refund($1, $2, $3, $4, $5)";

/// Tries of one refund, the first included.
const TRIES_MAX: u32 = 2;

impl Store {
    /// Books a refund, or says what is recorded under its key.
    pub async fn refund(
        &self,
        refund: &NewRefund,
        deadline: Instant,
    ) -> Result<RefundOutcome, StoreError> {
        let Some(slot) = Slot::of_payment(&refund.payment_id) else {
            return Ok(RefundOutcome::PaymentUnknown);
        };
        let shard = Arc::clone(self.shard_of(slot));
        let first = self
            .same_key
            .enter(&refund.payment_id, &refund.idempotency_key, deadline)
            .await?;
        let connection = timeout_at(deadline, shard.checkout())
            .await
            .map_err(|_elapsed| StoreError::Deadline)??;
        let unknown = shard.outcome_unknown();
        let (id, refund) = (slot.new_refund_id(), refund.clone());
        let work = self.tasks.spawn(async move {
            let _first = first;
            shard.refund(connection, &id, &refund).await
        });
        match timeout_at(deadline, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(unknown),
        }
    }
}

impl Shard {
    /// Sends a refund until its outcome is known or tries run out; the id is the same each time, so
    /// what was committed under a lost connection is found.
    async fn refund(
        &self,
        connection: Object,
        id: &str,
        refund: &NewRefund,
    ) -> Result<RefundOutcome, StoreError> {
        let mut first = Some(connection);
        let mut may_be_committed = false;
        for _ in 0..TRIES_MAX {
            let connection = match first.take() {
                Some(connection) => connection,
                None => match self.checkout().await {
                    Ok(connection) => connection,
                    Err(_) if may_be_committed => break,
                    Err(error) => return Err(error),
                },
            };
            match book(&connection, id, refund).await {
                Ok(row) => {
                    let recorded = outcome(&row, id).ok().flatten();
                    return recorded.ok_or_else(|| self.outcome_unknown());
                }
                Err(error) => match batch::classify(&error) {
                    Failure::Busy | Failure::Moved => {}
                    Failure::Refused if !may_be_committed => return Err(self.failed(error)),
                    Failure::Refused | Failure::Lost => may_be_committed = true,
                },
            }
        }
        Err(if may_be_committed {
            self.outcome_unknown()
        } else {
            self.unavailable(None)
        })
    }
}

async fn book(
    connection: &Object,
    id: &str,
    refund: &NewRefund,
) -> Result<Row, tokio_postgres::Error> {
    let statement = connection.prepare_cached(REFUND).await?;
    let hash = refund.request_hash();
    connection
        .query_one(
            &statement,
            &[
                &id,
                &refund.payment_id,
                &refund.amount.value(),
                &refund.idempotency_key,
                &hash.as_slice(),
            ],
        )
        .await
}

/// What the row says; `None` for an outcome that this binary does not know.
fn outcome(row: &Row, id: &str) -> Result<Option<RefundOutcome>, tokio_postgres::Error> {
    let refund_id: Option<String> = row.try_get(1)?;
    Ok(Some(match (row.try_get(0)?, refund_id) {
        ("booked", Some(refund_id)) => RefundOutcome::Booked {
            refund: Booked {
                replayed: row.try_get::<_, bool>(4)? && refund_id != id,
                created_at: timestamp(row.try_get(3)?),
                id: refund_id,
            },
            currency: row.try_get(2)?,
            user_id: row.try_get(6)?,
        },
        ("refund_exceeds_payment", _) => RefundOutcome::ExceedsPayment {
            refundable_minor: row.try_get(5)?,
        },
        ("payment_unknown", _) => RefundOutcome::PaymentUnknown,
        ("key_reused", _) => RefundOutcome::KeyReused,
        (label, _) => {
            tracing::error!(label, "the shard returned an unknown refund outcome");
            return Ok(None);
        }
    }))
}
