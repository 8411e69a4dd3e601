//! What the planner promises, by properties, by the rows of the fault table, and over virtual time.

mod faults;
mod fleet;
mod levels;
mod overrides;
mod promises;
mod records;
mod sales;
mod strategies;
