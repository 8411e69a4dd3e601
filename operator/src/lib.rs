//! The operator: watches, samples, plans, applies and pushes.
//!
//! The only room that talks to Kubernetes, Prometheus and the control port of pods.
//! Three loops share snapshots and never await each other: sample, forecast, reconcile.
//! Reconcile is a pipeline whose steps each have a file and a type of their own:
//! observe -> validate -> plan -> build -> apply -> status.

pub mod apply;
pub mod build;
pub mod clock;
pub mod conditions;
pub mod control;
pub mod controllers;
pub mod events;
pub mod forecast;
pub mod leader;
pub mod metrics;
pub mod nodes;
pub mod observe;
pub mod overrides;
pub mod plan;
pub mod publisher;
pub mod quantity;
pub mod readiness;
pub mod reconcile;
pub mod run;
pub mod sale;
pub mod sample;
pub mod secrets;
pub mod server;
pub mod snapshot;
pub mod status;
pub mod stores;
pub mod synced;
pub mod target;
pub mod telemetry;
pub mod validate;
pub mod writers;
