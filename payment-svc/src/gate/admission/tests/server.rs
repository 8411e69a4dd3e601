//! A server in virtual time: one thread with a CPU quota, a queue, a gate in front of the work.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::super::LIMIT_SHARE_PERMILLE;
use super::super::super::arrivals::{POSITIONS, SUB_LEVELS};
use super::super::super::probe::Lateness;
use super::super::{Admission, LIMIT_OPEN, Setting, Window};

const PROBE_NS: u64 = 10_000_000;
const PROBE_COST_NS: u64 = 6_000;
/// Time between the moments at which the machine does something else.
const STEAL_NS: u64 = 1_030_000_000;
/// Time after which an answer is no use.
const USEFUL_NS: u64 = 1_000_000_000;
/// Percent of requests of each class.
const MIX: [u32; 4] = [5, 35, 30, 30];

/// The server and its controller's settings.
pub(super) struct Server {
    pub quota: Duration,
    pub period: Duration,
    pub target: Duration,
    pub tick: Duration,
    pub request: Duration,
    pub refusal: Duration,
    pub store: Duration,
    /// Time for which the machine runs something else, once a second.
    pub stolen: Duration,
    pub seed: u64,
}

/// A rate held for a time.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub rps: f64,
    pub for_s: f64,
}

/// What came of the last but first loads, two seconds after each step left out.
#[derive(Default)]
pub(super) struct Report {
    sent: [u64; 4],
    good: [u64; 4],
    refused: u64,
    refused_at_s: Vec<f64>,
    counted_s: f64,
    end_s: f64,
    max_latency_ms: u64,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (share, longest_ms) = (self.class_success(), self.max_latency_ms);
        write!(
            f,
            "refused {} in time {share:.3?} longest {longest_ms} ms",
            self.refused
        )
    }
}

impl Report {
    pub(super) fn good_rps(&self) -> f64 {
        self.good.iter().sum::<u64>() as f64 / self.counted_s
    }

    pub(super) fn refused_share(&self) -> f64 {
        self.refused as f64 / self.sent.iter().sum::<u64>() as f64
    }

    pub(super) fn class_success(&self) -> [f64; 4] {
        std::array::from_fn(|class| self.good[class] as f64 / self.sent[class] as f64)
    }

    pub(super) fn refused_in_last_s(&self, last_s: f64) -> usize {
        let late = self
            .refused_at_s
            .iter()
            .filter(|at| **at > self.end_s - last_s);
        late.count()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival { position: u32, counted: bool },
    StoreAnswered { request: usize },
    ProbeDue,
    Stolen,
    Tick,
}

#[derive(Clone, Copy)]
struct Request {
    came_ns: u64,
    entered_ns: u64,
    class: usize,
    counted: bool,
}

enum Work {
    Enter {
        came_ns: u64,
        position: u32,
        counted: bool,
    },
    Finish {
        request: usize,
    },
    Probe {
        due_ns: u64,
    },
}

/// The quota: work runs until it is used up, then pauses to the end of the period.
struct Throttle {
    quota_ns: u64,
    period_ns: u64,
    period: u64,
    left_ns: u64,
    used_ns: u64,
}

impl Throttle {
    /// Runs `cost_ns` of work from `now_ns`; returns when it is done.
    fn run(&mut self, mut now_ns: u64, mut cost_ns: u64) -> u64 {
        self.used_ns += cost_ns;
        loop {
            if now_ns / self.period_ns != self.period {
                self.period = now_ns / self.period_ns;
                self.left_ns = self.quota_ns;
            }
            let slice = cost_ns.min(self.left_ns);
            self.left_ns -= slice;
            cost_ns -= slice;
            now_ns += slice;
            if cost_ns == 0 {
                return now_ns;
            }
            now_ns = (self.period + 1) * self.period_ns;
        }
    }
}

struct Run<'a> {
    server: &'a Server,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    queue: VecDeque<Work>,
    requests: Vec<Request>,
    throttle: Throttle,
    free_ns: u64,
    lateness: Lateness,
    admission: Admission,
    setting: Setting,
    counts: Vec<u32>,
    in_flight: u32,
    completions: u32,
    latency_ns: u64,
    report: Report,
    used_at_tick_ns: u64,
    ticked_ns: u64,
}

impl Server {
    /// Runs the loads one after the other.
    pub(super) fn run(&self, loads: &[Load]) -> Report {
        let nanos = |time: Duration| time.as_nanos() as u64;
        let mut run = Run {
            server: self,
            events: BinaryHeap::new(),
            queue: VecDeque::new(),
            requests: Vec::new(),
            throttle: Throttle {
                quota_ns: nanos(self.quota),
                period_ns: nanos(self.period),
                period: u64::MAX,
                left_ns: 0,
                used_ns: 0,
            },
            free_ns: 0,
            lateness: Lateness::default(),
            admission: Admission::new(self.target, self.throttled_period()),
            setting: Setting {
                cursor: POSITIONS as u32,
                limit: LIMIT_OPEN,
                queue_ratio: 0.0,
            },
            counts: vec![0; POSITIONS],
            in_flight: 0,
            completions: 0,
            latency_ns: 0,
            report: Report::default(),
            used_at_tick_ns: 0,
            ticked_ns: 0,
        };
        let end_ns = self.arrivals(loads, &mut run);
        for at_ns in (PROBE_NS..end_ns).step_by(nanos(self.tick) as usize) {
            run.events.push(Reverse((at_ns, Event::Tick)));
        }
        for at_ns in (STEAL_NS..end_ns).step_by(STEAL_NS as usize) {
            run.events.push(Reverse((at_ns, Event::Stolen)));
        }
        run.events.push(Reverse((PROBE_NS, Event::ProbeDue)));
        run.to(end_ns);
        run.report.end_s = end_ns as f64 / 1e9;
        run.report
    }

    fn throttled_period(&self) -> Duration {
        if self.quota == self.period {
            Duration::ZERO
        } else {
            self.period
        }
    }

    fn arrivals(&self, loads: &[Load], run: &mut Run<'_>) -> u64 {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut from_s = 0.0;
        for (index, load) in loads.iter().enumerate() {
            let mut at_s = from_s;
            loop {
                at_s += -random.random_range(f64::EPSILON..1.0f64).ln() / load.rps;
                if at_s > from_s + load.for_s {
                    break;
                }
                let mut pick = random.random_range(0..100);
                let mut class = 0;
                while pick >= MIX[class] {
                    pick -= MIX[class];
                    class += 1;
                }
                let sub = random.random_range(0..SUB_LEVELS);
                let position = (class * SUB_LEVELS + sub) as u32;
                let counted = index > 0 && at_s > from_s + 2.0;
                let event = Event::Arrival { position, counted };
                run.events.push(Reverse(((at_s * 1e9) as u64, event)));
            }
            run.report.counted_s += if index > 0 { load.for_s - 2.0 } else { 0.0 };
            from_s += load.for_s;
        }
        (from_s * 1e9) as u64
    }
}

impl Run<'_> {
    fn to(&mut self, end_ns: u64) {
        while let Some(Reverse((at_ns, event))) = self.events.pop() {
            if at_ns > end_ns {
                return;
            }
            self.work_until(at_ns);
            match event {
                Event::Arrival { position, counted } => self.queue.push_back(Work::Enter {
                    came_ns: at_ns,
                    position,
                    counted,
                }),
                Event::StoreAnswered { request } => {
                    self.queue.push_back(Work::Finish { request });
                }
                Event::ProbeDue => self.queue.push_back(Work::Probe { due_ns: at_ns }),
                Event::Stolen => self.free_ns += self.server.stolen.as_nanos() as u64,
                Event::Tick => self.tick(at_ns),
            }
        }
    }

    fn work_until(&mut self, now_ns: u64) {
        while self.free_ns < now_ns {
            let Some(work) = self.queue.pop_front() else {
                self.free_ns = now_ns;
                return;
            };
            self.work(&work);
        }
    }

    fn work(&mut self, work: &Work) {
        let nanos = |time: Duration| time.as_nanos() as u64;
        match *work {
            Work::Enter {
                came_ns,
                position,
                counted,
            } => {
                let class = position as usize / SUB_LEVELS;
                self.counts[position as usize] += 1;
                self.report.sent[class] += u64::from(counted);
                let limit = self.setting.limit * LIMIT_SHARE_PERMILLE[class] / 1_000;
                if position >= self.setting.cursor || self.in_flight >= limit {
                    self.free_ns = self.throttle.run(self.free_ns, nanos(self.server.refusal));
                    self.report.refused += u64::from(counted);
                    self.report.refused_at_s.push(self.free_ns as f64 / 1e9);
                    return;
                }
                self.in_flight += 1;
                let entered_ns = self.free_ns;
                self.free_ns = self
                    .throttle
                    .run(self.free_ns, nanos(self.server.request) / 2);
                self.requests.push(Request {
                    came_ns,
                    entered_ns,
                    class,
                    counted,
                });
                let request = self.requests.len() - 1;
                let at_ns = self.free_ns + nanos(self.server.store);
                self.events
                    .push(Reverse((at_ns, Event::StoreAnswered { request })));
            }
            Work::Finish { request } => {
                self.free_ns = self
                    .throttle
                    .run(self.free_ns, nanos(self.server.request) / 2);
                let Request {
                    came_ns,
                    entered_ns,
                    class,
                    counted,
                } = self.requests[request];
                self.in_flight -= 1;
                self.completions += 1;
                self.latency_ns += self.free_ns - entered_ns;
                let took_ns = self.free_ns - came_ns;
                if counted {
                    self.report.max_latency_ms =
                        self.report.max_latency_ms.max(took_ns / 1_000_000);
                    self.report.good[class] += u64::from(took_ns <= USEFUL_NS);
                }
            }
            Work::Probe { due_ns } => {
                self.free_ns = self.throttle.run(self.free_ns, PROBE_COST_NS);
                let now = Duration::from_nanos(self.free_ns);
                let next_ns = self.free_ns + PROBE_NS;
                self.lateness.woken(
                    Duration::from_nanos(due_ns),
                    now,
                    Duration::from_nanos(next_ns),
                );
                self.events.push(Reverse((next_ns, Event::ProbeDue)));
            }
        }
    }

    fn tick(&mut self, now_ns: u64) {
        let dt = Duration::from_nanos(now_ns - self.ticked_ns);
        let used_ns = self.throttle.used_ns - self.used_at_tick_ns;
        self.ticked_ns = now_ns;
        self.used_at_tick_ns = self.throttle.used_ns;
        let cores = self.server.quota.as_secs_f64() / self.server.period.as_secs_f64();
        self.setting = self.admission.tick(&Window {
            dt,
            wait: self.lateness.take(Duration::from_nanos(now_ns), dt),
            store_ratio: 0.0,
            completions: std::mem::take(&mut self.completions),
            latency: Duration::from_nanos(std::mem::take(&mut self.latency_ns)),
            in_flight: self.in_flight,
            cpu_share: used_ns as f64 / 1e9 / (dt.as_secs_f64() * cores),
            arrivals: &self.counts,
        });
        self.counts.fill(0);
    }
}
