//! Objects of the API, checked, in the units of the planner. Pure.
//!
//! Operator and plugin read a spec through this crate, so that both refuse the same values with the
//! same message, and a rehearsal plans with what the operator plans with.
//! Invariant: no I/O, no clock, no Kubernetes client in this crate.

mod numbers;
mod sale;

pub use numbers::{
    ForecastSettings, HistorySettings, LEAD_UNMEASURED_S, PrewarmSettings, degradation, forecast,
    history, learn_percent, load_limits, prewarm, scaling,
};
pub use sale::{ValidSale, planner_sale, retained_sale, validate_sale};
