//! Reads one shard: this run's payments and refunds, and the books of everyone.

mod checks;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, Config, IsolationLevel, NoTls, Row, Transaction};

pub(super) use checks::Books;

/// How long a shard may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often open transactions are looked at while they end.
const SETTLE_POLL: Duration = Duration::from_millis(100);

/// Address of a shard; what is printed of it never holds the password.
#[derive(Clone)]
pub struct ShardUrl(Config);

/// Why a shard could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It is not an address.
    #[error("a shard must be given like postgres://user@127.0.0.1:5432/payments")]
    Url,
    /// It does not answer.
    #[error("shard {shard} does not accept a connection")]
    Connect {
        /// Which shard.
        shard: String,
        /// Why; none when it took too long.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
    /// It does not answer a question.
    #[error("shard {shard}: {question} cannot be read")]
    Query {
        /// Which shard.
        shard: String,
        /// What was asked.
        question: &'static str,
        /// Why.
        #[source]
        source: tokio_postgres::Error,
    },
}

impl FromStr for ShardUrl {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        // The parser's own message may quote the address, and with it a password.
        text.parse().map(Self).map_err(|_| LedgerError::Url)
    }
}

impl fmt::Display for ShardUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self
            .0
            .get_hosts()
            .first()
            .map_or_else(String::new, |host| match host {
                tokio_postgres::config::Host::Tcp(host) => host.clone(),
                tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            });
        let port = self.0.get_ports().first().copied().unwrap_or(5432);
        write!(
            formatter,
            "{hosts}:{port}/{}",
            self.0.get_dbname().unwrap_or("?")
        )
    }
}

impl fmt::Debug for ShardUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ShardUrl({self})")
    }
}

/// A payment of this run as a shard holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Id.
    pub id: String,
    /// Idempotency key.
    pub key: String,
    /// Payer.
    pub user: String,
    /// Payee.
    pub merchant: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: String,
}

/// A refund of this run as a shard holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRow {
    /// Id.
    pub id: String,
    /// Idempotency key.
    pub key: String,
    /// Payment given back.
    pub payment: String,
    /// Amount in minor units.
    pub amount_minor: i64,
}

/// What one shard holds.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Payments of this run.
    pub payments: Vec<PaymentRow>,
    /// Refunds of this run.
    pub refunds: Vec<RefundRow>,
    /// The books of everyone.
    pub books: Books,
    /// Whether all transactions open at the beginning had ended.
    pub settled: bool,
}

/// Reads a shard in one snapshot, after the transactions open now have ended.
pub(super) async fn read(
    shard: &ShardUrl,
    key_prefix: &str,
    settle: Duration,
) -> Result<Ledger, LedgerError> {
    let connect = |source| LedgerError::Connect {
        shard: shard.to_string(),
        source,
    };
    let connecting = timeout(CONNECT_TIMEOUT, shard.0.connect(NoTls)).await;
    let (mut client, connection) = connecting
        .map_err(|_| connect(None))?
        .map_err(|error| connect(Some(error)))?;
    // It ends with the client, and its error reaches whoever asks next.
    let connection = tokio::spawn(connection);
    let query = |question| {
        move |source| LedgerError::Query {
            shard: shard.to_string(),
            question,
            source,
        }
    };
    let settled = wait_until_settled(&client, settle)
        .await
        .map_err(query("open transactions"))?;
    let snapshot = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(query("a snapshot"))?;
    let payments = payments(&snapshot, key_prefix)
        .await
        .map_err(query("payments"))?;
    let refunds = refunds(&snapshot, key_prefix)
        .await
        .map_err(query("refunds"))?;
    let books = checks::books(&snapshot).await.map_err(query("the books"))?;
    snapshot
        .commit()
        .await
        .map_err(query("the end of the snapshot"))?;
    drop(client);
    // Only its end matters here; its errors were those of the questions.
    let _ = connection.await;
    Ok(Ledger {
        payments,
        refunds,
        books,
        settled,
    })
}

/// Waits until every transaction that is open now has ended, at most for `bound`.
///
/// Transactions that begin later do not matter: a client that waits for an answer sent its request
/// before the audit began.
async fn wait_until_settled(
    client: &Client,
    bound: Duration,
) -> Result<bool, tokio_postgres::Error> {
    let since: String = client
        .query_one("SELECT clock_timestamp()::text", &[])
        .await?
        .try_get(0)?;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND xact_start < $1::text::timestamptz";
    let begun = Instant::now();
    loop {
        let count: i64 = client.query_one(open, &[&since]).await?.try_get(0)?;
        if count == 0 || begun.elapsed() >= bound {
            return Ok(count == 0);
        }
        sleep(SETTLE_POLL).await;
    }
}

async fn payments(
    snapshot: &Transaction<'_>,
    key_prefix: &str,
) -> Result<Vec<PaymentRow>, tokio_postgres::Error> {
    let question = "SELECT id, idempotency_key, user_id, merchant_id, amount_minor, currency
        FROM payments WHERE starts_with(idempotency_key, $1)";
    let rows = snapshot.query(question, &[&key_prefix]).await?;
    let payment = |row: &Row| {
        Ok(PaymentRow {
            id: row.try_get(0)?,
            key: row.try_get(1)?,
            user: row.try_get(2)?,
            merchant: row.try_get(3)?,
            amount_minor: row.try_get(4)?,
            currency: row.try_get(5)?,
        })
    };
    rows.iter().map(payment).collect()
}

async fn refunds(
    snapshot: &Transaction<'_>,
    key_prefix: &str,
) -> Result<Vec<RefundRow>, tokio_postgres::Error> {
    let question = "SELECT id, idempotency_key, payment_id, amount_minor
        FROM refunds WHERE starts_with(idempotency_key, $1)";
    let rows = snapshot.query(question, &[&key_prefix]).await?;
    let refund = |row: &Row| {
        Ok(RefundRow {
            id: row.try_get(0)?,
            key: row.try_get(1)?,
            payment: row.try_get(2)?,
            amount_minor: row.try_get(3)?,
        })
    };
    rows.iter().map(refund).collect()
}
