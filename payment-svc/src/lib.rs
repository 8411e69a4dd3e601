//! The payment service: stateless pods over sharded PostgreSQL, Redis and NATS.
//!
//! Truth is in PostgreSQL; the cache may be emptied at any moment and only speed is lost; the event
//! stream may be down and only delivery is late.
//! Modules follow the business: [`order`] (payments and refunds), [`account`], [`read_cache`] (what is
//! read through the cache); beside them
//! [`store`] (shards, batches), [`events`] (outbox relay), [`http`] (routes and problems),
//! [`gate`] (admission, levels), [`cache`], [`control`], [`metrics`] and [`log`].
//! Invariant: one payment is one transaction on one shard; work is dropped only before its first
//! side effect.

pub mod account;
pub mod cache;
pub mod config;
pub mod control;
pub mod events;
pub mod gate;
pub mod http;
pub mod ids;
pub mod log;
pub mod metrics;
pub mod migrate;
pub mod money;
pub mod order;
pub mod read_cache;
pub mod seed;
pub mod serve;
pub mod store;
pub mod vitals;
