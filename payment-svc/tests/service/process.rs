//! The program itself, started as a pod starts it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// A running `payment-svc` process.
pub struct Process {
    child: std::process::Child,
}

impl Process {
    /// Starts the binary of this crate with an environment.
    pub fn start(task: &str, environment: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_payment-svc"))
            .arg(task)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until it logs a line that holds `text`, and returns the line.
    pub fn logs(&mut self, text: &str) -> String {
        let stderr = self.child.stderr.as_mut().unwrap();
        let line = BufReader::new(stderr)
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("the process ended without logging {text:?}"))
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// Writes a token file into a folder.
pub fn token_file(dir: &Path) -> String {
    let file = dir.join("token");
    std::fs::write(&file, "secret-of-a-test").unwrap();
    file.display().to_string()
}
