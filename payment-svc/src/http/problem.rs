//! What an error looks like on the wire (RFC 9457).
//!
//! Invariant: no text of a request and no text of a database error gets into a problem.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// Prefix of problem types.
const TYPE_PREFIX: &str = "https://floodgate.dev/problems/";

/// An error for the client; becomes a body once the request id is known.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    param: Option<&'static str>,
    retry_after: Option<Duration>,
    charged: Option<bool>,
}

/// The body of a problem.
#[derive(Serialize, ToSchema)]
pub(super) struct ProblemBody {
    /// URI of the kind of problem.
    r#type: String,
    /// Short name of the status.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What went wrong and what would be accepted.
    detail: Cow<'static, str>,
    /// Stable, machine-readable name of the problem.
    code: &'static str,
    /// Member, header or parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    /// Id to quote when asking about the request.
    request_id: String,
    /// Whether the same request, with the same key, may succeed later.
    retryable: bool,
    /// Milliseconds to wait before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// False when it is certain that this attempt moved no money; what an earlier attempt with the
    /// same Idempotency-Key did remains. Absent when that is not certain, and on every read.
    #[serde(skip_serializing_if = "Option::is_none")]
    charged: Option<bool>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            param: None,
            retry_after: None,
            charged: None,
        }
    }

    /// 400.
    pub(super) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404.
    pub(super) fn not_found(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 422.
    pub(super) fn invalid(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503, and this attempt moved no money.
    pub(super) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "The books cannot be reached at the moment; this attempt did nothing.",
        )
        .retry_after(Duration::from_secs(1))
        .not_charged()
    }

    pub(super) fn param(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(super) fn not_charged(mut self) -> Self {
        self.charged = Some(false);
        self
    }

    /// The same problem of a request that moves no money: it says nothing of charges.
    pub(super) fn of_read(mut self) -> Self {
        self.charged = None;
        self
    }

    /// The response, with its request id.
    pub(super) fn render(self, request_id: &str) -> Response<Body> {
        let body = ProblemBody {
            r#type: format!("{TYPE_PREFIX}{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            param: self.param,
            request_id: request_id.to_owned(),
            retryable: self.retry_after.is_some(),
            retry_after_ms: self
                .retry_after
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            charged: self.charged,
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = self.status;
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries the problem to `entry`, which knows the request id.
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InProgress => Self::new(
                StatusCode::CONFLICT,
                "idempotency_in_progress",
                "The first request with this Idempotency-Key is still at work.",
            )
            .param("Idempotency-Key")
            .retry_after(Duration::from_secs(1)),
            StoreError::OutcomeUnknown { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "outcome_unknown",
                "It is not known whether the money moved. Send the same request with the same \
                 Idempotency-Key again: it has one effect at most, and the answer will say which.",
            )
            .retry_after(Duration::from_secs(1)),
            StoreError::Refused { shard, ref source } => {
                let sqlstate = source
                    .as_ref()
                    .and_then(|e| e.code())
                    .map_or("?", |s| s.code());
                tracing::error!(shard, sqlstate, "a statement was refused");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "The request could not be booked; this attempt did nothing.",
                )
                .not_charged()
            }
            StoreError::Unavailable { .. }
            | StoreError::QueueFull { .. }
            | StoreError::Deadline => Self::unavailable(),
        }
    }
}
