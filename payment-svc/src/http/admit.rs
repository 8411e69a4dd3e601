//! Between a request and its work: the gate.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use floodgate_contract::ShedReason;
use tokio::time::Instant;

use super::problem::Problem;
use super::{App, body, headers};
use crate::cache::FetchError;
use crate::gate::Ask;
use crate::store::StoreError;

/// Why admitted work has no answer of its own.
pub(super) enum Failure {
    /// The request was at fault; the client gets the problem.
    Problem(Problem),
    /// The store gave up before its first side effect.
    Store(StoreError),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        tracing::debug!(%error, "a read failed");
        Self::Problem(Problem::unavailable())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How long a client waits, and which of its attempts this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    deadline: Instant,
    attempt: u32,
}

impl Patience {
    /// Reads the headers; the time runs from now.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            deadline: Instant::now() + headers::timeout(headers)?,
            attempt: headers::attempt(headers),
        })
    }
}

/// A request that is to move money, read to its end.
pub(super) struct KeyedRequest {
    /// Its idempotency key.
    pub(super) key: String,
    /// Its body.
    pub(super) bytes: Bytes,
    pub(super) patience: Patience,
}

impl KeyedRequest {
    /// Reads what the gate has to know; before it, so that a slow body holds no place behind it.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let key = headers::idempotency_key(headers)?.to_owned();
        let patience = Patience::of(headers)?;
        let bytes = body::read(headers, body, patience.deadline).await?;
        Ok(Self {
            key,
            bytes,
            patience,
        })
    }
}

/// Does the work if the gate lets the request in; `work` gets the moment the client gives up.
pub(super) async fn admitted<W>(
    app: &App,
    patience: Patience,
    ask: Ask,
    work: impl FnOnce(Instant) -> W,
) -> Response<Body>
where
    W: Future<Output = Result<Response<Body>, Failure>>,
{
    let left = patience.deadline.duration_since(Instant::now());
    let ask = ask.attempt(patience.attempt).deadline(left);
    let permit = match app.gate.admit(&ask) {
        Ok(permit) => permit,
        Err(refusal) => return refusal.into_response(),
    };
    let response = match work(patience.deadline).await {
        Ok(response) => response,
        Err(Failure::Problem(problem)) => problem.into_response(),
        Err(Failure::Store(StoreError::QueueFull { .. } | StoreError::Deadline)) => {
            // A refusal, not a failure: the permit is dropped unfinished.
            return app.gate.shed(&ask, ShedReason::Store).into_response();
        }
        Err(Failure::Store(error)) => Problem::from(error).into_response(),
    };
    permit.finish(response.status().as_u16());
    response
}
