//! The loop behind the gate: reads the signals, moves cursor and level, minds the lease.
//!
//! It runs on the control thread, so that it goes on when the serving runtime is stuck, and it
//! takes whatever time has passed since its last run: under a CPU quota it is throttled too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use floodgate_contract::{Class, Level, Policy, PolicyAck};

use super::admission::{Admission, Setting, Window};
use super::ladder::{Ladder, Signals};
use super::lease::{Lease, PolicyError};
use super::meter::Meter;
use super::{Gate, GateConfig, locked};

/// Time between ticks on a CPU without quota; as many requests as make a mean.
const TICK: Duration = Duration::from_millis(100);
/// Time between wake-ups of the probe; a hundred a second cost about 0.5 % of 100m.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);
/// Wait in the store, beyond the commit under way, that means it is the bottleneck.
const STORE_WAIT_TARGET: Duration = Duration::from_millis(25);
/// CPU share from which the lowest class is thinned out, and the width of the ramp. It begins where
/// the CPU ends: from 0.85 on, a pod at nine tenths of its capacity refused four tenths of the
/// lowest class for nothing, because the share of a throttled pod swings from period to period.
const RAMP_FROM: f64 = 0.95;
const RAMP_WIDTH: f64 = 0.20;
/// The cursor is at its floor and the delay is this many targets: the gate does not hold.
const LOST_RATIO: f64 = 5.0;

/// Share of the memory limit below which a pod in Survive takes new payments again; that of the
/// ladder's own rule for staying there.
const MEMORY_HOPELESS: f64 = 0.85;

/// What the loop keeps between ticks.
#[derive(Debug)]
pub(super) struct Loop {
    config: GateConfig,
    admission: Admission,
    store_target: Duration,
    ladder: Ladder,
    pub(super) lease: Lease,
    serving: bool,
    ticked_at: Duration,
    meter: Meter,
    status: GateStatus,
}

/// What the last tick saw, for the control status.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateStatus {
    /// Level in force.
    pub level: Level,
    /// What raised it.
    pub trigger: &'static str,
    /// Version of the policy in force, 0 if none.
    pub policy_version: u64,
    /// Mean queueing delay.
    pub queue_delay: Duration,
    /// CPU used as a share of the limit, smoothed.
    pub cpu_share: f64,
    /// Positions below this one are let in; 512 when all are.
    pub cursor: u32,
}

impl Loop {
    pub(super) fn new(config: &GateConfig) -> Self {
        // Throttling makes everybody wait, also below capacity, and stretches every wait that is
        // timed across it. Only what is beyond is a queue.
        let throttled = config.cpu.throttle_wait().mul_f64(1.1);
        let target = config.queue_target + throttled;
        Self {
            config: config.clone(),
            admission: Admission::new(target, config.cpu.period),
            store_target: STORE_WAIT_TARGET + throttled,
            ladder: Ladder::default(),
            lease: Lease::default(),
            serving: false,
            ticked_at: Duration::ZERO,
            meter: Meter::new(config.cpu),
            status: GateStatus::default(),
        }
    }
}

impl Gate {
    /// Time between ticks: two periods of the CPU quota, so that every tick sees whole ones.
    pub fn tick_interval(&self) -> Duration {
        TICK.max(2 * locked(&self.control).config.cpu.period)
    }

    /// Wakes up again and again on the runtime that serves, and notes how late. Runs until dropped.
    pub async fn probe(self: Arc<Self>) {
        let mut due = self.clock.now() + PROBE_INTERVAL;
        self.lateness.woken(due, due, due);
        loop {
            tokio::time::sleep(due.saturating_sub(self.clock.now())).await;
            let now = self.clock.now();
            let next = now + PROBE_INTERVAL;
            self.lateness.woken(due, now, next);
            due = next;
        }
    }

    /// Says that the pod is ready: before, its own work is no reason for a level.
    pub fn set_serving(&self, serving: bool) {
        locked(&self.control).serving = serving;
    }

    /// One turn of the loop.
    pub fn tick(&self) {
        let now = self.clock.now();
        let mut control = locked(&self.control);
        let control = &mut *control;
        let dt = now.saturating_sub(control.ticked_at);
        if dt.is_zero() {
            return;
        }
        control.ticked_at = now;
        let cpu_share = control.meter.read_cpu(dt);
        control.meter.read_memory(now);
        let wait = self.lateness.take(now, dt);
        let completions = self.hot.completions.swap(0, Ordering::Relaxed);
        let store_ratio = self.store_ratio(control.store_target);
        let arrivals = self.knocks.take();
        let setting = control.admission.tick(&Window {
            dt,
            wait,
            store_ratio,
            completions,
            latency: Duration::from_micros(self.hot.latency_us.swap(0, Ordering::Relaxed)),
            in_flight: self.in_flight(),
            cpu_share,
            arrivals: &arrivals,
        });
        let shed = self
            .metrics
            .class_counts()
            .iter()
            .map(|class| class.shed)
            .sum();
        let signals = Signals {
            cpu_share: control.meter.cpu_share(),
            cpu_demand: control.meter.cpu_demand(dt, completions, shed),
            queue_ratio: setting.queue_ratio,
            store_ratio,
            memory_share: control.meter.memory_share(),
            shed_from: setting.shed_from(),
            gate_lost: setting.at_floor() && setting.queue_ratio >= LOST_RATIO,
            writer_lost: self.hot.writer_lost.load(Ordering::Relaxed),
        };
        if control.serving {
            control.ladder.tick(now, &signals);
        }
        if control.lease.expire(now) {
            tracing::info!("policy lease ran out; the floor is Normal again");
        }
        control.status.queue_delay = wait;
        control.status.cpu_share = control.meter.cpu_share();
        control.status.cursor = setting.cursor;
        self.publish(now, control, setting);
        self.metrics.tick(
            control.status.level,
            wait,
            self.in_flight(),
            control.meter.cpu_share(),
        );
    }

    /// Takes a policy of the operator; in force before the answer is sent.
    pub fn put_policy(&self, policy: Policy) -> Result<PolicyAck, PolicyError> {
        let now = self.clock.now();
        let mut control = locked(&self.control);
        control.lease.put(now, policy)?;
        self.impose(&mut control);
        Ok(PolicyAck {
            version: control.status.policy_version,
            level: control.status.level,
        })
    }

    /// What the last tick saw.
    pub fn status(&self) -> GateStatus {
        locked(&self.control).status
    }

    /// Time since the gate was made, which is that of the process.
    pub fn uptime(&self) -> Duration {
        self.clock.now()
    }

    fn store_ratio(&self, target: Duration) -> f64 {
        let waits = self.hot.store_waits.swap(0, Ordering::Relaxed);
        let waited_us = self.hot.store_wait_us.swap(0, Ordering::Relaxed);
        if waits == 0 {
            return 0.0;
        }
        waited_us as f64 / f64::from(waits) / (target.as_micros() as f64)
    }

    fn publish(&self, now: Duration, control: &mut Loop, setting: Setting) {
        self.impose(control);
        let hot = &self.hot;
        hot.cursor.store(setting.cursor, Ordering::Relaxed);
        hot.limit.store(setting.limit, Ordering::Relaxed);
        // The cursor already refuses what is too much; thinning out as well would refuse it twice.
        let thin = setting.shed_from().is_none() && control.status.level >= Level::Guard;
        let ramp = if thin {
            ((control.meter.cpu_share() - RAMP_FROM) / RAMP_WIDTH).clamp(0.0, 1.0)
        } else {
            0.0
        };
        hot.ramp
            .store((ramp * f64::from(u32::MAX)) as u32, Ordering::Relaxed);
        let typical = control.admission.base_latency();
        hot.typical_us.store(
            u64::try_from(typical.as_micros()).unwrap_or(0),
            Ordering::Relaxed,
        );
        // Another hour, another order of the users within a class: nobody is always the victim.
        let hour = now.as_secs() / 3_600;
        hot.salt
            .store(hour.wrapping_mul(0xD6E8_FEB8_6659_FD93), Ordering::Relaxed);
    }

    /// Puts level, classes and quotas of the policy and of the pod's own ladder in force.
    fn impose(&self, control: &mut Loop) {
        let (own, own_trigger) = control.ladder.level();
        let (level, trigger) = control.lease.resolve(own, own_trigger);
        // A level the pod reached by itself describes what its cursor refuses already; turning
        // whole classes off on top would serve less than fits. Without store or memory, though,
        // a new payment could not be finished. Only while that holds: the level itself is left a
        // minute later, and to refuse that long what can be booked again would be an outage more.
        let hopeless = own == Level::Survive
            && trigger != "pin"
            && (self.hot.writer_lost.load(Ordering::Relaxed)
                || control.meter.memory_share() >= MEMORY_HOPELESS);
        let off_level = if hopeless {
            Level::Survive
        } else {
            control.lease.imposed()
        };
        self.hot
            .off_from
            .store(off_from(off_level), Ordering::Relaxed);
        for (quota, quota_rps) in self.quotas.iter().zip(control.lease.quotas_rps()) {
            quota.set(quota_rps);
        }
        if level != control.status.level {
            tracing::info!(from = %control.status.level, to = %level, trigger, "level changed");
        }
        control.status.level = level;
        control.status.trigger = trigger;
        control.status.policy_version = control.lease.version();
        self.level.set(level);
    }
}

/// Index of the first class a level turns off.
const fn off_from(level: Level) -> u8 {
    let first_off = match level {
        Level::Normal | Level::Guard => return Class::ALL.len() as u8,
        Level::Reduce => Class::Sheddable,
        Level::Protect => Class::SheddablePlus,
        Level::Survive => Class::Critical,
    };
    first_off.index() as u8
}
