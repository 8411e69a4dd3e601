//! Load, forecast, calendar and overrides in; an explained decision out.
//!
//! [`plan`] is one pure function of its input: it reads no clock, does no I/O, and what it must
//! remember it returns in [`Decision::memory`]. Bids propose replicas, the highest wins, and guards
//! change the winner in a fixed order, each with its reason; the floor of the degradation level is
//! decided in the same step.
//!
//! Invariant: missing is not zero. Without a fresh valid load the result is never below the present
//! count unless an SRE or the bounds of the spec say so.

mod bids;
pub mod capacity;
mod confidence;
mod decision;
mod degradation;
mod explain;
mod guards;
mod health;
mod histogram;
mod history;
mod input;
pub mod intake;
mod level;
mod load;
mod memory;
mod overrides;
mod plan;
mod profile;
mod raise_review;
pub mod rehearse;
mod sale;
mod sale_plan;
mod situation;
mod spread;
mod trend;
mod wake;

pub use decision::{Bid, BidSource, Decision, Direction, Guard, LevelDecision};
pub use floodgate_forecast::{ForecastPath, UnixMillis};
pub use health::PodHealth;
pub use histogram::DecayingHistogram;
pub use input::{
    Caps, ForecastInput, ForecastTrust, LeadTime, PlanInput, ReplicaState, Scaling, StepLimit,
};
pub use level::DegradationPolicy;
pub use load::{Load, LoadFault, LoadLimits, LoadReading, ValidLoad};
pub use memory::{HoldCause, Memory};
pub use overrides::{Override, Overrides};
pub use plan::plan;
pub use sale::{Confidence, Sale, SalePhase, protected_level};
pub use sale_plan::{Baseline, PhasePlan, PlannedStep, SalePlan, sale_plan};
