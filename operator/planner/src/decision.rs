//! The answer: a number, the level floor, and everything that led to them.

use floodgate_forecast::UnixMillis;
use floodgate_words::{Level, Reason};
use serde::{Deserialize, Serialize};

use crate::{load::LoadFault, memory::Memory};

/// An explained decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The instant it was made for.
    pub at: UnixMillis,
    /// Replicas to run.
    pub replicas: u32,
    /// Replicas that were desired before; `None` when there was no Deployment.
    pub replicas_before: Option<u32>,
    /// Every bid, in a fixed order, those without a number too.
    pub bids: Vec<Bid>,
    /// The bid that won.
    pub winner: BidSource,
    /// The winning number before any guard: what the load is worth, whatever the bounds say.
    pub replicas_wanted: u32,
    /// The guards that changed the number, in order; each starts where the last one ended, the
    /// first at `replicas_wanted`, and the last ends at `replicas`.
    pub guards: Vec<Guard>,
    /// Guards and overrides worth telling that changed nothing this time.
    pub notes: Vec<Reason>,
    /// The level floor for the fleet.
    pub level: LevelDecision,
    /// Why there is no valid load, when there is none.
    pub load_fault: Option<LoadFault>,
    /// The instant at which the answer may change although no input does.
    pub next_wake: UnixMillis,
    /// The decision in one sentence.
    pub explain: String,
    /// To be handed to the next [`crate::plan`].
    pub memory: Memory,
}

impl Decision {
    /// The reason shared by condition, Event and metric: that of the last guard, or else that of
    /// the winning bid.
    pub fn reason(&self) -> Reason {
        let winning = || self.bids.iter().find(|bid| bid.source == self.winner);
        self.guards
            .last()
            .map(|guard| guard.reason)
            .or_else(|| winning().map(|bid| bid.reason))
            .unwrap_or(Reason::Held)
    }

    /// Which way the replicas go.
    pub fn direction(&self) -> Direction {
        match self.replicas_before {
            Some(before) if self.replicas < before => Direction::Down,
            Some(before) if self.replicas == before => Direction::Stay,
            _ => Direction::Up,
        }
    }
}

/// Which way the replicas go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// More replicas, or the first ones.
    Up,
    /// No change.
    Stay,
    /// Fewer replicas.
    Down,
}

/// Where a bid comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BidSource {
    /// The load of the last minute, or of the last 6 s when that is higher.
    Reactive,
    /// The forecast over the lead time.
    Forecast,
    /// A sale inside or near one of its phases.
    Sale,
    /// An SRE's pin or floor.
    Override,
    /// The present count, kept because nothing better is known.
    Hold,
}

/// A proposal for replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bid {
    /// Where it comes from.
    pub source: BidSource,
    /// Proposed replicas; `None` when the source has nothing to say.
    pub replicas: Option<u32>,
    /// Why this number, or why none.
    pub reason: Reason,
    /// The load behind the number, requests/s, where there is one.
    pub load_rps: Option<f64>,
    /// Set when the number is shown and does not compete.
    pub muted: Option<Reason>,
    /// What else a person wants to know: the sale's name, the override's reason.
    pub detail: String,
}

/// A guard that changed the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Why.
    pub reason: Reason,
    /// Replicas before it.
    pub from: u32,
    /// Replicas after it.
    pub to: u32,
}

/// The level floor for the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelDecision {
    /// The least level that pods are to take.
    pub floor: Level,
    /// The exact level that an SRE demands.
    pub pin: Option<Level>,
    /// Why.
    pub reason: Reason,
    /// The predicted load that was weighed, requests/s.
    pub load_rps: Option<f64>,
    /// What the pods that will be warm hold when full, requests/s.
    pub capacity_rps: f64,
}
