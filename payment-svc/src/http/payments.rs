//! Payments: create, read, find by key.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use floodgate_contract::Class;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::admit::{Failure, KeyedRequest, Patience, admitted};
use super::answer::{json, key_reused, mark_replayed, payment_unknown, show};
use super::body::Members;
use super::problem::{Problem, ProblemBody};
use super::{App, headers};
use crate::gate::{Ask, fingerprint};
use crate::ids;
use crate::order::{NewPayment, PaymentOutcome, PaymentView, Recorded};
use crate::store::StoreError;

const MEMBERS: [&str; 5] = [
    "user_id",
    "merchant_id",
    "amount_minor",
    "currency",
    "reference",
];

/// A payment to make.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "documents the body, which is read member by member"
)]
pub(super) struct CreatePayment {
    /// Who pays.
    #[schema(max_length = 64)]
    user_id: String,
    /// Who is paid.
    #[schema(max_length = 64)]
    merchant_id: String,
    /// How much, in minor units of the currency.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The caller's own reference.
    #[schema(max_length = 128)]
    reference: Option<String>,
}

/// Which key to look up.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FindPayment {
    /// The payer.
    user_id: String,
    /// The key the payment was sent with.
    idempotency_key: String,
}

/// Makes a payment; the same key again gives the same answer and moves no money.
#[utoipa::path(
    post, path = "/v1/payments", tag = "payments", request_body = CreatePayment,
    params(
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; one effect per payer and key, for ever"),
        ("X-Request-Timeout-Ms" = Option<u32>, Header, description = "How long the client waits, 1 to 15000; 2000 if absent"),
    ),
    responses(
        (status = 201, body = PaymentView, headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request booked it"))),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "idempotency_key_required, idempotency_key_invalid, body_invalid, timeout_invalid"),
        (status = 402, body = ProblemBody, content_type = "application/problem+json", description = "insufficient_funds"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "user_unknown, merchant_unknown"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "idempotency_in_progress"),
        (status = 413, body = ProblemBody, content_type = "application/problem+json", description = "body_too_large"),
        (status = 415, body = ProblemBody, content_type = "application/problem+json", description = "content_type_unsupported"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "amount_invalid, currency_unsupported, currency_mismatch, field_invalid, field_required, unknown_field, idempotency_key_reused, pan_not_accepted"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "quota_exceeded"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable (this attempt charged nothing) or outcome_unknown"),
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let (payment, patience) = match parse(&headers, body).await {
        Ok(asked) => asked,
        Err(problem) => return problem.into_response(),
    };
    // A key is its payer's own: another payer's payment under the same one is another payment.
    let print = fingerprint(&(&payment.user_id, &payment.idempotency_key));
    let ask = Ask::new(app.gate.class_of_create(print), print).once(print);
    admitted(&app, patience, ask, async |deadline| {
        let outcome = app.store.book(payment.clone(), deadline).await;
        if is_begun(&outcome) {
            app.gate.mark_recorded(print);
        }
        answer(payment, outcome?)
    })
    .await
}

/// Reads a payment.
#[utoipa::path(
    get, path = "/v1/payments/{id}", tag = "payments",
    params(("id" = String, Path, description = "Payment id")),
    responses(
        (status = 200, body = PaymentView),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "payment_unknown"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable"),
    )
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let read = app.read_cache.payment(&id);
    show(&app, &headers, Class::Critical, &id, read, payment_unknown).await
}

/// Reports what became of a request whose answer was lost.
#[utoipa::path(
    get, path = "/v1/payments", tag = "payments", params(FindPayment),
    responses(
        (status = 200, body = PaymentView),
        (status = 402, body = ProblemBody, content_type = "application/problem+json", description = "insufficient_funds: the recorded answer"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "not_found: nothing is recorded under the key yet; only sending the request again makes sure"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "idempotency_in_progress: the request is still at work"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable"),
    )
)]
pub(super) async fn find(
    State(app): State<Arc<App>>,
    query: Result<Query<FindPayment>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let wanted = match query {
        Ok(Query(wanted))
            if ids::is_account_id(&wanted.user_id) && headers::is_key(&wanted.idempotency_key) =>
        {
            wanted
        }
        _ => {
            return Problem::bad_request(
                "query_invalid",
                "The query must be `user_id` and `idempotency_key`, each once and well formed.",
            )
            .into_response();
        }
    };
    let patience = match Patience::of(&headers) {
        Ok(patience) => patience,
        Err(problem) => return problem.into_response(),
    };
    let ask = Ask::new(Class::CriticalPlus, fingerprint(&wanted.user_id));
    admitted(&app, patience, ask, async |deadline| {
        let recorded = app
            .store
            .recorded(&wanted.user_id, &wanted.idempotency_key, deadline)
            .await?;
        match recorded {
            Some(Recorded::Payment(payment)) => {
                Ok(json(StatusCode::OK, &PaymentView::from(payment)))
            }
            Some(Recorded::InsufficientFunds) => Err(insufficient_funds().into()),
            None => Err(
                Problem::not_found("not_found", "No payment is recorded under this key.").into(),
            ),
        }
    })
    .await
}

async fn parse(headers: &HeaderMap, body: Body) -> Result<(NewPayment, Patience), Problem> {
    let request = KeyedRequest::read(headers, body).await?;
    let members = Members::parse(&request.bytes, &MEMBERS)?;
    let payment = NewPayment {
        user_id: members.account_id("user_id")?,
        merchant_id: members.account_id("merchant_id")?,
        amount: members.amount("amount_minor")?,
        currency: members.currency("currency")?,
        reference: members.free_text("reference")?,
        idempotency_key: request.key,
    };
    Ok((payment, request.patience))
}

/// Whether a retry with the key would finish or repeat what was begun, which goes before all else.
fn is_begun(outcome: &Result<PaymentOutcome, StoreError>) -> bool {
    matches!(
        outcome,
        Ok(PaymentOutcome::Booked(_) | PaymentOutcome::InsufficientFunds { .. })
            | Err(StoreError::OutcomeUnknown { .. } | StoreError::InProgress)
    )
}

fn answer(payment: NewPayment, outcome: PaymentOutcome) -> Result<Response<Body>, Failure> {
    match outcome {
        PaymentOutcome::Booked(booked) => {
            let replayed = booked.replayed;
            let mut response = json(StatusCode::CREATED, &PaymentView::new(payment, booked));
            if replayed {
                mark_replayed(&mut response);
            }
            Ok(response)
        }
        PaymentOutcome::InsufficientFunds { replayed } => {
            let mut response = insufficient_funds().into_response();
            if replayed {
                mark_replayed(&mut response);
            }
            Ok(response)
        }
        PaymentOutcome::KeyReused => Err(key_reused().into()),
        PaymentOutcome::UserUnknown => Err(Problem::not_found(
            "user_unknown",
            "`user_id` must be a user who has an account.",
        )
        .param("user_id")
        .not_charged()
        .into()),
        PaymentOutcome::MerchantUnknown => Err(Problem::not_found(
            "merchant_unknown",
            "`merchant_id` must be a merchant who has an account.",
        )
        .param("merchant_id")
        .not_charged()
        .into()),
        PaymentOutcome::CurrencyMismatch => Err(Problem::invalid(
            "currency_mismatch",
            "`currency` must be the currency of both accounts.",
        )
        .param("currency")
        .not_charged()
        .into()),
    }
}

fn insufficient_funds() -> Problem {
    Problem::new(
        StatusCode::PAYMENT_REQUIRED,
        "insufficient_funds",
        "The balance is smaller than the amount. This is final for the key; a new try needs a new \
         one.",
    )
    .not_charged()
}
