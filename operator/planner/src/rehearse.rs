//! Rehearsal: a recorded or invented sale in virtual time, under several policies.
//!
//! The policy `floodgate` is [`crate::plan`] itself, fed the way the operator feeds it; the others
//! are written from the documented rules of the autoscalers they stand for. All of them meet the
//! same requests, the same pods, the same losses of metrics and pods, second by second.
//!
//! Pure and deterministic: no clock, no I/O; the same input gives the same report, bit for bit.
//! Invariant: no policy but `oracle` and `static-peak` is shown anything of the future.

mod calendar;
mod fleet;
mod forecasts;
mod noise;
mod parallel;
mod policies;
mod policy;
mod rehearsal;
mod run;
mod samples;
mod scenario;
mod score;
mod sensors;
mod service;
mod traffic;
mod world;

pub use policies::PolicyKind;
pub use rehearsal::{ForecastSettings, Rehearsal, Settings};
pub use samples::Sample;
pub use score::{Report, Score};
pub use traffic::{Surge, Traffic, TrafficError};
pub use world::World;
