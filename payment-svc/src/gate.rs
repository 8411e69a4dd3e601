//! Admission and degradation levels.
//!
//! Every request on the serving port asks the gate once, before anything is done for it. The
//! answer is a [`Permit`] or a [`Refusal`] and costs some atomic reads.
//! What the gate decides by is set ten times a second by a loop on the control thread
//! ([`Gate::tick`]): queueing delay of the serving runtime, CPU against the container's quota,
//! completions, and the operator's policy.
//! Invariant: at any moment, if a class is refused by the cursor, every less important one is too.
//! Invariant: without an operator the gate works; with one, it may only be stricter than the
//! operator's floor, unless a person pinned the level.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use floodgate_contract::{Class, Level, ShedReason};

use self::arrivals::{Knocks, POSITIONS, SUB_LEVELS};
use self::control_loop::Loop;
use self::probe::Lateness;
use self::quota::Quota;
use self::seen::Seen;
use crate::metrics::Metrics;

mod admission;
mod arrivals;
mod ask;
mod clock;
mod control_loop;
mod cpu;
mod ladder;
mod lease;
mod level;
mod meter;
mod permit;
mod probe;
mod quota;
mod refusal;
mod seen;

pub use self::ask::{Ask, fingerprint};
pub use self::clock::{Clock, ClockHand};
pub use self::control_loop::GateStatus;
pub use self::cpu::CpuLimit;
pub use self::lease::PolicyError;
pub use self::level::LevelWatch;
pub use self::permit::Permit;
pub use self::refusal::{LEVEL_HEADER, Refusal, SHED_REASON_HEADER};

/// Share of the limit on requests in work that each class may fill, permille: a burst shorter than
/// a tick is refused in the order of classes too.
const LIMIT_SHARE_PERMILLE: [u32; 4] = [1_000, 950, 850, 750];

/// What the gate has to know about its surroundings.
#[derive(Clone, Debug)]
pub struct GateConfig {
    /// CPU the process may use.
    pub cpu: CpuLimit,
    /// Queueing delay to hold under overload on a CPU that is not throttled.
    pub queue_target: Duration,
}

impl Default for GateConfig {
    /// Reads the container's quota; 10 ms of queueing is a thirtieth of a payment's 300 ms.
    fn default() -> Self {
        Self {
            cpu: CpuLimit::read(),
            queue_target: Duration::from_millis(10),
        }
    }
}

/// What requests read and write: plain atomics, no lock.
#[derive(Debug)]
struct Hot {
    cursor: AtomicU32,
    limit: AtomicU32,
    in_flight: AtomicU32,
    /// Classes from this index on are switched off by the operator.
    off_from: AtomicU8,
    /// Probability of refusing the lowest class, of 2^32.
    ramp: AtomicU32,
    salt: AtomicU64,
    typical_us: AtomicU64,
    completions: AtomicU32,
    latency_us: AtomicU64,
    store_wait_us: AtomicU64,
    store_waits: AtomicU32,
    writer_lost: AtomicBool,
}

/// The gate of one process.
pub struct Gate {
    clock: Clock,
    metrics: Arc<Metrics>,
    level: LevelWatch,
    hot: Hot,
    knocks: Knocks,
    lateness: Lateness,
    quotas: [Quota; 4],
    offered: Mutex<Seen>,
    recorded: Mutex<Seen>,
    control: Mutex<Loop>,
}

/// A lock whose holder cannot leave it half-changed; a panic elsewhere must not close the gate.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// An open gate.
    pub fn new(config: &GateConfig, metrics: Arc<Metrics>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            metrics,
            level: LevelWatch::default(),
            hot: Hot {
                cursor: AtomicU32::new(POSITIONS as u32),
                limit: AtomicU32::new(admission::LIMIT_OPEN),
                in_flight: AtomicU32::new(0),
                off_from: AtomicU8::new(4),
                ramp: AtomicU32::new(0),
                salt: AtomicU64::new(0),
                typical_us: AtomicU64::new(0),
                completions: AtomicU32::new(0),
                latency_us: AtomicU64::new(0),
                store_wait_us: AtomicU64::new(0),
                store_waits: AtomicU32::new(0),
                writer_lost: AtomicBool::new(false),
            },
            knocks: Knocks::default(),
            lateness: Lateness::default(),
            quotas: Default::default(),
            offered: Mutex::default(),
            recorded: Mutex::default(),
            control: Mutex::new(Loop::new(config)),
        })
    }

    /// Lets a request in or refuses it.
    pub fn admit(self: &Arc<Self>, ask: &Ask) -> Result<Permit, Refusal> {
        let now = self.clock.now();
        if self.first_time(now, ask) {
            self.metrics.offered(ask.class);
        }
        let position = self.position(ask);
        self.knocks.add(position);
        if let Some(reason) = self.decide(now, ask, position) {
            return Err(self.shed(ask, reason));
        }
        self.metrics.admitted(ask.class);
        Ok(Permit::new(Arc::clone(self), ask.class, now))
    }

    /// Counts and renders a refusal decided elsewhere, before any side effect.
    pub fn shed(&self, ask: &Ask, reason: ShedReason) -> Refusal {
        self.metrics.shed(ask.class, reason);
        let level = self.level.level();
        Refusal {
            class: ask.class,
            moves_money: ask.once.is_some(),
            reason,
            level,
            retry_after_s: Refusal::retry_after_s(level, rand::random()),
        }
    }

    /// Class of a creation with this fingerprint of payer and key: what is already recorded is only read back.
    pub fn class_of_create(&self, key: u64) -> Class {
        if locked(&self.recorded).contains(key) {
            Class::CriticalPlus
        } else {
            Class::Critical
        }
    }

    /// Notes that a key is recorded in the store.
    pub fn mark_recorded(&self, key: u64) {
        locked(&self.recorded).insert(self.clock.now(), key);
    }

    /// Time a payment waited for the store beyond the commit that was under way when it came.
    pub fn store_wait(&self, waited: Duration) {
        let waited_us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.hot
            .store_wait_us
            .fetch_add(waited_us, Ordering::Relaxed);
        self.hot.store_waits.fetch_add(1, Ordering::Relaxed);
    }

    /// Says whether no shard takes writes any more.
    pub fn writer_lost(&self, lost: bool) {
        self.hot.writer_lost.store(lost, Ordering::Relaxed);
    }

    /// Level in force.
    pub fn level(&self) -> Level {
        self.level.level()
    }

    /// A view of the level for those who adapt to it.
    pub fn level_watch(&self) -> LevelWatch {
        self.level.clone()
    }

    /// Requests being worked on.
    pub fn in_flight(&self) -> u32 {
        self.hot.in_flight.load(Ordering::Relaxed)
    }

    fn first_time(&self, now: Duration, ask: &Ask) -> bool {
        let new_key = ask
            .once
            .is_none_or(|key| locked(&self.offered).insert(now, key));
        new_key && ask.attempt <= 1
    }

    fn position(&self, ask: &Ask) -> u32 {
        let salted = ask.sub_key ^ self.hot.salt.load(Ordering::Relaxed);
        // Fibonacci hashing spreads what the salt changed over the upper bits.
        let mixed = salted.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57;
        (ask.class.index() * SUB_LEVELS) as u32 + mixed as u32
    }

    fn decide(&self, now: Duration, ask: &Ask, position: u32) -> Option<ShedReason> {
        let hot = &self.hot;
        let class = ask.class.index();
        if class >= usize::from(hot.off_from.load(Ordering::Relaxed)) {
            return Some(ShedReason::Class);
        }
        if let Some(left) = ask.deadline {
            let typical_us = hot.typical_us.load(Ordering::Relaxed);
            if left.is_zero() || left < Duration::from_micros(typical_us / 2) {
                return Some(ShedReason::Deadline);
            }
        }
        let cursor = hot.cursor.load(Ordering::Relaxed);
        if position >= cursor {
            return Some(ShedReason::Queue);
        }
        let ramp = hot.ramp.load(Ordering::Relaxed);
        if ramp > 0 && ask.class == Class::Sheddable && rand::random::<u32>() < ramp {
            return Some(ShedReason::Ramp);
        }
        if !self.quotas[class].take(now) {
            return Some(ShedReason::Quota);
        }
        let limit = hot.limit.load(Ordering::Relaxed) * LIMIT_SHARE_PERMILLE[class] / 1_000;
        if hot.in_flight.fetch_add(1, Ordering::Relaxed) >= limit {
            hot.in_flight.fetch_sub(1, Ordering::Relaxed);
            return Some(ShedReason::InFlight);
        }
        None
    }
}

#[cfg(test)]
mod tests;
