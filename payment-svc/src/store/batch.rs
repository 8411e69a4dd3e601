//! One batch of payments, there and back in one round trip.

use jiff::Timestamp;
use tokio_postgres::error::Severity;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, Statement};

use super::queue::Item;
use crate::order::{Booked, PaymentOutcome};

const BOOK: &str = "SELECT outcome, payment_id, created_us, replayed
    FROM book_payments($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY ord";

/// What an error of PostgreSQL says about what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection ended: it may or may not have been committed.
    Lost,
    /// Rolled back, and worth another try: a lock, a deadlock, a full disk.
    Busy,
    /// Rolled back, because the server has become a standby.
    Moved,
    /// Rolled back, and another try would end the same.
    Refused,
}

/// Reads an error.
pub(super) fn classify(error: &tokio_postgres::Error) -> Failure {
    match error.as_db_error() {
        None => Failure::Lost,
        Some(db) => failure(db.parsed_severity(), db.code().code()),
    }
}

/// What severity and SQLSTATE say. A session that ends by an error may have committed before: a
/// server that cannot flush its log panics after the commit record may be on the disk. So whatever
/// is graver than `ERROR` is a loss, and so are the codes that come with the end of a session
/// (`57P`, class 08), with a disk that fails (58) and with damage (`XX`).
fn failure(severity: Option<Severity>, sqlstate: &str) -> Failure {
    if matches!(severity, Some(Severity::Panic | Severity::Fatal)) {
        return Failure::Lost;
    }
    match sqlstate {
        "40001" | "40P01" | "55P03" | "57014" => Failure::Busy,
        "25006" => Failure::Moved,
        code if code.starts_with("53") => Failure::Busy,
        code if ["08", "57P", "58", "XX"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Failure::Lost
        }
        _ => Failure::Refused,
    }
}

/// Prepares the statement on a new connection.
pub(super) async fn prepare(client: &Client) -> Result<Statement, tokio_postgres::Error> {
    let texts = Type::TEXT_ARRAY;
    client
        .prepare_typed(
            BOOK,
            &[
                texts.clone(),
                texts.clone(),
                texts.clone(),
                Type::INT2_ARRAY,
                Type::INT8_ARRAY,
                texts.clone(),
                texts.clone(),
                texts,
                Type::BYTEA_ARRAY,
            ],
        )
        .await
}

/// Books the items in one transaction; the outcomes are in their order, and `None` is one
/// that this binary does not know.
pub(super) async fn book(
    client: &Client,
    statement: &Statement,
    items: &[Item],
) -> Result<Vec<Option<PaymentOutcome>>, tokio_postgres::Error> {
    fn column<'a, T>(items: &'a [Item], pick: impl Fn(&'a Item) -> T) -> Vec<T> {
        items.iter().map(pick).collect()
    }
    let rows = client
        .query(
            statement,
            &[
                &column(items, |item| item.id.as_str()),
                &column(items, |item| item.payment.user_id.as_str()),
                &column(items, |item| item.payment.merchant_id.as_str()),
                &column(items, |item| item.stripe),
                &column(items, |item| item.payment.amount.value()),
                &column(items, |item| item.payment.currency.code()),
                &column(items, |item| item.payment.reference.as_deref()),
                &column(items, |item| item.payment.idempotency_key.as_str()),
                &column(items, |item| item.request_hash.as_slice()),
            ],
        )
        .await?;
    rows.iter()
        .zip(items)
        .map(|(row, item)| outcome(row, item))
        .collect()
}

fn outcome(row: &Row, item: &Item) -> Result<Option<PaymentOutcome>, tokio_postgres::Error> {
    let replayed: bool = row.try_get(3)?;
    Ok(Some(match row.try_get(0)? {
        "booked" => {
            let id: String = row.try_get(1)?;
            PaymentOutcome::Booked(Booked {
                // The same id again is this very request, sent twice after a lost connection.
                replayed: replayed && id != item.id,
                created_at: timestamp(row.try_get(2)?),
                id,
            })
        }
        "insufficient_funds" => PaymentOutcome::InsufficientFunds { replayed },
        "key_reused" => PaymentOutcome::KeyReused,
        "user_unknown" => PaymentOutcome::UserUnknown,
        "merchant_unknown" => PaymentOutcome::MerchantUnknown,
        "currency_mismatch" => PaymentOutcome::CurrencyMismatch,
        label => {
            // The schema may be ahead of this binary, and the new outcome may well mean a booking.
            tracing::error!(label, "the shard returned an unknown payment outcome");
            return Ok(None);
        }
    }))
}

/// A time of the shard, from microseconds since the epoch.
pub(super) fn timestamp(epoch_us: i64) -> Timestamp {
    Timestamp::from_microsecond(epoch_us).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f66_a_server_that_panics_or_cannot_use_its_disk_leaves_the_outcome_open() {
        for (severity, sqlstate) in [
            (Severity::Panic, "58030"),
            (Severity::Panic, "53100"),
            (Severity::Fatal, "57P01"),
            (Severity::Fatal, "53300"),
            (Severity::Error, "58030"),
            (Severity::Error, "XX001"),
        ] {
            assert_eq!(
                failure(Some(severity), sqlstate),
                Failure::Lost,
                "{severity:?} {sqlstate}"
            );
        }
    }

    #[test]
    fn an_error_that_was_rolled_back_says_whether_another_try_helps() {
        for (sqlstate, expected) in [
            ("40P01", Failure::Busy),
            ("53100", Failure::Busy),
            ("57014", Failure::Busy),
            ("25006", Failure::Moved),
            ("23514", Failure::Refused),
        ] {
            assert_eq!(failure(Some(Severity::Error), sqlstate), expected);
            assert_eq!(failure(None, sqlstate), expected);
        }
    }
}
