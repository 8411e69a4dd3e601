//! HTTP connections to the target, a few requests each.
//!
//! A `ClusterIP` picks a pod per connection, so a connection carries at most
//! [`REQUESTS_PER_CONNECTION`] requests; on the last one it asks the server to close.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::target::Target;

/// Requests one connection carries before it is closed.
pub const REQUESTS_PER_CONNECTION: u8 = 8;
/// An idle connection older than this is not used again: its pod may be gone.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Longest answer that is read, bytes; the service's answers are under 2 KiB.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Seconds of a `Retry-After`, when it is there and a whole number.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection, so the request was never sent.
    #[error("the connection was refused or timed out")]
    Connect(#[source] io::Error),
    /// The connection broke before the answer was whole: the request may have been carried out.
    #[error("the connection was lost before the answer")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A connection between two requests.
#[derive(Debug)]
struct Idle {
    sender: SendRequest<Full<Bytes>>,
    carried: u8,
    since: Instant,
}

/// Connections to one target.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    host: HeaderValue,
    idle: Mutex<Vec<Idle>>,
}

impl Client {
    /// A client without connections yet.
    pub fn new(target: Target) -> Self {
        let address = target.address();
        let host = HeaderValue::try_from(address.to_string());
        Self {
            address,
            host: host.unwrap_or_else(|_| HeaderValue::from_static("payments")),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sends a request and reads the whole answer. Dropping the future closes the connection.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, SendError> {
        request.headers_mut().insert(HOST, self.host.clone());
        loop {
            let (mut idle, reused) = match self.take_idle() {
                Some(idle) => (idle, true),
                None => (self.connect().await?, false),
            };
            if reused && idle.sender.ready().await.is_err() {
                continue;
            }
            idle.carried += 1;
            if idle.carried == REQUESTS_PER_CONNECTION {
                request
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            match idle.sender.try_send_request(request).await {
                Ok(response) => return self.read(response, idle).await,
                Err(mut error) => match error.take_message() {
                    // The server closed it between two requests and nothing was sent: try another.
                    Some(unsent) if reused => request = unsent,
                    _ => return Err(SendError::Lost(error.into_error().into())),
                },
            }
            request.headers_mut().remove(CONNECTION);
        }
    }

    async fn connect(&self) -> Result<Idle, SendError> {
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(SendError::Connect)?;
        stream.set_nodelay(true).map_err(SendError::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| SendError::Connect(io::Error::other(error)))?;
        // It ends with its sender, and its error reaches whoever waits for an answer on it.
        tokio::spawn(connection);
        Ok(Idle {
            sender,
            carried: 0,
            since: Instant::now(),
        })
    }

    async fn read(&self, response: Response<Incoming>, idle: Idle) -> Result<Answer, SendError> {
        let status = response.status();
        let retry_after = whole_seconds(response.headers());
        let closes = response
            .headers()
            .get(CONNECTION)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(SendError::Lost)?.to_bytes();
        if !closes && idle.carried < REQUESTS_PER_CONNECTION {
            self.lock().push(Idle {
                since: Instant::now(),
                ..idle
            });
        }
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }

    /// The connection used last, so that few are kept and the rest grow old and go.
    fn take_idle(&self) -> Option<Idle> {
        let mut idle = self.lock();
        let candidate = loop {
            match idle.pop() {
                Some(last) if last.since.elapsed() > IDLE_MAX => {
                    // Those below it are older still.
                    idle.clear();
                    break None;
                }
                Some(last) if last.sender.is_closed() => {}
                other => break other,
            }
        };
        if idle
            .first()
            .is_some_and(|oldest| oldest.since.elapsed() > IDLE_MAX)
        {
            idle.retain(|one| one.since.elapsed() <= IDLE_MAX);
        }
        candidate
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole_seconds(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
