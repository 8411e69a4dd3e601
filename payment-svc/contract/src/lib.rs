//! What operator and payment service say to each other: types and names only.
//!
//! Every pod serves this contract on its control port, on a thread of its own, so that overload on
//! the serving port never makes a pod unready or deaf to the operator.
//! Invariant: nothing in this crate does I/O; both sides and the load generator depend on it.
//! Invariant: unknown fields are ignored and missing ones have defaults, so that operator and
//! service may be one version apart.

pub mod class;
pub mod metrics;
pub mod policy;
pub mod shed;
pub mod status;
pub mod warm;

pub use class::Class;
pub use floodgate_words::Level;
pub use policy::{Policy, PolicyAck};
pub use shed::ShedReason;
pub use status::{ClassCounts, ControlStatus, HotKey, WarmState};
pub use warm::{WarmAck, WarmKey, WarmRequest};

/// Port of the control contract, probes and metrics.
pub const CONTROL_PORT: u16 = 9901;
/// Port on which payments are served.
pub const SERVICE_PORT: u16 = 8080;
/// `PUT`: the fleet policy ([`Policy`]); answers [`PolicyAck`].
pub const POLICY_PATH: &str = "/control/v1/policy";
/// `GET`: what the pod sees and does ([`ControlStatus`]).
pub const STATUS_PATH: &str = "/control/v1/status";
/// `PUT`: the hot set to load ([`WarmRequest`]); answers [`WarmAck`].
pub const WARM_PATH: &str = "/control/v1/warm";
/// `GET`, no token: the process and its control thread answer.
pub const LIVE_PATH: &str = "/livez";
/// `GET`, no token: warm, or past the warm deadline, and not draining.
pub const READY_PATH: &str = "/readyz";
/// `GET`, no token: OpenMetrics.
pub const METRICS_PATH: &str = "/metrics";
/// Lease of a policy in seconds; a pod whose lease ran out goes back to floor Normal.
pub const POLICY_LEASE_S: u32 = 60;
/// Environment variable that names the file with the bearer token of the control port.
pub const TOKEN_FILE_ENV: &str = "PAYMENT_CONTROL_TOKEN_FILE";
