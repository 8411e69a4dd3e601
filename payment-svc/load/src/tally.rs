//! Counts and histograms of a run, by phase, class and second.

use std::collections::BTreeMap;
use std::time::Duration;

use floodgate_contract::Class;
use hdrhistogram::Histogram;
use jiff::Timestamp;

use crate::plan::Phase;
use crate::report::{Counts, PhaseSummary, SecondLine};

/// Longest latency that is resolved: three attempts and two waits of the longest deadline.
const LATENCY_US_MAX: u64 = 300_000_000;
/// Distinct error codes that are kept; a service has far fewer.
const CODES_MAX: usize = 64;

/// How an intent ended, as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Acked {
        latency: Duration,
        attempt: Duration,
    },
    Shed,
    Failed {
        code: String,
    },
    Unknown {
        code: String,
    },
}

/// Latencies in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self(histogram.expect("the bounds are constants that the histogram takes"))
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        self.0
            .saturating_record(latency.as_micros().try_into().unwrap_or(LATENCY_US_MAX));
    }

    /// A quantile in milliseconds; none when nothing was recorded.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let micros = self.0.value_at_quantile(quantile);
        (!self.0.is_empty()).then(|| micros as f64 / 1000.0)
    }
}

/// Everything counted over some stretch of time.
#[derive(Clone, Debug)]
struct Stretch {
    classes: [Counts; 4],
    latency: Latencies,
    attempt: Latencies,
}

impl Stretch {
    fn new() -> Self {
        Self {
            classes: Default::default(),
            latency: Latencies::new(),
            attempt: Latencies::new(),
        }
    }

    fn clear(&mut self) {
        self.classes = Default::default();
        self.latency.0.reset();
        self.attempt.0.reset();
    }

    fn end(&mut self, class: Class, outcome: &Outcome) {
        let counts = &mut self.classes[class.index()];
        match outcome {
            Outcome::Acked { latency, attempt } => {
                counts.acked += 1;
                self.latency.add(*latency);
                self.attempt.add(*attempt);
            }
            Outcome::Shed => counts.shed += 1,
            Outcome::Failed { .. } => counts.failed += 1,
            Outcome::Unknown { .. } => counts.unknown += 1,
        }
    }

    fn sum(&self, classes: &[Class]) -> Counts {
        let mut sum = Counts::default();
        for class in classes {
            let Counts {
                offered,
                acked,
                shed,
                failed,
                unknown,
            } = self.classes[class.index()];
            sum.offered += offered;
            sum.acked += acked;
            sum.shed += shed;
            sum.failed += failed;
            sum.unknown += unknown;
        }
        sum
    }

    fn critical(&self) -> Counts {
        self.sum(&[Class::CriticalPlus, Class::Critical])
    }

    fn summary(&self, phase: &Phase, end_s: f64) -> PhaseSummary {
        let counts = self.sum(&Class::ALL);
        let critical = self.critical();
        let to_s = phase.to_s.min(end_s).max(phase.from_s);
        let span_s = (to_s - phase.from_s).max(f64::MIN_POSITIVE);
        let by_class = |class: Class| (class.as_str().to_owned(), self.classes[class.index()]);
        PhaseSummary {
            name: phase.name.clone(),
            from_s: phase.from_s,
            to_s,
            counts,
            success_ratio_critical: (critical.offered > 0)
                .then(|| critical.acked as f64 / critical.offered as f64),
            p50_ms: self.latency.quantile_ms(0.5),
            p99_ms: self.latency.quantile_ms(0.99),
            p999_ms: self.latency.quantile_ms(0.999),
            attempt_p99_ms: self.attempt.quantile_ms(0.99),
            goodput_rps: if counts.acked == 0 {
                0.0
            } else {
                counts.acked as f64 / span_s
            },
            classes: Class::ALL.into_iter().map(by_class).collect(),
        }
    }
}

/// All counts of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    phases: Vec<(Phase, Stretch)>,
    total: Stretch,
    second: Stretch,
    second_retries: u64,
    pub retries: u64,
    pub retries_withheld: u64,
    pub refusals_without_retry_after: u64,
    pub client_overruns: u64,
    pub errors: BTreeMap<String, u64>,
    in_flight: u64,
}

impl Tally {
    pub(crate) fn new(phases: &[Phase]) -> Self {
        Self {
            phases: phases
                .iter()
                .map(|phase| (phase.clone(), Stretch::new()))
                .collect(),
            total: Stretch::new(),
            second: Stretch::new(),
            second_retries: 0,
            retries: 0,
            retries_withheld: 0,
            refusals_without_retry_after: 0,
            client_overruns: 0,
            errors: BTreeMap::new(),
            in_flight: 0,
        }
    }

    /// An intent is sent; `at` is its intended time.
    pub(crate) fn begin(&mut self, at: Duration, class: Class) {
        self.in_flight += 1;
        self.each(at, |stretch| stretch.classes[class.index()].offered += 1);
    }

    /// An intent has ended; `at` is its intended time.
    pub(crate) fn end(&mut self, at: Duration, class: Class, outcome: &Outcome) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.each(at, |stretch| stretch.end(class, outcome));
        if let Outcome::Failed { code } | Outcome::Unknown { code } = outcome {
            let full = self.errors.len() >= CODES_MAX && !self.errors.contains_key(code);
            let code = if full { "other" } else { code.as_str() };
            *self.errors.entry(code.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn retry(&mut self) {
        self.retries += 1;
        self.second_retries += 1;
    }

    /// The counts since the last call, as the line of second `t_s`.
    pub(crate) fn take_second(&mut self, t_s: i64, time: Timestamp) -> SecondLine {
        let critical = self.second.critical();
        let line = SecondLine {
            t_s,
            time,
            counts: self.second.sum(&Class::ALL),
            retries: std::mem::take(&mut self.second_retries),
            in_flight: self.in_flight,
            p50_ms: self.second.latency.quantile_ms(0.5),
            p99_ms: self.second.latency.quantile_ms(0.99),
            critical_offered: critical.offered,
            critical_acked: critical.acked,
        };
        self.second.clear();
        line
    }

    /// The phases and the whole run, which ended at `end_s`.
    pub(crate) fn summaries(&self, end_s: f64) -> (PhaseSummary, Vec<PhaseSummary>) {
        let whole = Phase {
            name: "total".to_owned(),
            from_s: 0.0,
            to_s: end_s,
        };
        let phases = self
            .phases
            .iter()
            .map(|(phase, stretch)| stretch.summary(phase, end_s));
        (self.total.summary(&whole, end_s), phases.collect())
    }

    fn each(&mut self, at: Duration, mut change: impl FnMut(&mut Stretch)) {
        let at_s = at.as_secs_f64();
        let inside = |phase: &Phase| (phase.from_s..phase.to_s).contains(&at_s);
        if let Some((_, stretch)) = self.phases.iter_mut().find(|(phase, _)| inside(phase)) {
            change(stretch);
        }
        change(&mut self.total);
        change(&mut self.second);
    }
}

#[cfg(test)]
mod tests;
