//! Verdicts into the conditions of a status, and back into what changed. Pure.
//!
//! Invariant: `lastTransitionTime` moves only when the status of a condition flips.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use floodgate_words::{ConditionType, Reason};

use super::{
    ready,
    verdict::{Truth, Verdict},
};

/// Longest message, in characters; the API allows 32,768, and nobody reads that.
const MESSAGE_CHARS_MAX: usize = 512;

/// A condition whose status or reason is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The new verdict.
    pub verdict: Verdict,
    /// Whether the status flipped; otherwise only the reason changed.
    pub status_changed: bool,
}

/// The conditions after `verdicts`; those of other writers are dropped with their type.
pub fn merged(
    before: &[Condition],
    verdicts: &[Verdict],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let merge = |verdict: &Verdict| {
        let old = before.iter().find(|old| old.type_ == verdict.kind.as_str());
        let same = old.filter(|old| old.status == verdict.status.as_str());
        Condition {
            type_: verdict.kind.as_str().to_owned(),
            status: verdict.status.as_str().to_owned(),
            reason: verdict.reason.as_str().to_owned(),
            message: verdict.message.chars().take(MESSAGE_CHARS_MAX).collect(),
            observed_generation: generation,
            last_transition_time: same.map_or_else(
                || Time(whole_second(now)),
                |old| old.last_transition_time.clone(),
            ),
        }
    };
    verdicts.iter().map(merge).collect()
}

/// Right after a start nothing was asked yet; until the first answers the conditions say what they
/// said before, or every restart would flip them and publish Events.
pub fn carried_over(verdicts: Vec<Verdict>, before: &[Condition]) -> Vec<Verdict> {
    let carry = |verdict: Verdict| {
        let old = before.iter().find(|old| old.type_ == verdict.kind.as_str());
        let Some(old) = old.filter(|_| verdict.awaits_first_answer) else {
            return verdict;
        };
        let truth = [Truth::True, Truth::False, Truth::Unknown];
        let status = truth.into_iter().find(|truth| truth.as_str() == old.status);
        let reason = Reason::ALL
            .iter()
            .find(|reason| reason.as_str() == old.reason);
        match status.zip(reason) {
            Some((status, reason)) => {
                Verdict::new(verdict.kind, status, *reason, old.message.clone())
            }
            None => verdict,
        }
    };
    let mut carried: Vec<Verdict> = verdicts.into_iter().map(carry).collect();
    let summed = ready(&carried);
    if let Some(ready) = carried
        .iter_mut()
        .find(|one| one.kind == ConditionType::Ready)
    {
        *ready = summed;
    }
    carried
}

/// What a person should see: flips of a condition that was there before.
pub fn flips(before: &[Condition], verdicts: &[Verdict]) -> Vec<Flip> {
    let flip = |verdict: &Verdict| {
        let old = before
            .iter()
            .find(|old| old.type_ == verdict.kind.as_str())?;
        let status_changed = old.status != verdict.status.as_str();
        let changed = status_changed || old.reason != verdict.reason.as_str();
        changed.then(|| Flip {
            verdict: verdict.clone(),
            status_changed,
        })
    };
    verdicts.iter().filter_map(flip).collect()
}

/// The API keeps whole seconds; a fraction would come back different and be written again.
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn verdict(holds: bool, reason: Reason) -> Verdict {
        Verdict::new(ConditionType::SignalsFresh, holds, reason, "")
    }

    #[test]
    fn s4_a_restart_flips_no_condition_before_the_first_answer() {
        let stood = merged(&[], &[verdict(true, Reason::SignalsFresh)], Some(1), at(10));
        let unasked = Verdict {
            status: Truth::Unknown,
            awaits_first_answer: true,
            ..verdict(false, Reason::NoSignals)
        };
        let carried = carried_over(vec![unasked.clone()], &stood);
        assert_eq!(carried, [verdict(true, Reason::SignalsFresh)]);
        assert_eq!(carried_over(vec![unasked.clone()], &[]), [unasked]);
    }

    #[test]
    fn the_transition_time_moves_only_when_the_status_flips() {
        let fresh = verdict(true, Reason::SignalsFresh);
        let first = merged(&[], &[fresh], Some(1), at(10));
        let stale = verdict(false, Reason::SignalsStale);
        let second = merged(&first, std::slice::from_ref(&stale), Some(1), at(20));
        assert_eq!(second[0].last_transition_time.0, at(20));
        let missing = verdict(false, Reason::SeriesMissing);
        let third = merged(&second, std::slice::from_ref(&missing), Some(2), at(30));
        assert_eq!(
            third[0].last_transition_time.0,
            at(20),
            "only the reason changed"
        );
        assert!(flips(&first, &[stale])[0].status_changed);
        assert!(!flips(&second, &[missing])[0].status_changed);
        assert!(flips(&[], &[verdict(true, Reason::SignalsFresh)]).is_empty());
    }
}
