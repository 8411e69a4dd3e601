//! The override annotations of a cluster as the planner takes them. Pure: the time is given.
//!
//! How they are read, and what is refused, stands in [`floodgate_api::overrides`].

use std::collections::BTreeMap;

use floodgate_api::{
    annotation,
    cluster::status::OverrideStatus,
    overrides::{self, Terms, Words},
};
use floodgate_planner::{Override, Overrides};
use floodgate_words::Reason;
use jiff::Timestamp;

use crate::writers::ByHand;

pub use floodgate_api::overrides::{Bounds, Remark, set_at};

/// Annotations that all overrides share.
const TERMS: [&str; 3] = [
    annotation::OVERRIDE_UNTIL,
    annotation::OVERRIDE_REASON,
    annotation::OVERRIDE_BY,
];

/// What the annotations of a cluster say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverridesRead {
    /// For the planner; only what is in force.
    pub overrides: Overrides,
    /// For the status; the same, in the order of the annotation names.
    pub active: Vec<OverrideStatus>,
    /// What was refused, moved to a bound or contradicts another one, for Events and `Overridden`.
    pub remarks: Vec<Remark>,
}

impl OverridesRead {
    /// Adds the count that a person wrote to the Deployment during a sale, within `bounds`.
    pub fn scaled_by_hand(&mut self, hand: &ByHand, bounds: Bounds) {
        let shown = hand.shown();
        self.overrides.by_hand = Some(Override {
            value: hand.replicas.clamp(bounds.min, bounds.max.max(bounds.min)),
            until: hand.until.into(),
            reason: shown.reason.clone(),
            by: shown.by.clone(),
        });
        self.active.push(shown);
    }

    /// What an edit made unreadable holds as it was shown last, until its end (B26): a slip in the
    /// middle of a sale must not end a pause in silence. Removing the annotation ends it, and so does
    /// an end that has passed.
    pub fn keep_last(
        &mut self,
        annotations: &BTreeMap<String, String>,
        last: &[OverrideStatus],
        bounds: Bounds,
        now: Timestamp,
    ) {
        for shown in last.iter().filter(|one| one.until.0 > now) {
            let name = format!("{}{}", annotation::PREFIX, shown.name);
            let active = self.active.iter().any(|one| one.name == shown.name);
            let spoilt = |remark: &&mut Remark| {
                remark.reason == Reason::InvalidOverride
                    && annotations.contains_key(&remark.annotation)
                    && (remark.annotation == name || TERMS.contains(&remark.annotation.as_str()))
            };
            let set = annotations.contains_key(&name) && !active;
            let Some(remark) = self.remarks.iter_mut().find(spoilt).filter(|_| set) else {
                continue;
            };
            let word = [
                (name, shown.value.clone()),
                (
                    annotation::OVERRIDE_UNTIL.to_owned(),
                    shown.until.0.to_string(),
                ),
                (annotation::OVERRIDE_REASON.to_owned(), shown.reason.clone()),
            ];
            let kept = read(&word.into(), bounds, now, None).overrides;
            let message = format!("; `{}={}` holds until its end", shown.name, shown.value);
            remark.message.push_str(&message);
            let words = &mut self.overrides;
            words.pin = words.pin.take().or(kept.pin);
            words.floor = words.floor.take().or(kept.floor);
            words.ceiling = words.ceiling.take().or(kept.ceiling);
            words.degrade_floor = words.degrade_floor.take().or(kept.degrade_floor);
            words.degrade_pin = words.degrade_pin.take().or(kept.degrade_pin);
            words.pause = words.pause.take().or(kept.pause);
            self.active.push(shown.clone());
        }
    }

    /// The remarks that refuse an annotation.
    pub fn refused(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter().filter(|remark| remark.refused)
    }
}

/// Reads the annotations as they stand at `now`; they were set at `set_at`, where that is known.
pub fn read(
    annotations: &BTreeMap<String, String>,
    bounds: Bounds,
    now: Timestamp,
    set_at: Option<Timestamp>,
) -> OverridesRead {
    let overrides::OverridesRead {
        terms,
        words,
        active,
        remarks,
    } = overrides::read(annotations, bounds, now, set_at);
    OverridesRead {
        overrides: terms.map_or_else(Overrides::default, |terms| on_terms(words, &terms)),
        active,
        remarks,
    }
}

fn on_terms(words: Words, terms: &Terms) -> Overrides {
    let Words {
        pin,
        floor,
        ceiling,
        degrade_floor,
        degrade_pin,
        pause,
    } = words;
    Overrides {
        by_hand: None,
        pin: pin.map(|value| on(terms, value)),
        floor: floor.map(|value| on(terms, value)),
        ceiling: ceiling.map(|value| on(terms, value)),
        degrade_floor: degrade_floor.map(|level| on(terms, level)),
        degrade_pin: degrade_pin.map(|level| on(terms, level)),
        pause: pause.map(|pause| on(terms, pause)),
    }
}

fn on<T>(terms: &Terms, value: T) -> Override<T> {
    Override {
        value,
        until: terms.until.into(),
        reason: terms.reason.clone(),
        by: terms.by.clone(),
    }
}

#[cfg(test)]
mod tests;
