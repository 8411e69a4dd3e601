//! The headers that mean something here.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use super::pan;
use super::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");
const ATTEMPT: HeaderName = HeaderName::from_static("x-pay-attempt");
/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;
/// How long a client is taken to wait if it does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);
/// Longest time a client may ask for: what was let in just before a pod leaves must be answered
/// within the 20 s of its drain.
const TIMEOUT_MS_MAX: u64 = 15_000;

/// The key of a request that moves money.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Problem::bad_request(
            "idempotency_key_required",
            "Exactly one header Idempotency-Key must be sent, the same for every retry of one \
             request.",
        )
        .param("Idempotency-Key"));
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| is_key(key))
        .ok_or_else(|| {
            Problem::bad_request(
                "idempotency_key_invalid",
                "Idempotency-Key must be 1 to 255 visible ASCII characters.",
            )
            .param("Idempotency-Key")
        })?;
    if pan::found_in(key) {
        return Err(pan::problem());
    }
    Ok(key)
}

/// Whether a text can be a key.
pub(super) fn is_key(text: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && !text.trim().is_empty()
}

/// Time the client waits, by its header `X-Request-Timeout-Ms`.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Duration, Problem> {
    let Some(value) = headers.get(TIMEOUT_MS) else {
        return Ok(TIMEOUT_DEFAULT);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|millis| (1..=TIMEOUT_MS_MAX).contains(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            Problem::bad_request(
                "timeout_invalid",
                "X-Request-Timeout-Ms must be a number of milliseconds from 1 to 15000.",
            )
            .param("X-Request-Timeout-Ms")
        })
}

/// Which attempt of the client's this is; the first if it does not say.
pub(super) fn attempt(headers: &HeaderMap) -> u32 {
    headers
        .get(ATTEMPT)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}
