//! What a refused client reads.
//!
//! A refusal costs a few microseconds: its body is one of four constants, its headers are small
//! numbers and names. How cheap it is sets the goodput a pod can keep at many times its capacity.
//! Invariant: a refusal is only made before the first side effect of its attempt, so `charged` is
//! false for this attempt. What an earlier attempt did is not known here, so the
//! refusal of a read, which asks for just that, does not mention it.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use floodgate_contract::{Class, Level, ShedReason};

/// Header: why the request was refused, one of the names of [`ShedReason`].
pub const SHED_REASON_HEADER: HeaderName = HeaderName::from_static("x-pay-shed-reason");
/// Header: degradation level in force, 0 to 4.
pub const LEVEL_HEADER: HeaderName = HeaderName::from_static("x-pay-degrade-level");

const OVERLOADED: &[u8] = br#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"overloaded","detail":"Refused before this attempt did anything; what an earlier attempt with the same Idempotency-Key did remains. Send it again with the same key, not before Retry-After.","charged":false}"#;
const QUOTA_EXCEEDED: &[u8] = br#"{"type":"about:blank","title":"Too Many Requests","status":429,"code":"quota_exceeded","detail":"The quota of this kind of request is used up; this attempt did nothing. Send it again with the same Idempotency-Key, not before Retry-After.","charged":false}"#;
const OVERLOADED_READ: &[u8] = br#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"overloaded","detail":"Refused before anything was read. Ask again, not before Retry-After."}"#;
const QUOTA_EXCEEDED_READ: &[u8] = br#"{"type":"about:blank","title":"Too Many Requests","status":429,"code":"quota_exceeded","detail":"The quota of this kind of request is used up. Ask again, not before Retry-After."}"#;

/// A refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Class of the request.
    pub class: Class,
    /// Whether it was to move money; the refusal of a read does not mention charges.
    pub moves_money: bool,
    /// Why.
    pub reason: ShedReason,
    /// Level in force.
    pub level: Level,
    /// Seconds the client should wait, jittered so that the refused do not come back together.
    pub retry_after_s: u32,
}

impl Refusal {
    /// `429` when the client is above its quota, `503` when the service is overloaded.
    pub const fn status(&self) -> StatusCode {
        match self.reason {
            ShedReason::Quota => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Stable code of the body.
    pub const fn code(&self) -> &'static str {
        match self.reason {
            ShedReason::Quota => "quota_exceeded",
            _ => "overloaded",
        }
    }

    /// Seconds to wait at a level, spread by half up and down; `spread` is any random number.
    pub(super) fn retry_after_s(level: Level, spread: u32) -> u32 {
        let (least, span) = match level {
            Level::Normal => (1, 1),
            Level::Guard => (1, 2),
            Level::Reduce => (1, 3),
            Level::Protect => (3, 6),
            Level::Survive => (8, 15),
        };
        least + spread % span
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let body = match (self.reason, self.moves_money) {
            (ShedReason::Quota, true) => QUOTA_EXCEEDED,
            (ShedReason::Quota, false) => QUOTA_EXCEEDED_READ,
            (_, true) => OVERLOADED,
            (_, false) => OVERLOADED_READ,
        };
        let mut response = Response::new(Body::from(Bytes::from_static(body)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_s));
        headers.insert(
            SHED_REASON_HEADER,
            HeaderValue::from_static(self.reason.as_str()),
        );
        headers.insert(
            LEVEL_HEADER,
            HeaderValue::from(u16::from(self.level.index())),
        );
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn p8_every_refusal_says_when_to_come_back_why_and_what_it_knows_of_charges() {
        for (turn, reason) in ShedReason::ALL.into_iter().enumerate() {
            for level in Level::ALL {
                let moves_money = (turn + usize::from(level.index())).is_multiple_of(2);
                let refusal = Refusal {
                    class: Class::Critical,
                    moves_money,
                    reason,
                    level,
                    retry_after_s: Refusal::retry_after_s(level, 7),
                };
                let response = refusal.into_response();
                let quota = reason == ShedReason::Quota;
                assert_eq!(response.status().as_u16(), if quota { 429 } else { 503 });
                let text = |name: &HeaderName| {
                    response.headers()[name].to_str().expect("ascii").to_owned()
                };
                assert!(text(&RETRY_AFTER).parse::<u32>().expect("seconds") >= 1);
                assert_eq!(text(&SHED_REASON_HEADER), reason.as_str());
                assert_eq!(text(&LEVEL_HEADER), level.index().to_string());
                let body = http_body_util::BodyExt::collect(response.into_body())
                    .await
                    .expect("a constant")
                    .to_bytes();
                let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
                let charged = body.get("charged").and_then(serde_json::Value::as_bool);
                assert_eq!(charged, moves_money.then_some(false));
                assert_eq!(body["code"], refusal.code());
            }
        }
    }

    #[test]
    fn the_wait_grows_with_the_level_and_is_never_constant() {
        let waits = |level| (0..100).map(move |spread| Refusal::retry_after_s(level, spread));
        for pair in Level::ALL.windows(2) {
            let mean = |level| waits(level).sum::<u32>();
            assert!(mean(pair[0]) < mean(pair[1]), "{pair:?}");
        }
        for level in &Level::ALL[1..] {
            let least = waits(*level).min();
            assert_ne!(least, waits(*level).max(), "{level} has no jitter");
        }
    }
}
