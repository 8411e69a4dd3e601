//! How much CPU this process may use and how much it does use.
//!
//! The limit is the container's CFS quota (cgroup v1 or v2), not the machine: a share of the
//! machine would say 5 % in a pod that is throttled in every period.
//! What is used comes from the process clock, which is exact to nanoseconds; `/proc/self/stat`
//! counts in ticks of 10 ms, a whole period's quota of a pod with 100m.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU bandwidth of the process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuLimit {
    /// Cores the process may use on average; at most those of the machine.
    pub cores: f64,
    /// Period of the quota; zero when there is none.
    pub period: Duration,
    /// Cores the process may use at one moment.
    pub parallelism: f64,
}

impl CpuLimit {
    /// Reads the quota of the control group this process is in, and of those above it that can be
    /// seen; the least counts.
    pub fn read() -> Self {
        let parallelism = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
        let quota = controller_folders("cpu")
            .iter()
            .filter_map(|folder| quota_in(folder))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match quota {
            Some((cores, period)) if cores < parallelism => Self {
                cores,
                period,
                parallelism,
            },
            _ => Self {
                cores: parallelism,
                period: Duration::ZERO,
                parallelism,
            },
        }
    }

    /// Mean wait that throttling alone causes in a process which just uses up its quota: work that
    /// arrives while the process is paused for `gap` waits half of it.
    pub fn throttle_wait(&self) -> Duration {
        if self.period.is_zero() {
            return Duration::ZERO;
        }
        let period_s = self.period.as_secs_f64();
        let gap_s = period_s * (1.0 - self.cores / self.parallelism.min(2.0)).max(0.0);
        Duration::from_secs_f64(gap_s * gap_s / (2.0 * period_s))
    }
}

/// CPU time the process has used since it started.
pub(super) fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Resident memory over the container's memory limit, 0 when there is none.
pub(super) fn memory_share() -> f64 {
    let limit = controller_folders("memory")
        .iter()
        .filter_map(|folder| {
            number(&folder.join("memory.limit_in_bytes"))
                .or_else(|| number(&folder.join("memory.max")))
        })
        .fold(f64::INFINITY, f64::min);
    let resident_pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    match resident_pages {
        Some(pages) if limit.is_finite() => pages * rustix::param::page_size() as f64 / limit,
        _ => 0.0,
    }
}

/// Folders of the process's group for a controller, from its own up to the mount's root.
fn controller_folders(controller: &str) -> Vec<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    folders(controller, &groups, &mounts)
}

fn folders(controller: &str, groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in mounts.lines() {
        let Some(mount) = Mount::parse(line) else {
            continue;
        };
        let Some(group) = mount.group_path(controller, groups) else {
            continue;
        };
        // In a container the mount's root is the container's own group, so that the path of the
        // group, which is the host's, leads nowhere below the mount point.
        let inside = Path::new(group)
            .strip_prefix(mount.root)
            .unwrap_or(Path::new(""));
        for part in inside.ancestors() {
            found.push(Path::new(mount.point).join(part));
        }
    }
    found
}

struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let mut after = after.split(' ');
        Some(Self {
            root: before.next()?,
            point: before.next()?,
            kind: after.next()?,
            options: after.nth(1)?,
        })
    }

    /// Path of the process's group in this hierarchy, if the hierarchy has the controller.
    fn group_path<'g>(&self, controller: &str, groups: &'g str) -> Option<&'g str> {
        let mine = |line: &&str| match self.kind {
            "cgroup2" => line.starts_with("0::"),
            "cgroup" => {
                self.options.split(',').any(|option| option == controller)
                    && line
                        .split(':')
                        .nth(1)
                        .is_some_and(|list| list.split(',').any(|name| name == controller))
            }
            _ => false,
        };
        groups.lines().find(mine)?.splitn(3, ':').nth(2)
    }
}

/// Cores and period of a group's quota, if it has one.
fn quota_in(folder: &Path) -> Option<(f64, Duration)> {
    let (quota_us, period_us) = match fs::read_to_string(folder.join("cpu.max")) {
        Ok(text) => {
            let mut words = text.split_whitespace();
            (words.next()?.parse().ok()?, words.next()?.parse().ok()?)
        }
        Err(_) => (
            number(&folder.join("cpu.cfs_quota_us"))?,
            number(&folder.join("cpu.cfs_period_us"))?,
        ),
    };
    (quota_us > 0.0 && period_us > 0.0).then(|| {
        (
            quota_us / period_us,
            Duration::from_secs_f64(period_us / 1e6),
        )
    })
}

fn number(file: &Path) -> Option<f64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS_V1: &str = "4:memory:/kubepods/pod1/c1\n1:cpu,cpuacct:/kubepods/pod1/c1\n0::/\n";

    #[test]
    fn the_group_is_found_in_a_container_on_the_host_and_under_version_2() {
        let in_container =
            "9 1 0:30 /kubepods/pod1/c1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n";
        assert_eq!(
            folders("cpu", GROUPS_V1, in_container),
            [PathBuf::from("/sys/fs/cgroup/cpu/")]
        );
        let on_host = "9 1 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
        assert_eq!(
            folders("cpu", GROUPS_V1, on_host).len(),
            4,
            "own group and those above"
        );
        let version_2 = "9 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            folders("cpu", "0::/kubepods/pod1\n", version_2)[0],
            PathBuf::from("/sys/fs/cgroup/kubepods/pod1")
        );
    }

    #[test]
    fn quotas_of_both_versions_are_read_and_none_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("written");
        };
        assert_eq!(quota_in(folder.path()), None);
        write("cpu.cfs_quota_us", "-1\n");
        write("cpu.cfs_period_us", "100000\n");
        assert_eq!(quota_in(folder.path()), None);
        write("cpu.cfs_quota_us", "10000\n");
        assert_eq!(
            quota_in(folder.path()),
            Some((0.1, Duration::from_millis(100)))
        );
        write("cpu.max", "max 100000\n");
        assert_eq!(quota_in(folder.path()), None);
        write("cpu.max", "25000 50000\n");
        assert_eq!(
            quota_in(folder.path()),
            Some((0.5, Duration::from_millis(50)))
        );
    }

    #[test]
    fn throttling_is_expected_to_cost_half_of_the_time_the_pod_stands_still() {
        let limit = |cores| CpuLimit {
            cores,
            period: Duration::from_millis(100),
            parallelism: 1.0,
        };
        assert_eq!(limit(0.1).throttle_wait().as_millis(), 40);
        assert_eq!(limit(1.0).throttle_wait(), Duration::ZERO);
    }
}
