//! A control group with a CPU quota, version 1 or 2; removed when dropped.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Period of the quota, microseconds: the kubelet's.
const PERIOD_US: u32 = 100_000;

/// The group.
pub struct QuotaGroup(PathBuf);

impl QuotaGroup {
    /// Makes a group that may use so many milli-cores.
    pub fn create(quota_milli: u32) -> io::Result<Self> {
        let name = format!("overload-bench-{}", std::process::id());
        let quota_us = quota_milli * PERIOD_US / 1_000;
        let version_1 = PathBuf::from("/sys/fs/cgroup/cpu");
        if version_1.is_dir() {
            let group = Self(version_1.join(name));
            fs::create_dir(&group.0)?;
            fs::write(group.0.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
            fs::write(group.0.join("cpu.cfs_quota_us"), quota_us.to_string())?;
            return Ok(group);
        }
        let root = PathBuf::from("/sys/fs/cgroup");
        fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
        let group = Self(root.join(name));
        fs::create_dir(&group.0)?;
        fs::write(group.0.join("cpu.max"), format!("{quota_us} {PERIOD_US}"))?;
        Ok(group)
    }

    /// Moves a process, with its threads, into the group.
    pub fn adopt(&self, pid: u32) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), pid.to_string())
    }
}

impl Drop for QuotaGroup {
    fn drop(&mut self) {
        // Empty by now; if not, the system refuses and the folder stays to be seen.
        if let Err(error) = fs::remove_dir(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}
