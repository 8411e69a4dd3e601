//! What becomes of a raise: when its pods stay unready or errors rise with them, it is taken back.
//!
//! More pods are no help when they never serve, and they harm when they take what the others need,
//! such as the connections of a database. A raise that was taken back is tried again after a pause
//! that doubles each time. Pods that wait for a node are no fault of theirs and are left to wait.
//! Invariant: a raise is judged by what stands, not by what was decided, so that a decision that was
//! only published is never taken back.

use floodgate_forecast::UnixMillis;
use floodgate_words::Reason;

use crate::{
    memory::{Memory, Raise, RaiseReview, TakenBack},
    situation::Situation,
};

/// Lead times that new pods are given to become Ready; the lead time is a 99th percentile, so twice
/// as long is beyond bad luck.
const READY_WITHIN_LEADS: i64 = 2;
/// Rise of the share of failed requests that counts, permille.
const ERRORS_PERMILLE_MIN: u32 = 50;
/// For how long errors must have stayed up, seconds.
const ERRORS_FOR_S: i64 = 30;
/// First and longest pause before a raise that was taken back is tried again, seconds.
const PAUSE_S_MIN: i64 = 300;
const PAUSE_S_MAX: i64 = 3_600;

/// The most replicas that the last raise leaves, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) reason: Reason,
    pub(crate) most: u32,
}

/// Watches the last raise; the cap that follows from it, while one does.
pub(crate) fn check(situation: &Situation<'_>, memory: &mut Memory) -> Option<Cap> {
    let now = situation.input.now;
    let review = &mut memory.raise_review;
    let Some(present) = situation.input.replicas.desired else {
        *review = RaiseReview::default();
        return None;
    };
    review.note(situation, present);
    let RaiseReview {
        raise,
        taken_back,
        taken_back_in_a_row,
        replicas_before: _,
    } = review;
    *taken_back = taken_back.filter(|back| now < back.until);
    if let Some(found) = raise.as_mut().and_then(|raise| raise.fault(situation)) {
        let pause_s = (PAUSE_S_MIN << (*taken_back_in_a_row).min(8)).min(PAUSE_S_MAX);
        let window_s = i64::from(situation.input.scaling.scale_down_stabilisation_s);
        *taken_back_in_a_row = taken_back_in_a_row.saturating_add(1);
        *taken_back = Some(TakenBack {
            reason: found.reason,
            most: found.most,
            until: now.plus_s(pause_s.max(window_s)),
        });
        *raise = None;
    }
    if raise.is_some_and(|raise| raise.is_settled(situation)) {
        *raise = None;
        *taken_back_in_a_row = 0;
    }
    let ready = situation.input.replicas.ready;
    taken_back.map(|back| Cap {
        reason: back.reason,
        most: match back.reason {
            // Pods that made it in the end stay.
            Reason::NewPodsNotReady => back.most.max(ready),
            _ => back.most,
        },
    })
}

impl RaiseReview {
    /// Takes note of a raise since the last decision, or of its end.
    fn note(&mut self, situation: &Situation<'_>, present: u32) {
        let input = situation.input;
        let replicas_before = self.replicas_before.replace(present).unwrap_or(present);
        if present > replicas_before {
            let before = self.raise;
            self.raise = Some(Raise {
                at: input.now,
                from: before.map_or(replicas_before, |raise| {
                    raise.from.max(input.replicas.ready.min(replicas_before))
                }),
                to: present,
                ready: input.replicas.ready,
                arrived: false,
                failed_permille: before
                    .map_or(input.health.failed_permille, |raise| raise.failed_permille),
                failing_since: before.and_then(|raise| raise.failing_since),
            });
        }
        self.raise = self.raise.filter(|raise| present > raise.from);
        if let Some(raise) = &mut self.raise {
            raise.to = raise.to.min(present);
            raise.arrived |= input.replicas.ready >= raise.to;
        }
    }
}

impl Raise {
    fn ready_due(&self, situation: &Situation<'_>) -> UnixMillis {
        let lead_s = situation.input.lead_time.total_s().max(1);
        self.at.plus_s(lead_s.saturating_mul(READY_WITHIN_LEADS))
    }

    /// What went wrong, and the replicas to return to.
    fn fault(&mut self, situation: &Situation<'_>) -> Option<Cap> {
        let input = situation.input;
        let waits = input.caps.unschedulable_pods.is_some_and(|pods| pods > 0);
        let late = input.now >= self.ready_due(situation);
        if late && !waits && !self.arrived {
            return Some(Cap {
                reason: Reason::NewPodsNotReady,
                most: self.from,
            });
        }
        let (before, after) = self.failed_permille.zip(input.health.failed_permille)?;
        let serves = input.replicas.ready > self.ready;
        let limit = before
            .saturating_mul(2)
            .max(before.saturating_add(ERRORS_PERMILLE_MIN));
        if !serves || after < limit {
            self.failing_since = None;
            return None;
        }
        let since = *self.failing_since.get_or_insert(input.now);
        (input.now.seconds_since(since) >= ERRORS_FOR_S).then_some(Cap {
            reason: Reason::ErrorsRose,
            most: self.from,
        })
    }

    /// Whether its pods are Ready and have served for long enough without harm.
    fn is_settled(&self, situation: &Situation<'_>) -> bool {
        self.arrived
            && self.failing_since.is_none()
            && situation.input.now >= self.ready_due(situation).plus_s(ERRORS_FOR_S)
    }
}
