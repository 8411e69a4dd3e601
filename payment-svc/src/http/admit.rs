//! Between a request and its work: the gate.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use floodgate_contract::Class;
use tokio::time::Instant;

use super::problem::Problem;
use super::{App, headers};
use crate::cache::FetchError;
use crate::gate::{Ask, ShedReason};
use crate::store::StoreError;

/// Why admitted work has no answer of its own.
pub(super) enum Failure {
    /// The client is told what was wrong.
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

/// Does the work if the gate lets the request in; `work` gets the moment the client gives up.
pub(super) async fn admitted<W>(
    app: &App,
    headers: &HeaderMap,
    ask: Ask,
    class: Class,
    work: impl FnOnce(Instant) -> W,
) -> Response<Body>
where
    W: Future<Output = Result<Response<Body>, Failure>>,
{
    let timeout = match headers::timeout(headers) {
        Ok(timeout) => timeout,
        Err(problem) => return problem.into_response(),
    };
    let ask = ask.attempt(headers::attempt(headers)).deadline(timeout);
    let deadline = Instant::now() + timeout;
    let permit = match app.gate.admit(&ask) {
        Ok(permit) => permit,
        Err(refusal) => return refusal.into_response(),
    };
    let response = match work(deadline).await {
        Ok(response) => response,
        Err(Failure::Problem(problem)) => problem.into_response(),
        Err(Failure::Store(StoreError::QueueFull { .. } | StoreError::Deadline)) => {
            // A refusal, not a failure: the permit is dropped unfinished.
            return app.gate.shed(class, ShedReason::Store).into_response();
        }
        Err(Failure::Store(error)) => Problem::from(error).into_response(),
    };
    permit.finish(response.status().as_u16());
    response
}
