//! What the pods did at their load: samples their capacity is learned from, and the share of their
//! requests that failed. Pure.
//!
//! Only a warm pod at level Normal that served for some seconds on end gives a sample: a cold one
//! does other work, and a degraded one does less of it.

use std::collections::{HashMap, HashSet, VecDeque};

use floodgate_contract::{ControlStatus, WarmState};
use floodgate_planner::capacity::{CapacityBook, CapacitySample, LearnedCapacity};
use floodgate_words::Level;
use jiff::Timestamp;

use crate::{clock::seconds_between, target::CapacityTarget};

/// Least time one sample is measured over, milliseconds; the counter of a pod of 40 requests/s is
/// then right to within a twentieth.
const SAMPLE_MS: u64 = 10_000;
/// Seconds between two lines through the samples.
const LEARN_PERIOD_S: f64 = 60.0;
/// Share of the declared capacity by which the learned one moves at once, so that a line that is
/// wrong moves the fleet slowly.
const LEARN_STEP: f64 = 0.05;
/// Seconds over which failed requests are counted.
const ERRORS_S: f64 = 30.0;
/// Admitted requests below which a share of failures says nothing.
const ADMITTED_MIN: u64 = 100;

/// What the pods of one cluster did.
#[derive(Default)]
pub(super) struct CapacityMeter {
    spans: HashMap<String, Span>,
    counted: HashMap<String, Counts>,
    totals: Counts,
    rounds: VecDeque<(Timestamp, Counts)>,
    book: CapacityBook,
    capacity: Option<LearnedCapacity>,
    learned_at: Option<Timestamp>,
}

/// Requests of a pod, or of all, since some start.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    uptime_ms: u64,
    admitted: u64,
    failed: u64,
}

/// A sample in the making.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: Counts,
    rounds: u32,
    cpu_share: f64,
    queue_ms: f64,
}

impl CapacityMeter {
    /// Takes in one round of answers of Ready pods.
    pub(super) fn round<'a>(
        &mut self,
        now: Timestamp,
        target: &CapacityTarget,
        answers: impl Iterator<Item = (&'a str, &'a ControlStatus)>,
    ) {
        for (uid, status) in answers {
            let counts = Counts::of(status);
            self.count(uid, counts);
            self.measure(uid, counts, status, target);
        }
        self.rounds.push_back((now, self.totals));
        while self
            .rounds
            .front()
            .is_some_and(|(at, _)| seconds_between(*at, now) > ERRORS_S)
        {
            self.rounds.pop_front();
        }
        self.learn(now, target);
    }

    /// Forgets pods that are gone; what was learned from them stays.
    pub(super) fn retain(&mut self, living: &HashSet<&str>) {
        self.spans.retain(|uid, _| living.contains(uid.as_str()));
        self.counted.retain(|uid, _| living.contains(uid.as_str()));
    }

    /// The capacity learned so far.
    pub(super) fn capacity(&self) -> Option<LearnedCapacity> {
        self.capacity
    }

    /// Share of admitted requests that failed lately, permille.
    pub(super) fn failed_permille(&self) -> Option<u32> {
        let ((_, first), (_, last)) = (self.rounds.front()?, self.rounds.back()?);
        let admitted = last.admitted.saturating_sub(first.admitted);
        let failed = last.failed.saturating_sub(first.failed).min(admitted);
        (admitted >= ADMITTED_MIN)
            .then(|| u32::try_from(failed.saturating_mul(1_000) / admitted).unwrap_or(1_000))
    }

    fn count(&mut self, uid: &str, counts: Counts) {
        let last = self.counted.insert(uid.to_owned(), counts);
        // A pod heard for the first time, or one that restarted, only sets its mark.
        let Some(last) = last.filter(|last| last.uptime_ms <= counts.uptime_ms) else {
            return;
        };
        let grown = |now: u64, then: u64| now.saturating_sub(then);
        self.totals.admitted += grown(counts.admitted, last.admitted);
        self.totals.failed += grown(counts.failed, last.failed);
    }

    fn measure(
        &mut self,
        uid: &str,
        counts: Counts,
        status: &ControlStatus,
        target: &CapacityTarget,
    ) {
        let usual =
            status.warm == WarmState::Warm && status.level == Level::Normal && !status.draining;
        let span = self.spans.remove(uid).filter(|_| usual);
        let span = span.filter(|span| span.from.uptime_ms <= counts.uptime_ms);
        let mut span = match span {
            Some(span) => span,
            None if usual => Span {
                from: counts,
                rounds: 0,
                cpu_share: 0.0,
                queue_ms: 0.0,
            },
            None => return,
        };
        span.rounds = span.rounds.saturating_add(1);
        span.cpu_share += f64::from(status.cpu_permille) / 1_000.0;
        span.queue_ms += status.queue_delay_us as f64 / 1_000.0;
        let lasted_ms = counts.uptime_ms.saturating_sub(span.from.uptime_ms);
        if lasted_ms < SAMPLE_MS {
            self.spans.insert(uid.to_owned(), span);
            return;
        }
        let admitted = counts.admitted.saturating_sub(span.from.admitted);
        let rounds = f64::from(span.rounds);
        let sample = CapacitySample {
            load_rps: admitted as f64 * 1_000.0 / lasted_ms as f64,
            cpu_share: span.cpu_share / rounds,
            queue_ms: span.queue_ms / rounds,
        };
        self.book.note(&target.declared, sample);
    }

    fn learn(&mut self, now: Timestamp, target: &CapacityTarget) {
        let due = self
            .learned_at
            .is_none_or(|at| seconds_between(at, now) >= LEARN_PERIOD_S);
        if !due {
            return;
        }
        self.learned_at = Some(now);
        let Some(taught) = self.book.learned(&target.declared, &target.bounds_rps) else {
            return;
        };
        let from_rps = self
            .capacity
            .map_or(target.in_force_rps, |old| old.capacity_rps);
        let step_rps = target.declared.capacity_rps * LEARN_STEP;
        let moved_rps = (taught.capacity_rps - from_rps).clamp(-step_rps, step_rps);
        self.capacity = Some(LearnedCapacity {
            capacity_rps: from_rps + moved_rps,
            ..taught
        });
    }
}

impl Counts {
    fn of(status: &ControlStatus) -> Self {
        Self {
            uptime_ms: status.uptime_ms,
            admitted: status.classes.iter().map(|class| class.admitted).sum(),
            failed: status.classes.iter().map(|class| class.failed).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use floodgate_contract::ClassCounts;
    use floodgate_planner::Scaling;
    use jiff::SignedDuration;

    use super::*;

    fn target() -> CapacityTarget {
        CapacityTarget {
            declared: Scaling {
                capacity_rps: 70.0,
                ..Scaling::default()
            },
            bounds_rps: 49.0..=91.0,
            in_force_rps: 70.0,
        }
    }

    fn status(second: u64, admitted: u64, failed: u64, cpu_permille: u32) -> ControlStatus {
        let class = ClassCounts {
            offered: admitted,
            admitted,
            shed: 0,
            failed,
        };
        ControlStatus {
            uptime_ms: second * 1_000,
            cpu_permille,
            classes: [
                class,
                ClassCounts::default(),
                ClassCounts::default(),
                ClassCounts::default(),
            ],
            warm: WarmState::Warm,
            ..ControlStatus::default()
        }
    }

    fn at(second: u64) -> Timestamp {
        let start: Timestamp = "2026-11-10T15:00:00Z".parse().unwrap();
        start + SignedDuration::from_secs(i64::try_from(second).unwrap())
    }

    /// A pod that is full at 120 requests/s, under a load that climbs from 5 to 65 and back.
    fn learn(level: Level, seconds: u64) -> CapacityMeter {
        let mut work = CapacityMeter::default();
        let mut admitted = 0;
        for second in 0..seconds {
            let rps = 5 + 10 * ((second / 60) % 7);
            admitted += rps;
            let cpu_permille = u32::try_from(rps * 1_000 / 120).unwrap();
            let status = ControlStatus {
                level,
                ..status(second, admitted, 0, cpu_permille)
            };
            work.round(at(second), &target(), [("a", &status)].into_iter());
        }
        work
    }

    #[test]
    fn capacity_moves_towards_what_the_pods_show_in_small_steps() {
        assert_eq!(learn(Level::Normal, 200).capacity(), None, "too few loads");
        let soon = learn(Level::Normal, 400).capacity().unwrap().capacity_rps;
        assert!(soon > 70.0 && soon < 84.0, "{soon}");
        let late = learn(Level::Normal, 3_000).capacity().unwrap().capacity_rps;
        assert!((late - 84.0).abs() < 2.0, "{late}");
    }

    #[test]
    fn degraded_pods_teach_nothing() {
        assert_eq!(learn(Level::Guard, 3_000).capacity(), None);
    }

    #[test]
    fn failures_are_a_share_of_what_was_admitted_lately() {
        let mut work = CapacityMeter::default();
        for second in 0..120_u64 {
            let failed = second.saturating_sub(60) * 5;
            let status = status(second, second * 20, failed, 100);
            work.round(at(second), &target(), [("a", &status)].into_iter());
            match second {
                3 => assert_eq!(work.failed_permille(), None),
                50 => assert_eq!(work.failed_permille(), Some(0)),
                _ => {}
            }
        }
        assert_eq!(work.failed_permille(), Some(250));
        // A restart is no failure, and no gift.
        let restarted = status(1, 10, 9, 100);
        work.round(at(120), &target(), [("a", &restarted)].into_iter());
        assert!(work.failed_permille() <= Some(250));
    }
}
