//! A real Redis on a free port, in a folder of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time a Redis may take to answer after its start.
const START_MAX: Duration = Duration::from_secs(20);

pub(super) struct RedisServer {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl RedisServer {
    /// Starts a Redis and waits until it answers.
    pub(super) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        let process = launch(port, &folder);
        let server = Self {
            process,
            port,
            folder,
        };
        server.wait();
        server
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Sends one command on a connection of its own.
    pub(super) fn command(&self, words: &[&str]) {
        let client = redis::Client::open(self.url()).expect("an address");
        let mut connection = client.get_connection().expect("connected");
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(word);
        }
        command.exec(&mut connection).expect("answered");
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }

    pub(super) fn restart(&mut self) {
        self.process = launch(self.port, &self.folder);
        self.wait();
    }

    /// Stops it in its tracks, or lets it go on.
    pub(super) fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let pid = self.process.id().to_string();
        let status = Command::new("kill")
            .args([signal, &pid])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    fn wait(&self) {
        let client = redis::Client::open(self.url()).expect("an address");
        let since = Instant::now();
        while client
            .get_connection()
            .and_then(|mut connection| redis::cmd("PING").exec(&mut connection))
            .is_err()
        {
            assert!(since.elapsed() < START_MAX, "Redis does not answer");
            std::thread::yield_now();
        }
    }
}

fn launch(port: u16, folder: &tempfile::TempDir) -> Child {
    Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ])
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server (Debian package of this name) is installed")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Already gone where a test killed it.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
