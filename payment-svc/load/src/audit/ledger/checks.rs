//! Whether the books of a shard are right, for everyone and not for one run.
//!
//! Sums are `numeric` in SQL and cut to 64 bits at the end, so that no sum overflows unseen.

use tokio_postgres::{Error, Row, Transaction};

/// What is wrong with the books of a shard; all zero and empty when nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// What entries are off zero by, over transfers and currencies, minor units.
    pub imbalance_minor: i64,
    /// Transfers whose entries do not sum to zero.
    pub unbalanced_transfers: Vec<String>,
    /// Accounts (with their stripe) whose balance is not the sum of their entries.
    pub balance_mismatches: Vec<String>,
    /// Wallets and clearing accounts below zero.
    pub negative_wallets: Vec<String>,
    /// Payments and refunds whose entries move more than their amount, a whole number of times.
    pub doubled: Vec<String>,
    /// Payments and refunds whose entries otherwise do not move their amount, and entries whose
    /// transfer is neither payment, refund nor opening.
    pub misbooked: Vec<String>,
    /// Payments refunded beyond their amount, or whose refunds do not add up.
    pub refund_breaches: Vec<String>,
}

const UNBALANCED: &str = "
    SELECT transfer_id FROM entries GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0";

/// The larger of what transfers and what currencies are off by: one may hide the other.
const IMBALANCE: &str = "
    SELECT least(9223372036854775807, greatest(
        (SELECT coalesce(sum(abs(off)), 0) FROM
            (SELECT sum(amount_minor) AS off FROM entries GROUP BY transfer_id, currency) AS t),
        (SELECT coalesce(sum(abs(off)), 0) FROM
            (SELECT sum(amount_minor) AS off FROM entries GROUP BY currency) AS c)))::bigint";

const MISMATCHED: &str = "
    SELECT coalesce(a.id, e.id) || '/' || coalesce(a.stripe, e.stripe)
      FROM accounts a
      FULL JOIN (SELECT account_id AS id, stripe, sum(amount_minor) AS total,
                        min(currency) AS low, max(currency) AS high
                   FROM entries GROUP BY account_id, stripe) AS e
        ON e.id = a.id AND e.stripe = a.stripe
     WHERE a.id IS NULL OR a.balance_minor <> coalesce(e.total, 0)
        OR e.low <> a.currency OR e.high <> a.currency";

const NEGATIVE: &str = "
    SELECT id || '/' || stripe FROM accounts WHERE kind <> 'opening' AND balance_minor < 0";

/// Transfers with what they should take from the payer and give to the payee, against the entries.
/// `$1` picks those that moved a whole multiple of at least two, or the rest of what is wrong.
const WRONG: &str = "
    WITH due AS (
        SELECT id, user_id AS giver, merchant_id AS taker, amount_minor, currency FROM payments
        UNION ALL
        SELECT r.id, p.merchant_id, p.user_id, r.amount_minor, r.currency
          FROM refunds r JOIN payments p ON p.id = r.payment_id),
    moved AS (
        SELECT d.id, d.amount_minor,
               coalesce(-sum(e.amount_minor) FILTER (WHERE e.account_id = d.giver
                                                      AND e.currency = d.currency), 0) AS given,
               coalesce(sum(e.amount_minor) FILTER (WHERE e.account_id = d.taker
                                                     AND e.currency = d.currency), 0) AS taken,
               count(*) FILTER (WHERE e.account_id NOT IN (d.giver, d.taker)) AS strangers
          FROM due d LEFT JOIN entries e ON e.transfer_id = d.id
         GROUP BY d.id, d.amount_minor)
    SELECT id FROM moved
     WHERE (given <> amount_minor OR taken <> amount_minor OR strangers > 0)
       AND (given = taken AND given > amount_minor AND given % amount_minor = 0
            AND strangers = 0) = $1";

const ORPHANS: &str = "
    SELECT DISTINCT e.transfer_id FROM entries e
     WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.id = e.transfer_id)
       AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.id = e.transfer_id)
       AND NOT EXISTS (SELECT 1 FROM entries o JOIN accounts a ON a.id = o.account_id
                        WHERE o.transfer_id = e.transfer_id AND a.kind = 'opening')";

const REFUNDS: &str = "
    SELECT p.id FROM payments p
      LEFT JOIN (SELECT payment_id, sum(amount_minor) AS total FROM refunds GROUP BY payment_id) AS r
        ON r.payment_id = p.id
     WHERE p.refunded_minor > p.amount_minor OR p.refunded_minor <> coalesce(r.total, 0)";

/// Asks a shard everything that must hold of its books.
pub(super) async fn books(snapshot: &Transaction<'_>) -> Result<Books, Error> {
    let mut misbooked = names(&snapshot.query(WRONG, &[&false]).await?)?;
    misbooked.extend(names(&snapshot.query(ORPHANS, &[]).await?)?);
    Ok(Books {
        imbalance_minor: snapshot.query_one(IMBALANCE, &[]).await?.try_get(0)?,
        unbalanced_transfers: names(&snapshot.query(UNBALANCED, &[]).await?)?,
        balance_mismatches: names(&snapshot.query(MISMATCHED, &[]).await?)?,
        negative_wallets: names(&snapshot.query(NEGATIVE, &[]).await?)?,
        doubled: names(&snapshot.query(WRONG, &[&true]).await?)?,
        misbooked,
        refund_breaches: names(&snapshot.query(REFUNDS, &[]).await?)?,
    })
}

fn names(rows: &[Row]) -> Result<Vec<String>, Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
