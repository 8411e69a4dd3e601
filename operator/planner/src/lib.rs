//! Load, forecast, calendar and overrides in; an explained decision out.
//!
//! [`plan`] is one pure function of its input: it reads no clock, does no I/O, and what it must
//! remember it returns in [`Decision::memory`]. Bids propose replicas, the highest wins, and guards
//! change the winner in a fixed order, each with its reason; the floor of the degradation level is
//! decided in the same step.
//!
//! Invariant: missing is not zero. Without a fresh valid load the result is never below the present
//! count unless an SRE or the bounds of the spec say so.

mod aftercare;
mod bids;
pub mod capacity;
mod chance;
mod decision;
mod degradation;
mod explain;
mod guards;
mod health;
mod histogram;
mod input;
mod level;
mod load;
mod memory;
mod overrides;
mod profile;
mod reasons;
pub mod rehearse;
mod sale;
mod spread;
mod trend;
mod wake;

pub use chance::Chance;
pub use decision::{Bid, BidSource, Decision, Direction, Guard, LevelDecision};
pub use floodgate_forecast::{ForecastPath, UnixMillis};
pub use health::PodHealth;
pub use histogram::DecayingHistogram;
pub use input::{
    Caps, ForecastInput, ForecastTrust, LeadTime, PlanInput, ReplicaState, Scaling, StepLimit,
};
pub use level::{DegradationPolicy, Level, LevelThreshold, protected_level};
pub use load::{Load, LoadFault, LoadLimits, LoadReading, ValidLoad};
pub use memory::{HoldCause, Memory};
pub use overrides::{Override, Overrides, Pause};
pub use reasons::Reason;
pub use sale::{Baseline, PhasePlan, PlannedStep, Sale, SalePhase, SalePlan, sale_plan};

use overrides::ActiveOverrides;

/// Decides how many replicas to run and which level floor to impose.
///
/// Deterministic and total: every input, however absurd, gives a decision within the bounds of the
/// spec, or on its way down to a maximum that was lowered below what stands; the same input gives the
/// same decision.
pub fn plan(input: &PlanInput) -> Decision {
    let situation = Situation::read(input);
    let mut memory = input.memory.clone();
    memory.observe(&situation);
    let auction = bids::hold_auction(&situation, &mut memory);
    let cap = aftercare::check(&situation, &mut memory);
    let outcome = guards::run(&situation, &mut memory, &auction, cap);
    memory.stand(input, outcome.replicas);
    let level = degradation::decide(&situation, &mut memory);
    let next_wake = wake::next(&situation, &memory);
    let mut decision = Decision {
        at: input.now,
        replicas: outcome.replicas,
        replicas_before: input.replicas.desired,
        bids: auction.bids,
        winner: auction.winner,
        replicas_wanted: auction.replicas_wanted,
        guards: outcome.guards,
        notes: outcome.notes,
        level,
        load_fault: situation.load.err(),
        next_wake,
        explain: String::new(),
        memory,
    };
    decision.explain = explain::sentence(&decision);
    decision
}

/// The input after judgement: what is valid, what holds, what is near.
struct Situation<'a> {
    input: &'a PlanInput,
    load: Result<ValidLoad, LoadFault>,
    overrides: ActiveOverrides<'a>,
    /// End of the span that a decision made now must provide for.
    horizon: UnixMillis,
}

impl<'a> Situation<'a> {
    fn read(input: &'a PlanInput) -> Self {
        Self {
            input,
            load: input.load.judge(input.now, &input.load_limits),
            overrides: input.overrides.active(input.now),
            horizon: input.now.plus_s(input.lead_time.horizon_s()),
        }
    }

    /// Whether the load and the capacity allow a number to be lowered.
    fn may_lower(&self) -> bool {
        self.load.is_ok() && self.input.scaling.has_capacity()
    }

    /// The path when it may bid.
    fn trusted_path(&self) -> Option<&'a ForecastPath> {
        match &self.input.forecast {
            ForecastInput::Path {
                path,
                trust: ForecastTrust::Trusted,
                ..
            } => Some(path),
            _ => None,
        }
    }

    /// The most that any forecast counts for, requests/s, wherever it is used: a path that exploded
    /// may neither buy pods, nor degrade, nor be multiplied by a sale.
    fn forecast_rps_max(&self) -> f64 {
        let observed_peak_rps = match &self.input.forecast {
            ForecastInput::Path {
                observed_peak_rps, ..
            } => *observed_peak_rps,
            ForecastInput::Missing(_) => None,
        };
        self.input.scaling.forecast_rps_max(observed_peak_rps)
    }
}
