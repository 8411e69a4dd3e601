//! The machine a day ran on, for the report.

use super::report::Machine;
use super::script;
use super::timeline::{Timeline, local};

/// Describes this machine and the run; what cannot be read is empty or 0.
pub fn describe(timeline: &Timeline, history: &str, seed: u64) -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let memory_kib = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .unwrap_or(0_u64);
    Machine {
        started_at: local(timeline.instant(0.0)),
        duration_s: script::END_S,
        cpus: std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u32),
        memory_mib: memory_kib / 1024,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        history: history.to_owned(),
        seed,
    }
}
