//! What happens to every request before and after its handler.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use percent_encoding::percent_decode_str;

use super::pan;
use super::problem::Problem;

/// Header: id of a request, the client's own if it is well formed.
pub(super) const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest path and query, bytes.
const URI_BYTES_MAX: usize = 2_048;
/// Longest request id taken over from a client, bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Gives the request an id, refuses what no handler would want, and renders problems.
pub(super) async fn enter(request: Request, next: Next) -> Response<Body> {
    let request_id = request_id(&request);
    let moves_money = request.method() == Method::POST;
    let mut response = match refuse(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(CONTENT_LENGTH);
        let problem = if moves_money {
            problem
        } else {
            problem.of_read()
        };
        response = problem.render(request_id.to_str().unwrap_or_default());
        // Headers of handler and router beside the problem, such as `Allow`, are kept.
        response.headers_mut().extend(headers);
    }
    response.headers_mut().insert(REQUEST_ID_HEADER, request_id);
    response
}

/// 404 for a path that is no route.
pub(super) async fn no_route() -> Response<Body> {
    Problem::not_found("route_unknown", "There is nothing at this path.").into_response()
}

/// 405 for a method the route does not have; the router adds `Allow`.
pub(super) async fn no_method() -> Response<Body> {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The path does not take this method; see the header Allow.",
    )
    .into_response()
}

fn refuse(request: &Request) -> Option<Problem> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    if target.len() > URI_BYTES_MAX {
        return Some(Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            "Path and query must be at most 2048 bytes.",
        ));
    }
    // Handlers read both parts decoded, so that an encoded card number is one all the same.
    let Ok(path) = percent_decode_str(request.uri().path()).decode_utf8() else {
        return Some(Problem::not_found(
            "route_unknown",
            "There is nothing at a path that is not UTF-8.",
        ));
    };
    let query = request.uri().query().unwrap_or_default().replace('+', " ");
    let query = percent_decode_str(&query).decode_utf8_lossy();
    [target, &path, &query]
        .into_iter()
        .any(pan::found_in)
        .then(pan::problem)
}

fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID_HEADER);
    let acceptable = |value: &&HeaderValue| {
        value.to_str().is_ok_and(|text| {
            (1..=REQUEST_ID_BYTES_MAX).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
                && !pan::found_in(text)
        })
    };
    if let Some(value) = given.filter(acceptable) {
        return value.clone();
    }
    let fresh = format!("{:016x}", rand::random::<u64>());
    HeaderValue::try_from(fresh).unwrap_or_else(|_| HeaderValue::from_static("0"))
}
