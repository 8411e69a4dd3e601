//! The one vocabulary of operator, plugin and payment service: degradation levels, pauses, condition
//! types, reasons with their meaning and remedy, and defaults that more than one crate needs.
//!
//! A name that a person reads in a condition, an Event, an annotation or a metric label is declared
//! here and nowhere else.
//! Invariant: types and constants only; this crate depends on none of ours.
//! Invariant: a reason without a meaning and a remedy does not compile.

pub mod condition;
mod level;
mod load;
mod named;
mod pause;
mod reason;
mod remedies;

pub use condition::ConditionType;
pub use level::{Level, LevelThreshold, UnknownLevel};
pub use load::{LOAD_RPS_MAX, is_plausible};
pub use pause::Pause;
pub use reason::Reason;
