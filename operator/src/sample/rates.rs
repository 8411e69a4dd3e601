//! Offered load from the pods' own cumulative counters. Pure.
//!
//! Counters only grow, so a pod that stays silent for a round loses nothing: what it counted
//! meanwhile arrives with its next answer.
//! Invariant: a rate is given only between two rounds in which every Ready pod answered; a partial
//! sum is a lower bound and never passes for the load.

use std::collections::{HashMap, HashSet, VecDeque};

use floodgate_planner::intake::PodRates;
use jiff::Timestamp;

use crate::clock::seconds_between;

/// Seconds a burst is measured over; it may only raise.
const BURST_S: f64 = 6.0;
/// Seconds one value of the last minute is measured over: of 40 requests/s that arrive at random,
/// ten seconds show the rate to within a twentieth.
const SMOOTH_S: f64 = 10.0;
/// Seconds whose maximum counts.
const MEMORY_S: f64 = 60.0;
/// Rounds kept: one a second over memory and smoothing, and some more for jitter.
const ROUNDS_MAX: usize = 128;

/// What a pod said of its counter.
#[derive(Clone, Debug)]
pub struct Counted<'a> {
    pub uid: &'a str,
    /// Milliseconds since its process started.
    pub uptime_ms: u64,
    /// Requests offered since then.
    pub offered: u64,
}

/// Sums the counters of all pods into one that never goes back.
#[derive(Debug, Default)]
pub struct OfferedBook {
    last: HashMap<String, (u64, u64)>,
    total: u64,
    rounds: VecDeque<(Timestamp, u64)>,
    newest: Option<Timestamp>,
}

impl OfferedBook {
    /// Takes one round of answers; `complete` when every Ready pod is among them.
    pub fn round(&mut self, at: Timestamp, answers: &[Counted<'_>], complete: bool) {
        let since_last_ms = self
            .newest
            .map(|last| seconds_between(last, at).max(0.0) * 1_000.0);
        for answer in answers {
            self.total = self.total.saturating_add(self.grown(answer, since_last_ms));
            self.last
                .insert(answer.uid.to_owned(), (answer.uptime_ms, answer.offered));
        }
        self.newest = Some(at);
        if complete {
            self.rounds.push_back((at, self.total));
        }
        let too_old =
            |round: &(Timestamp, u64)| seconds_between(round.0, at) > MEMORY_S + SMOOTH_S + 5.0;
        while self.rounds.len() > ROUNDS_MAX || self.rounds.front().is_some_and(too_old) {
            self.rounds.pop_front();
        }
    }

    /// Forgets pods that are gone.
    pub fn retain(&mut self, living: &HashSet<&str>) {
        self.last.retain(|uid, _| living.contains(uid.as_str()));
    }

    /// How much a pod's counter grew since it was last heard.
    fn grown(&self, answer: &Counted<'_>, since_last_ms: Option<f64>) -> u64 {
        match self.last.get(answer.uid) {
            Some((uptime_ms, offered)) if answer.uptime_ms >= *uptime_ms => {
                answer.offered.saturating_sub(*offered)
            }
            // Restarted: the counter began at zero again (F08).
            Some(_) => answer.offered,
            // Started since the last round: all it counted is new. An older pod that was never
            // heard before only sets its mark.
            None if since_last_ms.is_some_and(|ms| answer.uptime_ms as f64 <= ms + 2_000.0) => {
                answer.offered
            }
            None => 0,
        }
    }

    /// The rates as of the newest complete round; none until rounds span long enough.
    pub fn rates(&self) -> Option<PodRates> {
        let (at, _) = *self.rounds.back()?;
        let minute_max_rps = self
            .rounds
            .iter()
            .enumerate()
            .filter(|(_, round)| seconds_between(round.0, at) <= MEMORY_S)
            .filter_map(|(index, _)| self.rate_before(index, SMOOTH_S))
            .reduce(f64::max)?;
        let burst_rps = self.rate_before(self.rounds.len() - 1, BURST_S);
        Some(PodRates {
            at: at.into(),
            minute_max_rps,
            burst_rps,
        })
    }

    /// Rate over about `window_s` before a round; none when the rounds before it are too near.
    fn rate_before(&self, index: usize, window_s: f64) -> Option<f64> {
        let (until, total) = *self.rounds.get(index)?;
        let (from, before) = *self
            .rounds
            .iter()
            .take(index)
            .rev()
            .find(|round| seconds_between(round.0, until) >= window_s - 0.5)?;
        let span_s = seconds_between(from, until);
        (span_s > 0.0).then(|| total.saturating_sub(before) as f64 / span_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    fn counted(uid: &str, uptime_s: i64, offered: u64) -> Counted<'_> {
        Counted {
            uid,
            uptime_ms: u64::try_from(uptime_s * 1_000).unwrap(),
            offered,
        }
    }

    fn steady(book: &mut OfferedBook, seconds: std::ops::Range<i64>, rps: u64) {
        for second in seconds {
            let offered = u64::try_from(second).unwrap() * rps;
            book.round(at(second), &[counted("a", 500 + second, offered)], true);
        }
    }

    #[test]
    fn a_steady_load_is_measured_as_it_is() {
        let mut book = OfferedBook::default();
        steady(&mut book, 0..30, 40);
        let rates = book.rates().unwrap();
        assert!((rates.minute_max_rps - 40.0).abs() < 1e-9);
        assert!((rates.burst_rps.unwrap() - 40.0).abs() < 1e-9);
    }

    #[test]
    fn f08_a_restart_makes_neither_spike_nor_dip() {
        let mut book = OfferedBook::default();
        steady(&mut book, 0..20, 40);
        for second in 20..40 {
            let offered = u64::try_from(second - 20).unwrap() * 40 + 40;
            book.round(at(second), &[counted("a", second - 19, offered)], true);
        }
        let rates = book.rates().unwrap();
        assert!((rates.minute_max_rps - 40.0).abs() < 1e-9);
        assert!((rates.burst_rps.unwrap() - 40.0).abs() < 1e-9);
    }

    #[test]
    fn what_a_silent_pod_counted_comes_with_its_next_answer() {
        let mut book = OfferedBook::default();
        steady(&mut book, 0..20, 40);
        for second in 20..24 {
            book.round(at(second), &[], false);
        }
        assert_eq!(
            book.rates().unwrap().at,
            at(19).into(),
            "an incomplete round is no round"
        );
        steady(&mut book, 24..30, 40);
        assert!((book.rates().unwrap().minute_max_rps - 40.0).abs() < 1e-9);
    }

    #[test]
    fn an_operator_that_just_started_takes_old_counters_as_a_mark_only() {
        let mut book = OfferedBook::default();
        book.round(at(0), &[counted("a", 5_000, 1_000_000)], true);
        assert_eq!(book.rates(), None);
        for second in 1..20 {
            let offered = 1_000_000 + u64::try_from(second).unwrap() * 7;
            book.round(at(second), &[counted("a", 5_000 + second, offered)], true);
        }
        assert!((book.rates().unwrap().minute_max_rps - 7.0).abs() < 1e-9);
    }
}
