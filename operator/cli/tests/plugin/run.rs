//! Runs the binary in an environment of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// A watch looks every two seconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `kubectl-floodgate` with `args` in Shanghai, with no kubeconfig and no home.
pub fn run(args: &[&str]) -> Ran {
    run_with(args, "")
}

/// The same in another zone.
pub fn run_in(zone: &str, args: &[&str]) -> Ran {
    finish(command(args).env("TZ", zone), "")
}

/// The same with something on standard input.
pub fn run_with(args: &[&str], stdin: &str) -> Ran {
    finish(&mut command(args), stdin)
}

/// The same in colour, as on a terminal.
pub fn run_in_colour(args: &[&str], stdin: &str) -> Ran {
    finish(command(args).env("CLICOLOR_FORCE", "1"), stdin)
}

fn finish(command: &mut Command, stdin: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"));
    command
        .args(args)
        .env_clear()
        .env("TZ", "Asia/Shanghai")
        .env("HOME", "/nonexistent");
    command
}

/// A run that does not end by itself; it ends with the value.
pub struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    /// Starts it; standard output and standard error are read as one.
    pub fn start(args: &[&str]) -> Self {
        let mut child = command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = sender.clone();
        std::thread::spawn(move || forward(stdout, &sender));
        std::thread::spawn(move || forward(stderr, &errors));
        Self { child, lines }
    }

    /// Reads on until a line holds `text`.
    pub fn read_until(&mut self, text: &str) {
        let begin = Instant::now();
        let mut seen = String::new();
        while !seen.contains(text) {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no `{text}` after:\n{seen}"));
            seen.push_str(&line);
            seen.push('\n');
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Sends every line until nobody writes or nobody listens.
fn forward(from: impl Read, to: &Sender<String>) {
    let lines = BufReader::new(from).lines().map_while(Result::ok);
    for line in lines {
        if to.send(line).is_err() {
            return;
        }
    }
}

/// Path of a fixture.
pub fn fixture(name: &str) -> String {
    let path: PathBuf = folder().join("fixtures").join(name);
    path.to_str().unwrap().to_owned()
}

pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugin"))
}
