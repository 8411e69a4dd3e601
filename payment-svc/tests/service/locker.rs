//! A lock that payments have to wait for.

use payment_svc::seed;
use payment_svc::store::connect;

use super::shop::{Shop, eventually};

/// Holds the row of a payer's account until it is dropped, and sees over the same connection who
/// waits for it.
pub struct Locker(connect::Connection);

impl Locker {
    /// Locks the account of the n-th payer.
    pub async fn of(shop: &Shop, payer: u32) -> Self {
        let connection = connect::administer(shop.shard_url(payer)).await.unwrap();
        connection
            .client
            .batch_execute(&format!(
                "BEGIN; SELECT 1 FROM accounts WHERE id = '{}' FOR UPDATE",
                seed::user_id(payer)
            ))
            .await
            .unwrap();
        Self(connection)
    }

    /// Waits until so many sessions of the database wait for a lock.
    pub async fn until_waiting(&self, sessions: i64) {
        eventually("sessions wait for the lock", async || {
            self.count("SELECT count(*) FROM pg_stat_activity WHERE ")
                .await
                >= sessions
        })
        .await;
    }

    /// Ends the sessions that wait for a lock, as a cut connection would.
    pub async fn cut_waiting(&self) {
        self.count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ")
            .await;
    }

    async fn count(&self, what: &str) -> i64 {
        // Within a transaction the view is frozen until its snapshot is dropped.
        let client = &self.0.client;
        client
            .batch_execute("SELECT pg_stat_clear_snapshot()")
            .await
            .unwrap();
        let waiting = "datname = current_database() AND wait_event_type = 'Lock'";
        let row = client.query_one(&format!("{what}{waiting}"), &[]).await;
        row.unwrap().get(0)
    }
}
