//! Accounts of users and merchants, as reads return them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use floodgate_contract::Class;

use super::App;
use super::answer::show;
use super::problem::{Problem, ProblemBody};
use crate::account::{Account, Merchant};

/// Reads a user's account; the balance is at most two seconds old.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "User id")),
    responses(
        (status = 200, body = Account),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "user_unknown"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable"),
    )
)]
pub(super) async fn account(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let unknown = || Problem::not_found("user_unknown", "There is no account of such a user.");
    let read = app.read_cache.account(&id);
    show(&app, &headers, Class::Sheddable, &id, read, unknown).await
}

/// Reads a merchant; the balance may be ten minutes old.
#[utoipa::path(
    get, path = "/v1/merchants/{id}", tag = "accounts",
    params(("id" = String, Path, description = "Merchant id")),
    responses(
        (status = 200, body = Merchant),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "merchant_unknown"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable"),
    )
)]
pub(super) async fn merchant(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let unknown = || Problem::not_found("merchant_unknown", "There is no such merchant.");
    let read = app.read_cache.merchant(&id);
    show(&app, &headers, Class::Sheddable, &id, read, unknown).await
}
