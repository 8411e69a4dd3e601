//! A throw-away PostgreSQL with two shards that hold the service's own schema.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use payment_load::audit::ShardUrl;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// How many users and merchants every shard knows.
pub const USERS: u32 = 50;
pub const MERCHANTS: u32 = 5;
const START_BOUND: Duration = Duration::from_mins(1);
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");

/// A PostgreSQL of its own in a temporary folder, reached by a socket in it.
pub struct Postgres {
    folder: TempDir,
    server: Child,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let folder = self.folder.path().join("data");
        let stop = server_command("pg_ctl", self.folder.path())
            .args(["stop", "-m", "immediate", "-w", "-D"])
            .arg(folder)
            .status();
        if !stop.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

impl Postgres {
    /// Starts a server and waits until it answers.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = server_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = server_command("initdb", folder.path())
            .args([
                "-A",
                "trust",
                "-U",
                "payments",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
                "-D",
            ])
            .arg(&data)
            .status();
        assert!(made.unwrap().success(), "initdb");
        let server = server_command("postgres", folder.path())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "shared_buffers=16MB",
                "-k",
            ])
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .spawn()
            .unwrap();
        let postgres = Self { folder, server };
        let begun = Instant::now();
        while tokio_postgres::connect(&postgres.address("postgres"), NoTls)
            .await
            .is_err()
        {
            assert!(begun.elapsed() < START_BOUND, "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        postgres
    }

    /// Address of one of its databases.
    pub fn address(&self, database: &str) -> String {
        format!(
            "host={} user=payments dbname={database}",
            self.folder.path().display()
        )
    }

    pub fn shard_url(&self, database: &str) -> ShardUrl {
        self.address(database).parse().unwrap()
    }

    pub async fn connect(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.address(database), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// Runs SQL in a database.
    pub async fn execute(&self, database: &str, sql: &str) {
        let client = self.connect(database).await;
        client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Makes a database with the service's schema and opening deposits.
    pub async fn create_shard(&self, database: &str) {
        self.execute("postgres", &format!("CREATE DATABASE {database}"))
            .await;
        let mut files: Vec<PathBuf> = std::fs::read_dir(MIGRATIONS)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .collect();
        files.sort();
        for file in files {
            self.execute(database, &std::fs::read_to_string(file).unwrap())
                .await;
        }
        self.execute(database, &opening()).await;
    }
}

/// Opening deposits of 10,000.00 for each user, booked by double entry.
fn opening() -> String {
    format!(
        "INSERT INTO accounts (id, kind, currency, balance_minor)
             SELECT 'u-' || lpad(n::text, 6, '0'), 'user', 'CNY', 1000000
               FROM generate_series(1, {USERS}) AS n;
         INSERT INTO accounts (id, kind, currency)
             SELECT 'm-' || lpad(n::text, 4, '0'), 'merchant', 'CNY'
               FROM generate_series(1, {MERCHANTS}) AS n;
         INSERT INTO accounts (id, kind, currency, balance_minor)
             VALUES ('opening', 'opening', 'CNY', -1000000 * {USERS});
         INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor, currency)
             SELECT 'open-' || id, 0, 'opening', 0, -1000000, 'CNY' FROM accounts WHERE kind = 'user'
             UNION ALL
             SELECT 'open-' || id, 1, id, 0, 1000000, 'CNY' FROM accounts WHERE kind = 'user';"
    )
}

/// Connections to two shards; users of even number are in the first.
pub struct Shards(pub [Client; 2]);

impl Shards {
    pub async fn connect(postgres: &Postgres, names: [&str; 2]) -> Self {
        Self([
            postgres.connect(names[0]).await,
            postgres.connect(names[1]).await,
        ])
    }

    fn of(&self, user: &str) -> &Client {
        let number: usize = user.trim_start_matches("u-").parse().unwrap();
        &self.0[number % 2]
    }

    /// Books a payment in one statement.
    pub async fn book_payment(&self, key: &str, payment: &Value) {
        let text = |name: &str| payment[name].as_str().unwrap();
        let amount = payment["amount_minor"].as_i64().unwrap();
        let sql = "WITH row AS (INSERT INTO payments (id, user_id, merchant_id, merchant_stripe,
                            amount_minor, currency, idempotency_key)
                        VALUES ($1, $2, $3, 0, $4, $5, $6)),
                 legs AS (INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor,
                            currency)
                        VALUES ($1, 0, $2, 0, -$4::bigint, $5), ($1, 1, $3, 0, $4, $5))
            UPDATE accounts SET balance_minor =
                    balance_minor + CASE WHEN id = $2 THEN -$4::bigint ELSE $4 END
                WHERE id IN ($2, $3)";
        let (user, merchant) = (text("user_id"), text("merchant_id"));
        self.of(user)
            .execute(
                sql,
                &[
                    &text("id"),
                    &user,
                    &merchant,
                    &amount,
                    &text("currency"),
                    &key,
                ],
            )
            .await
            .unwrap();
    }

    /// Books a refund in one statement.
    pub async fn book_refund(&self, key: &str, id: &str, of: &Value, amount: i64) {
        let text = |name: &str| of[name].as_str().unwrap();
        let sql =
            "WITH row AS (INSERT INTO refunds (id, payment_id, user_id, amount_minor, currency,
                            idempotency_key) VALUES ($1, $2, $3, $5, $6, $7)),
                 paid AS (UPDATE payments SET refunded_minor = refunded_minor + $5 WHERE id = $2),
                 legs AS (INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor,
                            currency)
                        VALUES ($1, 0, $4, 0, -$5::bigint, $6), ($1, 1, $3, 0, $5, $6))
            UPDATE accounts SET balance_minor =
                    balance_minor + CASE WHEN id = $3 THEN $5 ELSE -$5::bigint END
                WHERE id IN ($3, $4)";
        let (user, merchant) = (text("user_id"), text("merchant_id"));
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
            &id,
            &text("id"),
            &user,
            &merchant,
            &amount,
            &text("currency"),
            &key,
        ];
        self.of(user).execute(sql, &parameters).await.unwrap();
    }
}

/// A program of PostgreSQL, run by its own user when we are root, which it refuses to be.
fn server_command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(newest_bin().join(program));
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    command
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn newest_bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let versions = versions.map(|version| version.unwrap().path());
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .filter(|path| number(path).is_some())
        .max_by_key(number)
        .unwrap()
        .join("bin")
}

/// User and group of PostgreSQL, when this process is root.
fn server_user() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
}
