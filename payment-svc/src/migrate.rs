//! Schema migrations of the shards.
//!
//! Every migration is part of the binary, is applied once, in order, in a transaction of its own,
//! and is remembered with its checksum. An advisory lock lets any number of pods start at once.
//! Migrations only expand the schema, so that a pod one version behind goes on working; a schema
//! ahead of the binary is therefore accepted.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

/// Key of the advisory lock, arbitrary but fixed.
const LOCK_KEY: i64 = 0x666c_6f6f_6467;

const MIGRATIONS: [Migration; 3] = [
    Migration {
        version: 1,
        name: "ledger",
        sql: include_str!("../migrations/0001_ledger.sql"),
    },
    Migration {
        version: 2,
        name: "book_payments",
        sql: include_str!("../migrations/0002_book_payments.sql"),
    },
    Migration {
        version: 3,
        name: "book_refund",
        sql: include_str!("../migrations/0003_book_refund.sql"),
    },
];

struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql.as_bytes()).to_vec()
    }
}

/// Why a shard cannot be brought to this binary's schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The migrations already applied cannot be read.
    #[error("cannot read the applied migrations")]
    Read(#[source] tokio_postgres::Error),
    /// The lock against a second migrator cannot be had.
    #[error("cannot take the migration lock")]
    Lock(#[source] tokio_postgres::Error),
    /// A migration failed and was rolled back.
    #[error("migration {version} `{name}` failed and was rolled back")]
    Apply {
        /// Its number.
        version: i32,
        /// Its name.
        name: &'static str,
        /// Error of PostgreSQL.
        #[source]
        source: tokio_postgres::Error,
    },
    /// An applied migration is not the one in this binary.
    #[error("migration {version} `{name}` was applied with another text than this binary has")]
    Changed {
        /// Its number.
        version: i32,
        /// Its name.
        name: &'static str,
    },
}

/// Brings a shard to this binary's schema; returns how many migrations were applied now.
pub async fn migrate(client: &mut Client) -> Result<usize, MigrateError> {
    if missing(client).await?.is_empty() {
        return Ok(0);
    }
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK_KEY])
        .await
        .map_err(MigrateError::Lock)?;
    let applied = apply_missing(client).await;
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK_KEY])
        .await
        .map_err(MigrateError::Lock)?;
    applied
}

async fn apply_missing(client: &mut Client) -> Result<usize, MigrateError> {
    // Someone else may have applied them while this one waited for the lock.
    let missing = missing(client).await?;
    for migration in &missing {
        apply(client, migration)
            .await
            .map_err(|source| MigrateError::Apply {
                version: migration.version,
                name: migration.name,
                source,
            })?;
    }
    Ok(missing.len())
}

async fn apply(client: &mut Client, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .batch_execute(
            "SET LOCAL client_min_messages = warning;
             SET LOCAL statement_timeout = 0;
             SET LOCAL lock_timeout = '10s';
             CREATE TABLE IF NOT EXISTS schema_migrations (
                 version integer PRIMARY KEY, name text NOT NULL, checksum bytea NOT NULL,
                 applied_at timestamptz NOT NULL DEFAULT now())",
        )
        .await?;
    transaction.batch_execute(migration.sql).await?;
    transaction
        .execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            &[&migration.version, &migration.name, &migration.checksum()],
        )
        .await?;
    transaction.commit().await
}

/// The migrations a shard lacks; refuses a shard whose applied ones differ from the binary's.
async fn missing(client: &Client) -> Result<Vec<&'static Migration>, MigrateError> {
    let known: bool = client
        .query_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[])
        .await
        .map_err(MigrateError::Read)?
        .get(0);
    let rows = if known {
        client
            .query("SELECT version, checksum FROM schema_migrations", &[])
            .await
            .map_err(MigrateError::Read)?
    } else {
        Vec::new()
    };
    let mut missing = Vec::new();
    for migration in &MIGRATIONS {
        let applied = rows
            .iter()
            .find(|row| row.get::<_, i32>(0) == migration.version);
        match applied {
            None => missing.push(migration),
            Some(row) if row.get::<_, Vec<u8>>(1) == migration.checksum() => {}
            Some(_) => {
                return Err(MigrateError::Changed {
                    version: migration.version,
                    name: migration.name,
                });
            }
        }
    }
    Ok(missing)
}
