//! Why the store did not answer, and whether money may have moved.

/// Why the store did not answer. Only `OutcomeUnknown` may have moved money.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The first request with the same key is still at work; nothing was done for this one.
    #[error("a request with the same key is in progress")]
    InProgress,
    /// Too many payments wait for the shard; nothing was done.
    #[error("the queue of shard {shard} is full")]
    QueueFull {
        /// Index of the shard.
        shard: usize,
    },
    /// The time was up before anything was done.
    #[error("the deadline passed before anything was done")]
    Deadline,
    /// The shard was lost while it worked; a retry with the same key learns what happened.
    #[error("the outcome on shard {shard} is unknown")]
    OutcomeUnknown {
        /// Index of the shard.
        shard: usize,
    },
    /// The shard cannot be reached or is busy; nothing was done.
    #[error("shard {shard} is not available")]
    Unavailable {
        /// Index of the shard.
        shard: usize,
        /// Error of its driver or pool, if there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The shard refused what this binary sent; nothing was done.
    #[error("shard {shard} refused a statement")]
    Refused {
        /// Index of the shard.
        shard: usize,
        /// Error of PostgreSQL, if it is known for this request.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
}
