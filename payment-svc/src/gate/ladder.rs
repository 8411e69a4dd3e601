//! The five levels: up at once, down slowly, one at a time.
//!
//! Going up needs a signal that has lasted its hold time; going down needs the level's reasons
//! to be gone for the calm time, and the level to have lasted its dwell, which doubles when the
//! level is entered again soon after it was left.
//! Whether it is safe to go down is judged by the demand, refused work included: refusing lowers
//! the load, and a ladder that looks at the load alone goes up and down for ever.
//! Invariant: the level moves by more than one only upwards.

use std::time::Duration;

use floodgate_contract::{Class, Level};

/// A level's reasons must be gone this long before it is left.
const CALM: Duration = Duration::from_secs(30);
/// The same for Survive, which is only entered when the gate itself did not hold.
const CALM_SURVIVE: Duration = Duration::from_mins(1);
/// Least stay in a level.
const DWELL: Duration = Duration::from_secs(30);
/// Longest least stay, after doublings.
const DWELL_MAX: Duration = Duration::from_mins(5);
/// A level entered again within this time of being left doubles its dwell.
const REENTRY: Duration = Duration::from_mins(5);

/// What the ladder looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signals {
    /// CPU used as a share of the limit, smoothed.
    pub cpu_share: f64,
    /// The same with refused requests counted as if they had been served.
    pub cpu_demand: f64,
    /// Queueing delay over its target.
    pub queue_ratio: f64,
    /// Wait in the store over its target.
    pub store_ratio: f64,
    /// Resident memory over the limit.
    pub memory_share: f64,
    /// Most important class of which the cursor refuses something.
    pub shed_from: Option<Class>,
    /// The cursor is at its floor and requests queue all the same.
    pub gate_lost: bool,
    /// No shard takes writes.
    pub writer_lost: bool,
}

/// One way into a level.
struct Rule {
    level: Level,
    trigger: &'static str,
    hold: Duration,
    enter: fn(&Signals) -> bool,
    stay: fn(&Signals) -> bool,
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The cursor refuses something of this class or of a more important one.
fn sheds(signals: &Signals, class: Class) -> bool {
    signals.shed_from.is_some_and(|from| from <= class)
}

/// Milder levels first; within a level, what says most about the cause first.
#[rustfmt::skip]
const RULES: [Rule; 11] = [
    Rule { level: Level::Guard, trigger: "cpu", hold: ms(1000), enter: |s| s.cpu_share >= 0.80, stay: |s| s.cpu_demand >= 0.70 },
    Rule { level: Level::Guard, trigger: "queue_delay", hold: ms(1000), enter: |s| s.queue_ratio >= 0.80, stay: |s| s.queue_ratio >= 0.70 },
    Rule { level: Level::Guard, trigger: "memory", hold: ms(1000), enter: |s| s.memory_share >= 0.80, stay: |s| s.memory_share >= 0.75 },
    Rule { level: Level::Reduce, trigger: "cursor", hold: ms(500), enter: |s| s.shed_from.is_some(), stay: |s| s.shed_from.is_some() },
    Rule { level: Level::Reduce, trigger: "cpu", hold: ms(1000), enter: |s| s.cpu_share >= 0.90, stay: |s| s.cpu_demand >= 0.78 },
    Rule { level: Level::Reduce, trigger: "memory", hold: ms(1000), enter: |s| s.memory_share >= 0.88, stay: |s| s.memory_share >= 0.80 },
    Rule { level: Level::Protect, trigger: "cursor", hold: ms(1000), enter: |s| sheds(s, Class::SheddablePlus), stay: |s| sheds(s, Class::SheddablePlus) },
    Rule { level: Level::Protect, trigger: "store", hold: ms(1000), enter: |s| s.store_ratio >= 1.0, stay: |s| s.store_ratio >= 0.5 },
    Rule { level: Level::Survive, trigger: "queue_delay", hold: ms(3000), enter: |s| s.gate_lost, stay: |s| s.queue_ratio >= 0.4 },
    Rule { level: Level::Survive, trigger: "memory", hold: ms(1000), enter: |s| s.memory_share >= 0.92, stay: |s| s.memory_share >= 0.85 },
    Rule { level: Level::Survive, trigger: "writer_lost", hold: ms(1000), enter: |s| s.writer_lost, stay: |s| s.writer_lost },
];

/// The state of the ladder.
#[derive(Debug)]
pub(super) struct Ladder {
    level: Level,
    trigger: &'static str,
    standing_since: [Option<Duration>; RULES.len()],
    calm_since: Option<Duration>,
    entered_at: Duration,
    dwell: [Duration; 5],
    left_at: [Option<Duration>; 5],
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            level: Level::Normal,
            trigger: "",
            standing_since: [None; RULES.len()],
            calm_since: None,
            entered_at: Duration::ZERO,
            dwell: [DWELL; 5],
            left_at: [None; 5],
        }
    }
}

impl Ladder {
    /// Level and what raised it.
    pub(super) fn level(&self) -> (Level, &'static str) {
        (self.level, self.trigger)
    }

    /// Takes in the signals of one tick.
    pub(super) fn tick(&mut self, now: Duration, signals: &Signals) -> (Level, &'static str) {
        if let Some(rule) = self.highest_due(now, signals) {
            self.raise(now, rule);
        } else {
            self.lower_if_calm(now, signals);
        }
        self.level()
    }

    fn highest_due(&mut self, now: Duration, signals: &Signals) -> Option<&'static Rule> {
        let mut highest: Option<&'static Rule> = None;
        for (rule, since) in RULES.iter().zip(&mut self.standing_since) {
            if !(rule.enter)(signals) {
                *since = None;
                continue;
            }
            let standing = now.saturating_sub(*since.get_or_insert(now));
            let higher = highest.is_none_or(|found| rule.level > found.level);
            if standing >= rule.hold && rule.level > self.level && higher {
                highest = Some(rule);
            }
        }
        highest
    }

    fn raise(&mut self, now: Duration, rule: &Rule) {
        for level in Level::ALL {
            if level <= self.level || level > rule.level {
                continue;
            }
            let index = usize::from(level.index());
            let soon = self.left_at[index].is_some_and(|left| now.saturating_sub(left) < REENTRY);
            self.dwell[index] = if soon {
                (self.dwell[index] * 2).min(DWELL_MAX)
            } else {
                DWELL
            };
        }
        self.level = rule.level;
        self.trigger = rule.trigger;
        self.entered_at = now;
        self.calm_since = None;
    }

    fn lower_if_calm(&mut self, now: Duration, signals: &Signals) {
        if self.level == Level::Normal {
            return;
        }
        let held_by = RULES
            .iter()
            .find(|rule| rule.level == self.level && (rule.stay)(signals));
        if held_by.is_some() {
            self.calm_since = None;
            return;
        }
        let calm = now.saturating_sub(*self.calm_since.get_or_insert(now));
        let calm_needed = match self.level {
            Level::Survive => CALM_SURVIVE,
            _ => CALM,
        };
        let index = self.level.index();
        let stayed = now.saturating_sub(self.entered_at);
        if calm < calm_needed || stayed < self.dwell[usize::from(index)] {
            return;
        }
        self.left_at[usize::from(index)] = Some(now);
        self.level = Level::from_index(index - 1).unwrap_or_default();
        self.entered_at = now;
        self.calm_since = None;
        if self.level == Level::Normal {
            self.trigger = "";
        }
    }
}

#[cfg(test)]
mod tests;
