//! The operator in this process against a real kube-apiserver: no kubelet, no controllers.
//!
//! Pods are made by hand and answer on loopback addresses; Prometheus is a small server whose
//! answer a test sets.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod cluster_objects;
mod conflicts;
mod crash;
mod faults;
mod forecasts;
mod lease;
mod load;
mod nodes;
mod pods;
mod recommend;
mod rights;
mod sales;
mod stage;
mod standing;
mod writes;
