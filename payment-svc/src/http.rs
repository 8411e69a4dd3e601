//! The HTTP API: routes, what a request must look like, what an error looks like.
//!
//! Handlers validate, ask the gate, call the store and shape the answer; they decide nothing about
//! money. Every error is a problem (RFC 9457) with a stable code; the cause is logged, never sent.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

mod accounts;
mod admit;
mod answer;
mod app;
mod body;
mod entry;
mod headers;
mod openapi;
mod pan;
mod payments;
mod problem;
mod refunds;
mod server;

pub use self::app::App;
pub use self::openapi::document;
pub use self::server::{ServeError, Server};

/// The routes of the serving port.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/payments", post(payments::create).get(payments::find))
        .route("/v1/payments/{id}", get(payments::read))
        .route("/v1/payments/{id}/refunds", post(refunds::create))
        .route("/v1/accounts/{id}", get(accounts::account))
        .route("/v1/merchants/{id}", get(accounts::merchant))
        .route("/openapi.json", get(openapi::serve))
        .fallback(entry::no_route)
        .method_not_allowed_fallback(entry::no_method)
        .layer(middleware::from_fn(entry::enter))
        .with_state(app)
}
