//! What one decision hands to the next, so that the planner itself remembers nothing.

use floodgate_forecast::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::aftercare::Aftercare;
use crate::bids::phases;
use crate::profile::BaselineProfile;
use crate::spread::LoadSpread;
use crate::trend::LoadTrend;
use crate::{Level, PlanInput, Reason, Situation};

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
    /// Replica counts that stood during the last step period and lead time, oldest first.
    pub(crate) standing: Vec<Stamped>,
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
    pub(crate) aftercare: Aftercare,
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
            aftercare: Aftercare::default(),
            recommendations: Vec::new(),
            ..self
        }
    }

    /// Why the last raise was taken back ([`Reason::NewPodsNotReady`] or [`Reason::ErrorsRose`]),
    /// while it is not tried again.
    pub fn raise_taken_back(&self) -> Option<Reason> {
        self.aftercare.taken_back()
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

/// Most counts kept of what stood; older ones beyond it are forgotten.
///
/// One change a second over a lead time of two minutes fits, and a decision every 10 s over twenty.
const STANDING_MAX: usize = 128;

impl Memory {
    /// Takes note of what stands before the decision, and releases the hold at a fresh load.
    pub(crate) fn observe(&mut self, situation: &Situation<'_>) {
        let input = situation.input;
        let released = situation.may_lower() && self.hold.take().is_some();
        let in_sale = phases(&input.sales).any(|(_, phase)| phase.runs_at(input.now));
        match situation.load {
            Ok(load) if !in_sale => {
                let unusual_rps = self.spread.unusual_rps();
                let lead_s = input.lead_time.total_s();
                self.trend
                    .observe(input.now, load.present_rps(), unusual_rps, lead_s);
                self.spread.observe(input.now, load.present_rps());
            }
            // A sale has a plan of its own, and what is not known goes nowhere.
            Ok(_) | Err(_) => self.trend.forget(),
        }
        let window_s = i64::from(input.scaling.scale_down_stabilisation_s);
        self.recommendations.retain(|kept| {
            let age_s = input.now.seconds_since(kept.at);
            // What was recommended holds for the second it was made in, also without a window: a
            // decision made again in that instant must be the same one.
            (0..window_s.max(1)).contains(&age_s)
        });
        if let Some(present) = input.replicas.desired {
            // Nothing remembered is not permission to shrink: what stands counts as recommended.
            // Without a window nothing is ever remembered; then only the first decision of a life
            // takes what stands for recommended, or no count would ever fall.
            let first = self.standing.is_empty();
            // What was held counts so too, whatever a memory from before knows: a window has to pass.
            if released || self.recommendations.is_empty() && (window_s > 0 || first) {
                self.recommend(situation, present);
            }
            if self.standing.is_empty() {
                // Orders of an earlier life are unknown: what is not warm counts as ordered now.
                self.note_standing(input, input.replicas.warm.min(present));
            }
            self.note_standing(input, present);
            self.note_losses(input, present);
        } else {
            self.note_standing(input, 0);
        }
    }

    /// Takes note of warm pods that went although nobody gave them back.
    fn note_losses(&mut self, input: &PlanInput, present: u32) {
        let warm = input.replicas.warm;
        let lost = self.warm.min(present).saturating_sub(warm);
        self.warm = warm;
        let lead_s = input.lead_time.total_s();
        self.lost
            .retain(|loss| input.now.seconds_since(loss.at) < lead_s);
        if lost > 0 && self.lost.len() < STANDING_MAX {
            self.lost.push(Stamped {
                at: input.now,
                replicas: lost,
            });
        }
    }

    /// Records the winning number and returns the largest one of the stabilisation window.
    pub(crate) fn recommend(&mut self, situation: &Situation<'_>, replicas: u32) -> u32 {
        self.recommendations.retain(|kept| kept.replicas > replicas);
        self.recommendations.push(Stamped {
            at: situation.input.now,
            replicas,
        });
        self.recommendations
            .first()
            .map_or(replicas, |kept| kept.replicas)
    }

    /// When the largest recommendation of the window lapses.
    pub(crate) fn recommendation_lapse(&self, situation: &Situation<'_>) -> Option<UnixMillis> {
        let window_s = i64::from(situation.input.scaling.scale_down_stabilisation_s);
        let first = self
            .recommendations
            .first()
            .filter(|_| self.recommendations.len() > 1)?;
        Some(first.at.plus_s(window_s))
    }

    /// Records what stands after the decision.
    pub(crate) fn stand(&mut self, input: &PlanInput, replicas: u32) {
        self.note_standing(input, replicas);
    }

    fn note_standing(&mut self, input: &PlanInput, replicas: u32) {
        if self
            .standing
            .last()
            .is_none_or(|last| last.replicas != replicas)
        {
            self.standing.push(Stamped {
                at: input.now,
                replicas,
            });
        }
        let period_s = |step: Option<crate::StepLimit>| step.map_or(0, |step| step.period_s);
        let scaling = &input.scaling;
        let kept_s =
            i64::from(period_s(scaling.scale_down_step).max(period_s(scaling.scale_up_step)))
                .max(input.lead_time.horizon_s());
        let cutoff = input.now.plus_s(-kept_s);
        // The last count before the cutoff still stood at the cutoff and is kept.
        let before = self.standing.partition_point(|kept| kept.at <= cutoff);
        let surplus = self.standing.len().saturating_sub(STANDING_MAX);
        self.standing.drain(..before.saturating_sub(1).max(surplus));
    }

    /// Counts that stood at some moment of the last `period_s` seconds.
    pub(crate) fn standing_since(
        &self,
        now: UnixMillis,
        period_s: u32,
    ) -> impl Iterator<Item = u32> {
        let cutoff = now.plus_s(-i64::from(period_s));
        let before = self.standing.partition_point(|kept| kept.at <= cutoff);
        self.standing
            .iter()
            .skip(before.saturating_sub(1))
            .map(|kept| kept.replicas)
    }

    /// Pods that come within a lead time, because a raise ordered them or others were lost: when they
    /// are due, and how many.
    pub(crate) fn orders_due(
        &self,
        situation: &Situation<'_>,
    ) -> impl Iterator<Item = (UnixMillis, u32)> {
        let lead_s = situation.input.lead_time.total_s();
        let now = situation.input.now;
        let raised = self.standing.iter().zip(self.standing.iter().skip(1));
        let raised = raised.map(|(from, to)| (to.at, to.replicas.saturating_sub(from.replicas)));
        let replaced = self.lost.iter().map(|loss| (loss.at, loss.replicas));
        raised
            .chain(replaced)
            .map(move |(at, pods)| (at.plus_s(lead_s), pods))
            .filter(move |(due, pods)| *due > now && *pods > 0)
    }

    /// Pods that will be warm at `at`: those that are, and those ordered in time for it. Pods that
    /// are overdue are not counted, because nobody knows when they come.
    pub(crate) fn warm_at(&self, situation: &Situation<'_>, at: UnixMillis) -> u32 {
        let ordered: u32 = self
            .orders_due(situation)
            .filter(|(due, _)| *due <= at)
            .fold(0, |sum, (_, pods)| sum.saturating_add(pods));
        let desired = self.standing.last().map_or(u32::MAX, |last| last.replicas);
        let warm = situation.input.replicas.warm;
        // Warm pods beyond what was decided are about to go.
        warm.saturating_add(ordered).min(desired)
    }
}
