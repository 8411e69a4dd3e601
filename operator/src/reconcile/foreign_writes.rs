//! When others wrote the replicas, and how long the last write is left alone. Pure.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::{
    clock::seconds_between,
    writers::{ByHand, WriterKind},
};

/// For how long a foreign write is reported, seconds; one fight a minute is seen as one.
const REPORTED_FOR_S: f64 = 600.0;
/// Foreign writes kept.
const KEPT_MAX: usize = 32;
/// Foreign writes within [`REPORTED_FOR_S`] that are put back at once; more of them are a fight.
const PATIENCE: usize = 2;
/// First and longest pause before a write of a fight is put back. A minute bounds both the writes
/// and the time a fleet has the size that a repository says.
const BACK_OFF_MIN: SignedDuration = SignedDuration::from_secs(10);
const BACK_OFF_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Foreign writes of the replicas.
#[derive(Debug, Default)]
pub(super) struct ForeignWrites {
    writes: VecDeque<(Timestamp, String)>,
    last_generation: Option<i64>,
    /// The count that a person wrote during a sale.
    pub(super) by_hand: Option<ByHand>,
    /// Whether what an earlier process knew was looked up.
    pub(super) recalled: bool,
}

impl ForeignWrites {
    /// Notes that `manager` wrote the replicas in `generation`; the same one counts once.
    pub(super) fn note(&mut self, at: Timestamp, generation: Option<i64>, manager: String) -> bool {
        if self.last_generation == generation {
            return false;
        }
        self.last_generation = generation;
        if self.writes.len() == KEPT_MAX {
            self.writes.pop_front();
        }
        self.writes.push_back((at, manager));
        true
    }

    /// Forgets what controllers wrote.
    pub(super) fn forget_controllers(&mut self) {
        self.writes
            .retain(|(_, manager)| WriterKind::of(manager) != WriterKind::Controller);
    }

    /// The writer of the newest write that is still reported.
    pub(super) fn recent(&mut self, now: Timestamp) -> Option<&str> {
        self.writes
            .retain(|(at, _)| seconds_between(*at, now) < REPORTED_FOR_S);
        self.writes.back().map(|(_, manager)| manager.as_str())
    }

    /// Whether so many writes were put back that it is a fight.
    pub(super) fn is_fight(&self) -> bool {
        self.writes.len() > PATIENCE
    }

    /// Until when the last foreign write is left alone.
    pub(super) fn left_until(&self) -> Option<Timestamp> {
        let (last, _) = self.writes.back()?;
        let fought = u32::try_from(self.writes.len().checked_sub(PATIENCE + 1)?).ok()?;
        let pause = BACK_OFF_MIN
            .checked_mul(1 << fought.min(8))
            .unwrap_or(BACK_OFF_MAX)
            .min(BACK_OFF_MAX);
        last.saturating_add(pause).ok()
    }
}

#[cfg(test)]
mod tests;
