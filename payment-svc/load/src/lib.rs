//! Open-loop payment traffic, and the audit that proves no money was lost.
//!
//! [`curve`] says how much is sent when, [`plan`] what a run is, [`run`] carries it out, [`journal`]
//! keeps what was sent and answered, and [`audit`] holds the ledger to that journal.
//! Invariant: a request goes out at its intended time whether or not earlier ones were answered,
//! and its latency counts from that time.
//! Invariant: no create or refund is sent before its journal line was given to the kernel.

pub mod audit;
pub mod client;
pub mod curve;
pub mod journal;
pub mod plan;
pub mod report;
mod retry;
pub mod run;
mod tally;
pub mod target;
pub mod traffic;
mod wire;
