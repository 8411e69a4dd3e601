//! How warm the pod is: a state machine without clock or I/O.
//!
//! Cold until work starts, Warming while pools open and keys load, then Warm when pools, self-test
//! and score are there, or Partial when the deadline came first.
//! Invariant: what once could serve can serve for good: a later hot set is loaded, but never makes
//! the pod unready. Partial becomes Warm when the rest arrives.

use std::time::Duration;

use floodgate_contract::{WarmAck, WarmRequest, WarmState};

/// Most keys of a hot set that are taken; the heaviest come first.
pub const KEYS_MAX: usize = 10_000;
/// Longest warm deadline; later than this nobody waits for a pod.
const DEADLINE_MAX: Duration = Duration::from_mins(10);

/// What has to be there besides the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Every pool is open.
    pub pools: bool,
    /// The self-test passed.
    pub self_test: bool,
}

/// What a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// Nothing.
    Same,
    /// The state is another.
    To(WarmState),
}

/// The machine; all times are since the start of the process.
#[derive(Debug)]
pub struct WarmMachine {
    state: WarmState,
    checks: Checks,
    deadline: Duration,
    request: Option<WarmRequest>,
    weight_all: u64,
    weight_loaded: u64,
    warm_at: Option<Duration>,
}

impl WarmMachine {
    /// A cold pod that serves as Partial after `deadline` if nothing else happens.
    pub fn new(deadline: Duration) -> Self {
        Self {
            state: WarmState::Cold,
            checks: Checks::default(),
            deadline: deadline.min(DEADLINE_MAX),
            request: None,
            weight_all: 0,
            weight_loaded: 0,
            warm_at: None,
        }
    }

    /// Takes up a hot set; true when it is another than before and has to be loaded.
    pub fn take_up(&mut self, mut request: WarmRequest) -> (WarmAck, bool) {
        request.keys.truncate(KEYS_MAX);
        let known = self.request.as_ref();
        if let Some(known) = known
            && known.version >= request.version
        {
            let ack = WarmAck {
                version: known.version,
                keys: known.keys.len(),
            };
            return (ack, false);
        }
        let ack = WarmAck {
            version: request.version,
            keys: request.keys.len(),
        };
        if !self.may_serve() {
            self.deadline = Duration::from_millis(request.deadline_ms).min(DEADLINE_MAX);
            self.state = WarmState::Warming;
        }
        let weights = request.keys.iter().map(|key| key.weight.max(1));
        self.weight_all = weights.fold(0, u64::saturating_add);
        self.weight_loaded = 0;
        self.request = Some(request);
        (ack, true)
    }

    /// The hot set taken up, if any.
    pub fn request(&self) -> Option<&WarmRequest> {
        self.request.as_ref()
    }

    /// Version of the hot set taken up, if any.
    pub fn version(&self) -> Option<u64> {
        self.request.as_ref().map(|request| request.version)
    }

    /// Notes keys of version `version` that are loaded now; those of an older set do not count.
    pub fn loaded(&mut self, now: Duration, version: u64, weight: u64) -> Advance {
        if self.version() == Some(version) {
            self.weight_loaded = self
                .weight_loaded
                .saturating_add(weight)
                .min(self.weight_all);
        }
        self.step(now)
    }

    /// Notes what else is there; what was once there stays noted.
    pub fn checked(&mut self, now: Duration, checks: Checks) -> Advance {
        self.checks.pools |= checks.pools;
        self.checks.self_test |= checks.self_test;
        self.step(now)
    }

    /// Lets time pass.
    pub fn step(&mut self, now: Duration) -> Advance {
        let before = self.state;
        let complete = self.checks.pools && self.checks.self_test && self.score_reached();
        self.state = match before {
            WarmState::Warm => WarmState::Warm,
            _ if complete => {
                self.warm_at.get_or_insert(now);
                WarmState::Warm
            }
            WarmState::Partial => WarmState::Partial,
            _ if now >= self.deadline => WarmState::Partial,
            WarmState::Cold if self.checks != Checks::default() => WarmState::Warming,
            other => other,
        };
        if before == self.state {
            Advance::Same
        } else {
            Advance::To(self.state)
        }
    }

    /// State now.
    pub fn state(&self) -> WarmState {
        self.state
    }

    /// Whether traffic may come.
    pub fn may_serve(&self) -> bool {
        matches!(self.state, WarmState::Warm | WarmState::Partial)
    }

    /// Whether the pod is warm.
    pub fn is_warm(&self) -> bool {
        self.state == WarmState::Warm
    }

    /// Weight loaded over the weight of the hot set, permille; of no set nothing is loaded, and of
    /// an empty one everything.
    pub fn permille(&self) -> u32 {
        match &self.request {
            None => 0,
            Some(_) if self.weight_all == 0 => 1_000,
            Some(_) => {
                let permille = u128::from(self.weight_loaded) * 1_000 / u128::from(self.weight_all);
                permille as u32
            }
        }
    }

    /// Time from the start until the pod was warm.
    pub fn warm_at(&self) -> Option<Duration> {
        self.warm_at
    }

    /// Whether as much of the hot set is loaded as was asked for.
    pub fn score_reached(&self) -> bool {
        self.request
            .as_ref()
            .is_some_and(|request| self.permille() >= request.min_score_permille.min(1_000))
    }
}

#[cfg(test)]
mod tests;
