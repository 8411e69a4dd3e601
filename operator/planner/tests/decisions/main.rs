//! What the planner promises, by properties, by the rows of the fault table, and over virtual time.

mod bursts;
mod confidence;
mod exploded;
mod faults;
mod fleet;
mod learning;
mod levels;
mod maximum;
mod nonsense;
mod overrides;
mod promises;
mod raise_review;
mod records;
mod reserve;
mod sales;
mod seams;
mod sequences;
mod strategies;
