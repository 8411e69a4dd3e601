//! What one decision hands to the next, so that the planner itself remembers nothing.

use floodgate_forecast::UnixMillis;
use floodgate_words::{Level, Reason};
use serde::{Deserialize, Serialize};

use crate::{profile::BaselineProfile, spread::LoadSpread, trend::LoadTrend};

/// State between two decisions; bounded, serialisable, and opaque to the caller.
///
/// [`Memory::default`] is the memory of a cluster that was just created. After a restart, a
/// takeover or a lost history the caller must start from [`Memory::held`] instead, or the first
/// decision could forget what the last one held (promise S4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Set until the first fresh load: replicas may not fall below the present count.
    pub(crate) hold: Option<HoldCause>,
    /// Winning numbers of the stabilisation window, values strictly falling with time.
    pub(crate) recommendations: Vec<Stamped>,
    /// Replica counts of the last step period and lead time, oldest first.
    pub(crate) replica_counts: Vec<Stamped>,
    /// Pods that were warm at the last decision.
    pub(crate) warm: u32,
    /// Warm pods that were lost within the last lead time, oldest first; others start in their place.
    pub(crate) lost: Vec<Stamped>,
    /// Level floor and how it came to be.
    pub(crate) level: LevelMemory,
    /// Baselines of phases whose pre-scale has begun; frozen, so that the sale's own load is never
    /// taken for its baseline.
    pub(crate) baselines: Vec<PhaseBaseline>,
    /// How far the load strays from its own level.
    pub(crate) spread: LoadSpread,
    /// Where the load goes within the lead time, while it climbs.
    #[serde(default)]
    pub(crate) trend: LoadTrend,
    /// What became of the last raise.
    pub(crate) raise_review: RaiseReview,
}

/// A number and when it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamped {
    pub(crate) at: UnixMillis,
    pub(crate) replicas: u32,
}

/// The level floor between two decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LevelMemory {
    pub(crate) floor: Level,
    /// Levels 1 to 4: since when the projected load has been low enough to leave each.
    pub(crate) fits_since: [Option<UnixMillis>; 4],
    /// Levels 1 to 4: when each was left last.
    pub(crate) left_at: [Option<UnixMillis>; 4],
    /// Levels 1 to 4: how often the dwell of each is doubled.
    pub(crate) doublings: [u8; 4],
}

/// The frozen baseline of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseBaseline {
    pub(crate) sale: String,
    pub(crate) phase: String,
    pub(crate) t0: UnixMillis,
    pub(crate) baseline: BaselineProfile,
}

/// What is remembered of the last raise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RaiseReview {
    /// Replicas before the last decision.
    pub(crate) replicas_before: Option<u32>,
    pub(crate) raise: Option<Raise>,
    pub(crate) taken_back: Option<TakenBack>,
    pub(crate) taken_back_in_a_row: u8,
}

/// A raise whose pods are still watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Raise {
    pub(crate) at: UnixMillis,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Pods that were Ready when it was ordered.
    pub(crate) ready: u32,
    /// Whether all its pods have been Ready at once; what happens to them later is not its fault.
    pub(crate) arrived: bool,
    pub(crate) failed_permille: Option<u32>,
    pub(crate) failing_since: Option<UnixMillis>,
}

/// A raise that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakenBack {
    pub(crate) reason: Reason,
    pub(crate) most: u32,
    pub(crate) until: UnixMillis,
}

/// Why the present replica count is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldCause {
    /// The operator restarted.
    Restart,
    /// Another replica of the operator took over.
    Takeover,
    /// The history in Prometheus is gone.
    HistoryLost,
}

impl Memory {
    /// The memory after a restart, a takeover or a lost history: the present replica count is held
    /// until the first fresh load, and counts as the recommendation of that moment afterwards.
    pub fn held(cause: HoldCause) -> Self {
        Self {
            hold: Some(cause),
            ..Self::default()
        }
    }

    /// The same memory, held for `cause`; for a history that is lost while the operator runs, and for
    /// what another process left. Which raise the pods that stand came from is not known of it.
    #[must_use]
    pub fn hold(self, cause: HoldCause) -> Self {
        Self {
            hold: Some(cause),
            raise_review: RaiseReview::default(),
            recommendations: Vec::new(),
            ..self
        }
    }

    /// Why the last raise was taken back ([`Reason::NewPodsNotReady`] or [`Reason::ErrorsRose`]),
    /// while it is not tried again.
    pub fn raise_taken_back(&self) -> Option<Reason> {
        self.raise_review.taken_back.map(|back| back.reason)
    }

    /// The level floor that was in force, to carry over from `status` after a restart.
    #[must_use]
    pub fn with_level(self, floor: Level) -> Self {
        Self {
            level: LevelMemory {
                floor,
                ..LevelMemory::default()
            },
            ..self
        }
    }
}
