//! A real Kubernetes on this machine.
//!
//! The library behind `floodgate-local`: it starts etcd, the Kubernetes components, containerd,
//! PostgreSQL, Redis, NATS and Prometheus as plain processes below `target/local`, and ends them
//! without a trace. Tests use it directly: [`ApiOnlyCluster`] for a kube-apiserver of their own,
//! [`Cluster`] for the full one.

pub mod addresses;
mod api_only;
pub mod backends;
mod cluster;
pub mod command;
pub mod control_plane;
pub mod down;
pub mod error;
mod file;
pub mod image;
pub mod kubernetes_build;
pub mod leftovers;
mod lock;
pub mod network;
pub mod node;
pub mod packages;
pub mod paths;
pub mod pki;
pub mod preflight;
pub mod process;
pub mod progress;
pub mod prometheus;
pub mod sale_day;
pub mod secrets;
pub mod up;
pub mod wait;

pub use api_only::{ApiOnlyCluster, ApiOnlyError};
pub use cluster::Cluster;
