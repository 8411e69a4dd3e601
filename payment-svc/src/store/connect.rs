//! How a pod connects to PostgreSQL: limits, keep-alives, pools.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Connections per shard for reads, refunds and the relay. Twelve pods at two lanes and this pool
/// stay below the hundred connections PostgreSQL allows by default.
const POOL_CONNECTIONS_MAX: usize = 4;
/// A checkout that waits longer than this is a shard that does not answer.
const POOL_WAIT_MAX: Duration = Duration::from_secs(1);
/// Time to establish a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Unacknowledged bytes older than this end a connection: a one-way partition is noticed.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle time after which the peer is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// Session settings. The server gives up before the client does, so that a lost lock or a slow disk
/// ends in an error with a known outcome. Batches find every row by its key: whole-table plans, which
/// the planner likes while a table is small or unanalysed, would only lock and read more. With that
/// settled, planning anew for each batch would double the cost of a small one.
const OPTIONS: &str = "-c statement_timeout=2000 -c lock_timeout=1500 -c jit=off \
    -c idle_in_transaction_session_timeout=10000 -c synchronous_commit=on \
    -c default_transaction_isolation=read\\ committed \
    -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
    -c plan_cache_mode=force_generic_plan";

/// Why a shard cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is no PostgreSQL URL. Its text is kept out of the message: it holds a password.
    #[error("the address of a shard must be a PostgreSQL URL")]
    Address,
    /// The pool cannot be built.
    #[error("cannot build a connection pool")]
    Pool(#[source] deadpool_postgres::BuildError),
    /// The server cannot be reached or refuses the login.
    #[error("cannot connect to the shard")]
    Connect(#[source] tokio_postgres::Error),
}

/// A connection of its own, whose driver ends with it.
pub struct Connection {
    /// The client.
    pub client: Client,
    /// Cancelled when the connection has ended.
    pub ended: CancellationToken,
    _driver: AbortOnDropHandle<()>,
}

/// Reads an address and adds the limits every session has.
pub fn parse(url: &str) -> Result<Config, ConnectError> {
    let mut config: Config = url.parse().map_err(|_| ConnectError::Address)?;
    let options = match config.get_options() {
        Some(given) => format!("{OPTIONS} {given}"),
        None => OPTIONS.to_owned(),
    };
    config
        .options(options)
        .application_name("payment-svc")
        .connect_timeout(CONNECT_MAX)
        .tcp_user_timeout(TCP_USER_TIMEOUT)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_IDLE);
    Ok(config)
}

/// Opens a connection for `migrate` and `seed`, whose statements may take their time.
pub async fn administer(url: &str) -> Result<Connection, ConnectError> {
    let mut config: Config = url.parse().map_err(|_| ConnectError::Address)?;
    config
        .application_name("payment-svc-admin")
        .connect_timeout(CONNECT_MAX);
    connect(&config).await
}

/// A small pool; connections are opened when they are first needed.
pub(super) fn pool(config: &Config) -> Result<Pool, ConnectError> {
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(config.clone(), NoTls, manager_config);
    Pool::builder(manager)
        .max_size(POOL_CONNECTIONS_MAX)
        .wait_timeout(Some(POOL_WAIT_MAX))
        .create_timeout(Some(CONNECT_MAX))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(ConnectError::Pool)
}

/// Opens a connection.
pub async fn connect(config: &Config) -> Result<Connection, ConnectError> {
    let (client, driver) = config.connect(NoTls).await.map_err(ConnectError::Connect)?;
    let ended = CancellationToken::new();
    let on_end = ended.clone().drop_guard();
    let driver = tokio::spawn(async move {
        let _on_end = on_end;
        if let Err(error) = driver.await {
            tracing::debug!(%error, "connection to a shard ended");
        }
    });
    Ok(Connection {
        client,
        ended,
        _driver: AbortOnDropHandle::new(driver),
    })
}
