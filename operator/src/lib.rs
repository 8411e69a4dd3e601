//! The operator: watches, samples, plans, applies and pushes.
//!
//! The only room that writes to Kubernetes and talks to the control port of pods.
//! Three loops share snapshots and never await each other: sample, forecast, reconcile.
//! Reconcile is a pipeline whose steps each have a file and a type of their own:
//! observe -> validate -> plan -> build -> apply -> status.

mod apply;
mod build;
pub mod clock;
mod conditions;
mod context;
mod control;
pub mod controllers;
mod events;
mod forecast;
pub mod leader;
pub mod metrics;
mod nodes;
mod observe;
mod overrides;
mod plan;
mod publisher;
mod quantity;
pub mod readiness;
mod reconcile;
pub mod run;
mod sale;
mod sample;
mod secrets;
mod server;
mod snapshot;
mod status;
mod stores;
mod synced;
mod target;
pub mod telemetry;
mod validate;
mod writers;

#[cfg(test)]
mod tests {
    pub(crate) mod fixtures;
}
