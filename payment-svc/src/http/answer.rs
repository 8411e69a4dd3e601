//! Answers that more than one handler gives.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use floodgate_contract::Class;
use serde::Serialize;
use tokio::time::timeout_at;

use super::App;
use super::admit::{Patience, admitted};
use super::problem::Problem;
use crate::cache::FetchError;
use crate::gate::{Ask, fingerprint};
use crate::store::StoreError;

/// Header: the answer was recorded by an earlier request with the same key.
const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Shows what `read` brings of the thing with this id, or says that there is none.
pub(super) async fn show(
    app: &App,
    headers: &HeaderMap,
    class: Class,
    id: &str,
    read: impl Future<Output = Result<Option<Bytes>, FetchError>>,
    unknown: fn() -> Problem,
) -> Response<Body> {
    let patience = match Patience::of(headers) {
        Ok(patience) => patience,
        Err(problem) => return problem.into_response(),
    };
    let ask = Ask::new(class, fingerprint(id));
    admitted(app, patience, ask, async |deadline| {
        let shown = timeout_at(deadline, read)
            .await
            .map_err(|_elapsed| StoreError::Deadline)??;
        Ok(json_bytes(StatusCode::OK, shown.ok_or_else(unknown)?))
    })
    .await
}

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    json_bytes(status, serde_json::to_vec(body).unwrap_or_default().into())
}

/// Marks an answer as recorded by an earlier request.
pub(super) fn mark_replayed(response: &mut Response<Body>) {
    response
        .headers_mut()
        .insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
}

/// 404, the same for an id that is malformed, unknown or someone else's.
pub(super) fn payment_unknown() -> Problem {
    Problem::not_found("payment_unknown", "There is no such payment.")
}

/// 422 for a key that was used for another request.
pub(super) fn key_reused() -> Problem {
    Problem::invalid(
        "idempotency_key_reused",
        "This Idempotency-Key was used for a request with another content.",
    )
    .param("Idempotency-Key")
    .not_charged()
}

fn json_bytes(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
