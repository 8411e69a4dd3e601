//! CPU and memory of the process over time, against its limits.

use std::time::Duration;

use super::cpu::{CpuLimit, memory_share, used};

/// Time between readings of the memory.
const MEMORY_INTERVAL: Duration = Duration::from_secs(1);
/// Fewer answers in a second than this say nothing about what one costs.
const SERVED_LEAST_RPS: f64 = 10.0;

/// What was read so far.
#[derive(Debug)]
pub(super) struct Meter {
    limit: CpuLimit,
    cpu_used: Duration,
    cpu_share: f64,
    cost_s: f64,
    shed_rps: f64,
    shed_seen: u64,
    memory_share: f64,
    memory_read_at: Option<Duration>,
}

impl Meter {
    /// Starts to count now.
    pub(super) fn new(limit: CpuLimit) -> Self {
        Self {
            limit,
            cpu_used: used(),
            cpu_share: 0.0,
            cost_s: 0.0,
            shed_rps: 0.0,
            shed_seen: 0,
            memory_share: 0.0,
            memory_read_at: None,
        }
    }

    /// CPU used as a share of the limit, smoothed.
    pub(super) fn cpu_share(&self) -> f64 {
        self.cpu_share
    }

    /// Resident memory over its limit.
    pub(super) fn memory_share(&self) -> f64 {
        self.memory_share
    }

    /// Smooths the CPU share over some periods; returns the share of this window alone.
    pub(super) fn read_cpu(&mut self, dt: Duration) -> f64 {
        let used = used();
        let spent = used.saturating_sub(self.cpu_used);
        self.cpu_used = used;
        let dt_s = dt.as_secs_f64().max(1e-3);
        let share = spent.as_secs_f64() / (dt_s * self.limit.cores);
        let memory_s = if self.limit.period.is_zero() {
            0.3
        } else {
            1.0
        };
        let keep = (-dt_s / memory_s).exp();
        self.cpu_share = self.cpu_share * keep + share * (1.0 - keep);
        share
    }

    /// Reads the memory, now and then.
    pub(super) fn read_memory(&mut self, now: Duration) {
        if self
            .memory_read_at
            .is_some_and(|at| now < at + MEMORY_INTERVAL)
        {
            return;
        }
        self.memory_read_at = Some(now);
        self.memory_share = memory_share();
    }

    /// CPU share if what was refused had been served.
    pub(super) fn cpu_demand(&mut self, dt: Duration, completions: u32, shed: u64) -> f64 {
        let dt_s = dt.as_secs_f64().max(1e-3);
        let keep = (-dt_s).exp();
        let shed_rps = shed.saturating_sub(self.shed_seen) as f64 / dt_s;
        self.shed_seen = shed;
        self.shed_rps = self.shed_rps * keep + shed_rps * (1.0 - keep);
        let served_rps = f64::from(completions) / dt_s;
        if served_rps >= SERVED_LEAST_RPS {
            let cost_s = self.cpu_share * self.limit.cores / served_rps;
            self.cost_s = if self.cost_s > 0.0 {
                self.cost_s * keep + cost_s * (1.0 - keep)
            } else {
                cost_s
            };
        }
        self.cpu_share + self.shed_rps * self.cost_s / self.limit.cores
    }
}
