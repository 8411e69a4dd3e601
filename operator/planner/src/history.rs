//! What a decision takes note of: recommendations, replica counts, and pods that were lost.

use floodgate_forecast::UnixMillis;

use crate::{
    input::PlanInput,
    memory::{Memory, Stamped},
    sale::phases,
    situation::Situation,
};

/// Most replica counts kept; the oldest beyond it are forgotten.
///
/// One change a second over a lead time of two minutes fits, and a decision every 10 s over twenty.
const COUNTS_MAX: usize = 128;

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
            // takes the present count for recommended, or no count would ever fall.
            let first = self.replica_counts.is_empty();
            // What was held counts so too, whatever a memory from before knows: a window has to pass.
            if released || self.recommendations.is_empty() && (window_s > 0 || first) {
                self.recommend(situation, present);
            }
            if self.replica_counts.is_empty() {
                // Orders of an earlier life are unknown: what is not warm counts as ordered now.
                self.note_replicas(input, input.replicas.warm.min(present));
            }
            self.note_replicas(input, present);
            self.note_losses(input, present);
        } else {
            self.note_replicas(input, 0);
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
        if lost > 0 && self.lost.len() < COUNTS_MAX {
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

    /// Records the replicas before or after a decision.
    pub(crate) fn note_replicas(&mut self, input: &PlanInput, replicas: u32) {
        if self
            .replica_counts
            .last()
            .is_none_or(|last| last.replicas != replicas)
        {
            self.replica_counts.push(Stamped {
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
        let before = self
            .replica_counts
            .partition_point(|kept| kept.at <= cutoff);
        let surplus = self.replica_counts.len().saturating_sub(COUNTS_MAX);
        self.replica_counts
            .drain(..before.saturating_sub(1).max(surplus));
    }

    /// Replica counts of the last `period_s` seconds.
    pub(crate) fn replicas_since(
        &self,
        now: UnixMillis,
        period_s: u32,
    ) -> impl Iterator<Item = u32> {
        let cutoff = now.plus_s(-i64::from(period_s));
        let before = self
            .replica_counts
            .partition_point(|kept| kept.at <= cutoff);
        self.replica_counts
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
        let raised = self
            .replica_counts
            .iter()
            .zip(self.replica_counts.iter().skip(1));
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
        let desired = self
            .replica_counts
            .last()
            .map_or(u32::MAX, |last| last.replicas);
        let warm = situation.input.replicas.warm;
        // Warm pods beyond what was decided are about to go.
        warm.saturating_add(ordered).min(desired)
    }
}
