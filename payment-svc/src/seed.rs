//! Opening deposits: users and merchants to pay with.
//!
//! Money does not appear: each deposit is a transfer from the opening account of its currency, which
//! is the only one that may be negative. Accounts that exist already are left alone, so seeding twice
//! changes nothing.

use tokio_postgres::Client;

use crate::ids::{MERCHANT_STRIPES, Slot};
use crate::money::Currency;

/// Users of one transaction.
const CHUNK_USERS: usize = 10_000;

const USERS: &str = "
    WITH fresh AS (
        INSERT INTO accounts (id, kind, currency, balance_minor)
        SELECT id, 'user', $2, $3 FROM unnest($1::text[]) AS u (id)
        ON CONFLICT DO NOTHING
        RETURNING id),
    legs AS (
        INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor, currency)
        SELECT 'dep_' || f.id, leg.leg, CASE leg.leg WHEN 0 THEN $4 ELSE f.id END, 0,
               CASE leg.leg WHEN 0 THEN -$3 ELSE $3 END, $2
          FROM fresh f, (VALUES (0::smallint), (1::smallint)) AS leg (leg)
         WHERE $3 <> 0::bigint),
    opening AS (
        UPDATE accounts a
           SET balance_minor = a.balance_minor - $3 * (SELECT count(*) FROM fresh),
               updated_at = now()
         WHERE a.id = $4 AND a.stripe = 0)
    SELECT count(*) FROM fresh";

const OPENING: &str = "INSERT INTO accounts (id, kind, currency) VALUES ($1, 'opening', $2)
    ON CONFLICT DO NOTHING";

const MERCHANTS: &str = "INSERT INTO accounts (id, stripe, kind, currency)
    SELECT id, stripe, 'merchant', $2
      FROM unnest($1::text[]) AS m (id), generate_series(0, $3::integer - 1) AS s (stripe)
    ON CONFLICT DO NOTHING";

/// What to seed.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// Users, `u-000001` and so on, over all shards.
    pub users: u32,
    /// Merchants, `m-0001` and so on, each on every shard.
    pub merchants: u32,
    /// Opening balance of a user, minor units; at least 0.
    pub balance_minor: i64,
    /// Currency of all accounts.
    pub currency: Currency,
}

/// Why a shard was not, or not wholly, seeded; what was seeded balances.
#[derive(Debug, thiserror::Error)]
#[error("cannot seed a shard")]
pub struct SeedError(#[from] tokio_postgres::Error);

/// Seeds one shard of `shards`; returns how many users are new.
pub async fn seed_shard(
    client: &mut Client,
    seed: &Seed,
    shard: usize,
    shards: usize,
) -> Result<u64, SeedError> {
    let currency = seed.currency.code();
    let opening = format!("opening-{currency}");
    client.execute(OPENING, &[&opening, &currency]).await?;
    let merchants: Vec<String> = (1..=seed.merchants).map(merchant_id).collect();
    client
        .execute(
            MERCHANTS,
            &[&merchants, &currency, &i32::from(MERCHANT_STRIPES)],
        )
        .await?;
    let users: Vec<String> = (1..=seed.users)
        .map(user_id)
        .filter(|user_id| Slot::of_user(user_id).shard(shards) == shard)
        .collect();
    let mut fresh = 0;
    for chunk in users.chunks(CHUNK_USERS) {
        let row = client
            .query_one(USERS, &[&chunk, &currency, &seed.balance_minor, &opening])
            .await?;
        fresh += u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    }
    // Without statistics the planner would take the first look at the full tables for small ones.
    client.batch_execute("ANALYZE accounts, entries").await?;
    Ok(fresh)
}

/// Id of the n-th user, from 1.
pub fn user_id(number: u32) -> String {
    format!("u-{number:06}")
}

/// Id of the n-th merchant, from 1.
pub fn merchant_id(number: u32) -> String {
    format!("m-{number:04}")
}
