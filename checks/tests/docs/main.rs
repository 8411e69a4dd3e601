//! The documentation holds what it says: links, commands, objects, tables.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod commands;
mod faults;
mod generated;
mod links;
mod objects;
mod pages;
