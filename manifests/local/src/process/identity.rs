//! Telling one process from another that later got the same pid.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use super::StopSignal;

/// One process, for as long as the machine runs and beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks after the machine did.
    start_ticks: u64,
    /// Which run of the machine it belongs to.
    boot_id: String,
}

impl Identity {
    /// The process that has this pid now.
    pub fn of(pid: u32) -> Option<Self> {
        let (_, start_ticks) = state_and_start(pid)?;
        Some(Self {
            pid,
            start_ticks,
            boot_id: boot_id(),
        })
    }

    /// Whether exactly this process still runs. One that ended and only waits to be reaped does
    /// not.
    pub fn is_alive(&self) -> bool {
        let Some((state, start_ticks)) = state_and_start(self.pid) else {
            return false;
        };
        state != 'Z' && start_ticks == self.start_ticks && boot_id() == self.boot_id
    }

    /// Asks the process to end, if it is still this one.
    pub fn ask_to_stop(&self, stop_signal: StopSignal) {
        match stop_signal {
            StopSignal::Terminate => self.signal(Signal::TERM, kill_process),
            StopSignal::Interrupt => self.signal(Signal::INT, kill_process),
            StopSignal::TerminateGroup => self.signal(Signal::TERM, kill_process_group),
        }
    }

    /// Kills the process, if it is still this one.
    pub fn kill(&self) {
        self.signal(Signal::KILL, kill_process);
    }

    fn signal(&self, signal: Signal, send: fn(Pid, Signal) -> rustix::io::Result<()>) {
        if !self.is_alive() {
            return;
        }
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // It may end between the look and the signal, which is what was wanted.
            let _gone = send(pid, signal);
        }
    }
}

fn state_and_start(pid: u32) -> Option<(char, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat)
}

/// The third and the 22nd field; the second is a name that may hold blanks and parentheses.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some((state, start_ticks))
}

fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a ) S (b) R 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 99 100";
        assert_eq!(parse_stat(stat), Some(('R', 12345)));
    }

    #[test]
    fn another_process_with_the_same_pid_is_not_this_one() {
        let mut identity = Identity::of(std::process::id()).unwrap();
        assert!(identity.is_alive());
        identity.start_ticks += 1;
        assert!(!identity.is_alive());
    }
}
