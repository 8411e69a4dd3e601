//! Throw-away servers: one of each per test binary, ended when the test process ends.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use payment_svc::store::connect;

/// Where Debian keeps the programs of PostgreSQL 15.
const POSTGRES_BIN: &str = "/usr/lib/postgresql/15/bin";
/// Time a server has to come up on a busy machine.
const START_MAX: Duration = Duration::from_mins(1);

/// A server whose guard ends it when the pipe to this process closes.
struct Guarded {
    _dir: tempfile::TempDir,
    _guard: std::process::Child,
}

/// Starts a shell line under a guard: when this process ends, or drops it, the server is ended by
/// the line `end` and its folder is removed.
fn guard(dir: tempfile::TempDir, line: &str, end: &str) -> Guarded {
    let script = format!(
        "({line}) & server=$!; read -r _; {end}; wait $server; rm -rf '{}'",
        dir.path().display()
    );
    let child = Command::new("sh")
        .arg("-c")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh");
    Guarded {
        _dir: dir,
        _guard: child,
    }
}

/// Ends a server that is a child of its guard.
const KILL: &str = "kill -INT $server";

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn wait_for_port(port: u16) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < START_MAX, "no server on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// PostgreSQL listens before it answers: until then it says that it is starting up.
fn wait_until_it_answers(port: u16) {
    let line =
        format!("{POSTGRES_BIN}/psql -h 127.0.0.1 -p {port} -U payments -d postgres -c 'SELECT 1'");
    let begun = Instant::now();
    let answers = || {
        let asked = Command::new("sh").arg("-c").arg(&line).output();
        asked.expect("sh").status.success()
    };
    while !answers() {
        assert!(begun.elapsed() < START_MAX, "no PostgreSQL on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// PostgreSQL refuses to run as root.
fn as_postgres(command: &str) -> String {
    if rustix::process::geteuid().is_root() {
        format!("exec setpriv --reuid=postgres --regid=postgres --clear-groups {command}")
    } else {
        format!("exec {command}")
    }
}

fn pg_ctl(data: &str, task: &str) -> String {
    as_postgres(&format!("{POSTGRES_BIN}/pg_ctl -D '{data}' -w {task}"))
}

fn options(data: &str, port: u16) -> String {
    format!(
        "-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off \
         -c max_connections=500 -c shared_buffers=64MB"
    )
}

fn run_sh(line: &str) {
    let output = Command::new("sh").arg("-c").arg(line).output().expect("sh");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {error}");
}

/// A PostgreSQL server, and its port.
pub struct Postgres {
    port: u16,
    data: String,
    _guarded: Guarded,
}

impl Postgres {
    /// Starts one; without fsync, because only tests live here.
    pub fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("floodgate-pg-")
            .tempdir()
            .unwrap();
        let data = dir.path().join("data");
        if rustix::process::geteuid().is_root() {
            run_sh(&format!("chown postgres '{}'", dir.path().display()));
        }
        let data = data.display().to_string();
        run_sh(&as_postgres(&format!(
            "{POSTGRES_BIN}/initdb -D '{data}' -A trust -U payments -E UTF8 --no-locale --no-sync"
        )));
        let port = free_port();
        let options = options(&data, port);
        let line = as_postgres(&format!("{POSTGRES_BIN}/postgres -D '{data}' {options}"));
        let guarded = guard(
            dir,
            &line,
            &format!("({})", pg_ctl(&data, "stop -m immediate")),
        );
        wait_until_it_answers(port);
        Self {
            port,
            data,
            _guarded: guarded,
        }
    }

    /// Ends it as a power cut would.
    pub fn crash(&self) {
        run_sh(&pg_ctl(&self.data, "stop -m immediate"));
    }

    /// Starts it again on the same data and port.
    pub fn recover(&self) {
        let options = options(&self.data, self.port);
        run_sh(&pg_ctl(
            &self.data,
            &format!("start -l '{}/log' -o \"{options}\"", self.data),
        ));
    }

    /// URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://payments@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and returns its URL.
    pub async fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("shard_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.admin(&format!(
            "CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"
        ))
        .await;
        self.url(&name)
    }

    async fn admin(&self, sql: &str) {
        let begun = Instant::now();
        loop {
            let done = async {
                let connection = connect::administer(&self.url("postgres")).await.ok()?;
                connection.client.batch_execute(sql).await.ok()
            };
            if done.await.is_some() {
                return;
            }
            // The template is taken while another test copies it, and the server may still start.
            assert!(begun.elapsed() < START_MAX, "{sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const TEMPLATE: &str = "migrated";

/// The PostgreSQL server of this test binary, with a migrated template database.
pub async fn postgres() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(Postgres::start))
        .await
        .unwrap();
    READY
        .get_or_init(|| async {
            server.admin(&format!("CREATE DATABASE {TEMPLATE}")).await;
            let mut connection = connect::administer(&server.url(TEMPLATE)).await.unwrap();
            payment_svc::migrate::migrate(&mut connection.client)
                .await
                .unwrap();
        })
        .await;
    server
}

/// URL of the Redis server of this test binary.
pub fn redis() -> String {
    static SERVER: OnceLock<(u16, Guarded)> = OnceLock::new();
    let (port, _) = SERVER.get_or_init(|| {
        let port = free_port();
        let dir = tempfile::tempdir().unwrap();
        let line = format!("redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no");
        let guarded = guard(dir, &line, KILL);
        wait_for_port(port);
        (port, guarded)
    });
    format!("redis://127.0.0.1:{port}/")
}

/// URL of a NATS server with JetStream, of its own for each caller.
pub struct Nats {
    /// Its URL.
    pub url: String,
    _guarded: Guarded,
}

impl Nats {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_on(free_port())
    }

    /// Starts one on a port.
    pub fn start_on(port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let line = format!(
            "nats-server -a 127.0.0.1 -p {port} -js -sd '{}'",
            dir.path().display()
        );
        let guarded = guard(dir, &line, KILL);
        wait_for_port(port);
        Self {
            url: format!("nats://127.0.0.1:{port}"),
            _guarded: guarded,
        }
    }
}
