//! The `OpenAPI` 3.1 document, built from the handlers.

use std::sync::OnceLock;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use utoipa::OpenApi;

use super::{accounts, payments, refunds};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "payment-svc",
        description = "Payments over sharded books. Amounts are integers in minor units. Errors are problem+json with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        payments::create,
        payments::find,
        payments::read,
        refunds::create,
        accounts::account,
        accounts::merchant,
    )
)]
struct Api;

/// The document as pretty JSON, with a final line break.
pub fn document() -> String {
    let mut text = serde_json::to_string_pretty(&Api::openapi()).unwrap_or_default();
    text.push('\n');
    text
}

/// Serves the document.
pub(super) async fn serve() -> Response<Body> {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let bytes = DOCUMENT.get_or_init(|| Bytes::from(document())).clone();
    let mut response = Response::new(Body::from(bytes));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
