//! Redis, behind a breaker and a short time-out: an answer that comes late is no use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline, RedisError};
use thiserror::Error;
use tokio::time::timeout;

use super::breaker::Breaker;
use crate::gate::Clock;

/// Time to set a connection up.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A pipeline of hundreds of reads takes longer than one of them.
const PIPELINE_FACTOR: u32 = 4;

/// The address of Redis is not one.
#[derive(Debug, Error)]
#[error("read the address of Redis")]
pub(super) struct RedisAddressError(#[source] RedisError);

/// Redis failed, was too slow or is being left alone.
#[derive(Debug)]
pub(super) struct NoAnswer;

/// Redis as other pods fill it too.
pub(super) struct RedisTier {
    connection: ConnectionManager,
    breaker: Mutex<Breaker>,
    timeout: Duration,
    clock: Clock,
}

impl RedisTier {
    /// Connects with the first command.
    pub(super) fn connect(
        url: &str,
        timeout: Duration,
        clock: Clock,
    ) -> Result<Self, RedisAddressError> {
        let client = Client::open(url).map_err(RedisAddressError)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(timeout * PIPELINE_FACTOR))
            .set_max_delay(Duration::from_secs(1))
            .set_number_of_retries(2);
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(RedisAddressError)?;
        Ok(Self {
            connection,
            breaker: Mutex::default(),
            timeout,
            clock,
        })
    }

    /// A value; `Err` when Redis did not answer or is left alone.
    pub(super) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, NoAnswer> {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("GET");
        command.arg(key);
        self.guarded(self.timeout, command.query_async(&mut connection))
            .await
    }

    /// Several values in one round trip, in order; all none when Redis did not answer.
    pub(super) async fn read_many(&self, keys: &[&str]) -> Vec<Option<Vec<u8>>> {
        let mut pipeline = Pipeline::with_capacity(keys.len());
        for key in keys {
            pipeline.cmd("GET").arg(*key);
        }
        let mut connection = self.connection.clone();
        let limit = self.timeout * PIPELINE_FACTOR;
        let read = self.guarded(
            limit,
            async move { pipeline.query_async(&mut connection).await },
        );
        match read.await {
            Ok(values) => values,
            Err(NoAnswer) => vec![None; keys.len()],
        }
    }

    /// Keeps a value for `life`; if that fails, the breaker knows and the next reader loads it.
    pub(super) async fn write(&self, key: &str, value: &[u8], life: Duration) {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("SET");
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
        command.arg(key).arg(value).arg("PX").arg(life_ms);
        self.guarded(self.timeout, async move {
            command.query_async::<()>(&mut connection).await
        })
        .await
        .ok();
    }

    /// Forgets a value; if that fails, it lives until its expiry at most.
    pub(super) async fn remove(&self, key: &str) {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("DEL");
        command.arg(key);
        self.guarded(self.timeout, async move {
            command.query_async::<()>(&mut connection).await
        })
        .await
        .ok();
    }

    async fn guarded<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, NoAnswer> {
        if !self.breaker().allows(self.clock.now()) {
            return Err(NoAnswer);
        }
        let failure = match timeout(limit, answer).await {
            Ok(Ok(value)) => {
                self.breaker().succeeded();
                return Ok(value);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        if self.breaker().failed(self.clock.now()) {
            tracing::warn!(failure, "Redis is left alone for a while");
        }
        Err(NoAnswer)
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        // Its steps do not panic; a panic elsewhere must not stop the cache.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
