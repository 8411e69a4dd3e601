//! The service against real PostgreSQL, Redis and NATS, through its real router.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is not as expected ends a test; the exception for tests does not reach their helpers"
)]

mod service {
    mod bad_input;
    mod contract;
    mod faults;
    mod ledger;
    mod locker;
    mod money;
    mod process;
    mod refunds;
    mod relay;
    mod servers;
    mod shop;
    mod wire;
}
