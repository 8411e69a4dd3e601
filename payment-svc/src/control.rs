//! The control port: contract, probes, metrics, warm-up.
//!
//! It answers on a thread and a runtime of its own, so that a pod whose serving runtime is full is
//! neither taken for dead nor deaf to the operator, and the gate's loop goes on.
//! Warm-up itself runs on the serving runtime, because the connections it opens have to live there.
//! Invariant: the pod is Ready only when warm or past its warm deadline, and not while it drains.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::cache::Cache;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::vitals::Vitals;

mod server;
mod shared;
mod token;
mod warm;
mod warm_up;

use self::shared::Shared;
pub use self::token::TokenFile;
pub use self::warm::{Advance, Checks, WarmMachine};
pub use self::warm_up::{WarmError, WarmTarget};

/// Where and how the control port answers.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Address to listen on.
    pub addr: SocketAddr,
    /// File with the bearer token; read again when it changes.
    pub token_file: PathBuf,
    /// Time from the start after which the pod serves although it is not warm.
    pub warm_deadline: Duration,
}

/// Why the control port could not start.
#[derive(Debug, Error)]
pub enum ControlError {
    /// The address is taken or not ours.
    #[error("control port: cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
    /// No thread or no runtime.
    #[error("control port: cannot start its thread")]
    Thread(#[source] std::io::Error),
}

/// The running control port.
pub struct Control {
    shared: Arc<Shared>,
    addr: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// Listens, then serves the contract from a thread of its own; `serving` is the runtime on which
/// payments are served and on which `target` is called.
pub fn spawn(
    config: ControlConfig,
    gate: Arc<Gate>,
    cache: Arc<Cache>,
    metrics: Arc<Metrics>,
    target: Arc<dyn WarmTarget>,
    serving: &Handle,
    vitals: &Vitals,
) -> Result<Control, ControlError> {
    let listen = |source| ControlError::Listen {
        addr: config.addr,
        source,
    };
    let listener = TcpListener::bind(config.addr).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;
    let shared = Arc::new(Shared {
        gate,
        cache,
        metrics,
        token: TokenFile::new(config.token_file),
        warm: std::sync::Mutex::new(WarmMachine::new(config.warm_deadline)),
        warm_news: tokio::sync::Notify::new(),
        draining: AtomicBool::new(false),
    });
    let stop = CancellationToken::new();
    let warm_up = stop
        .clone()
        .run_until_cancelled_owned(warm_up::run(Arc::clone(&shared), target));
    serving.spawn(vitals.clone().watch("warm-up", stop.clone(), warm_up));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ControlError::Thread)?;
    let thread = {
        let shared = Arc::clone(&shared);
        let (vitals, stop) = (vitals.clone(), stop.clone());
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                let server = server::run(listener, shared, stop.clone());
                runtime.block_on(vitals.watch("control port", stop, server));
            })
            .map_err(ControlError::Thread)?
    };
    Ok(Control {
        shared,
        addr,
        stop,
        thread: Some(thread),
    })
}

impl Control {
    /// Address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Makes the pod unready at once and for good; what is sent to it all the same is still served.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Release);
    }

    /// Stops answering and ends the thread.
    pub fn stop(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the control thread panicked");
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
