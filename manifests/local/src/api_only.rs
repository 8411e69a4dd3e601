//! A kube-apiserver of a test's own: real validation, real storage, no controllers.
//!
//! A thread owns the two processes. The kernel kills them when that thread ends, so they go with
//! the handle, and also with a test that crashes or is killed.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command::last_line_of_file;
use crate::control_plane::{self, Listen, Standalone};
use crate::paths::Paths;
use crate::pki::{self, PkiError};
use crate::process::Server;
use crate::wait::{self, TimedOut};

/// Three seconds alone on two cores; the rest is for machines that compile beside it.
const BOUND: Duration = Duration::from_mins(2);
/// etcd opens its port within a fraction of a second.
const ETCD_BOUND: Duration = Duration::from_secs(30);
/// How often the owning thread looks whether its processes still run.
const WATCH: Duration = Duration::from_millis(100);
/// Another process may take a port between its choice and its use; then others are chosen.
const ATTEMPTS: u32 = 3;

/// A cluster of one's own that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ApiOnlyError {
    /// The Kubernetes programs are not built.
    #[error("the Kubernetes programs are not built; run `floodgate-local prepare` first")]
    NotBuilt,
    /// A folder, port or thread was refused.
    #[error("cannot prepare an API-only cluster")]
    Prepare(#[from] io::Error),
    /// The certificates could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A server ended at once.
    #[error("a server of the API-only cluster ended: {last_line}")]
    Ended {
        /// The last line of its log.
        last_line: String,
    },
    /// The apiserver did not become ready.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
}

/// etcd and kube-apiserver on free ports of loopback. Ends on drop.
///
/// No controllers run: nothing collects garbage, makes pods of a Deployment or service accounts.
#[derive(Debug)]
pub struct ApiOnlyCluster {
    paths: Paths,
    server_url: String,
    stop: Option<Sender<()>>,
    owner: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl ApiOnlyCluster {
    /// Starts a cluster and waits until its apiserver is ready.
    pub async fn start() -> Result<Self, ApiOnlyError> {
        let mut attempt = 1;
        loop {
            match Self::start_once().await {
                Err(ApiOnlyError::Ended { .. }) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// The kubeconfig of the cluster's admin.
    pub fn kubeconfig(&self) -> PathBuf {
        self.paths.kubeconfig("admin")
    }

    /// Where the apiserver answers.
    pub fn server_url(&self) -> &str {
        &self.server_url
    }

    /// kubectl of the cluster's version.
    pub fn kubectl(&self) -> PathBuf {
        self.paths.program("kubectl")
    }

    async fn start_once() -> Result<Self, ApiOnlyError> {
        let folder = tempfile::Builder::new()
            .prefix("floodgate-api-")
            .tempdir()?;
        let paths = Paths::at(folder.path().to_owned());
        if !paths.program("kube-apiserver").exists() {
            return Err(ApiOnlyError::NotBuilt);
        }
        let listen = free_ports()?;
        pki::ensure(&paths, &listen.server_url())?;
        let etcd = control_plane::etcd(&paths, &listen);
        let apiserver = control_plane::apiserver(&paths, &listen, Standalone::Yes);
        std::fs::create_dir_all(paths.root().join("log"))?;

        let (stop, stopped) = channel();
        let ended = Arc::new(AtomicBool::new(false));
        let owner = {
            let (paths, ended, port) = (paths.clone(), ended.clone(), listen.etcd_client_port);
            std::thread::Builder::new()
                .name("api-only".into())
                .spawn(move || {
                    own(&paths, [&etcd, &apiserver], port, &stopped);
                    ended.store(true, Ordering::Release);
                })?
        };
        let cluster = Self {
            server_url: listen.server_url(),
            stop: Some(stop),
            owner: Some(owner),
            _folder: folder,
            paths,
        };
        let has_ended = || ended.load(Ordering::Acquire);
        wait::until("the readiness of kube-apiserver", BOUND, || {
            let (ended, paths, listen) = (has_ended(), &cluster.paths, &listen);
            async move { ended || (listen.is_open().await && control_plane::api_ready(paths).await) }
        })
        .await?;
        if has_ended() {
            return Err(ApiOnlyError::Ended {
                last_line: last_words(&cluster.paths),
            });
        }
        Ok(cluster)
    }
}

impl Drop for ApiOnlyCluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(owner) = self.owner.take() {
            // A panic of the owner has been printed; the kernel has killed its processes.
            let _panicked = owner.join();
        }
    }
}

/// Runs both servers until one ends or the handle lets go; ends them then.
fn own(paths: &Paths, [etcd, apiserver]: [&Server; 2], etcd_port: u16, stopped: &Receiver<()>) {
    let mut children = Vec::new();
    let started = (|| {
        children.push(spawn(paths, etcd)?);
        // The apiserver rests a whole second after a refused connection, so etcd listens first.
        await_port(etcd_port);
        children.push(spawn(paths, apiserver)?);
        Ok::<(), io::Error>(())
    })();
    let mut run = started.is_ok();
    while run {
        let let_go = stopped.recv_timeout(WATCH) != Err(RecvTimeoutError::Timeout);
        let ended = children
            .iter_mut()
            .any(|child| !matches!(child.try_wait(), Ok(None)));
        run = !let_go && !ended;
    }
    for child in &mut children {
        // Both may have ended by themselves; their data is thrown away either way.
        let _gone = child.kill();
        let _reaped = child.wait();
    }
}

fn spawn(paths: &Paths, server: &Server) -> io::Result<Child> {
    let log = File::create(paths.log(&server.name))?;
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .args(&server.command)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

fn await_port(port: u16) {
    let begin = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() && begin.elapsed() < ETCD_BOUND {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ports that were free a moment ago, all different because they were held together.
fn free_ports() -> io::Result<Listen> {
    let held = [
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    ];
    let [apiserver, client, peer] = held.each_ref().map(TcpListener::local_addr);
    Ok(Listen {
        apiserver_address: "127.0.0.1".into(),
        apiserver_port: apiserver?.port(),
        etcd_client_port: client?.port(),
        etcd_peer_port: peer?.port(),
    })
}

fn last_words(paths: &Paths) -> String {
    let last_line = |name: &str| last_line_of_file(Path::new(&paths.log(name)));
    last_line("kube-apiserver")
        .or_else(|| last_line("etcd"))
        .unwrap_or_else(|| "no output".into())
}
