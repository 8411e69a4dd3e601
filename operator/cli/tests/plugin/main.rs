//! The plugin as a person runs it: the real binary, its output, its exit codes.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod aged;
mod completing;
mod explaining;
mod golden;
mod listing;
mod offline;
mod online;
mod overriding;
mod planning;
mod refusals;
mod rehearsing;
mod run;
mod sales;
mod server;
