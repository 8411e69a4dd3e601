//! The generator against a real HTTP server with faults of its own, and the audit against a real
//! PostgreSQL that holds what that server booked.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot set its scene must stop, and clippy sees only the test functions"
)]

mod audit;
mod bank;
mod cli;
mod postgres;
mod run;
