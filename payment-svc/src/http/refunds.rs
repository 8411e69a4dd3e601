//! Refunds.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use floodgate_contract::Class;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::admit::{Failure, KeyedRequest, Patience, admitted};
use super::answer::{json, key_reused, mark_replayed, payment_unknown};
use super::body::Members;
use super::problem::{Problem, ProblemBody};
use crate::gate::{Ask, fingerprint};
use crate::order::{NewRefund, RefundOutcome};

/// A refund to make.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "documents the body, which is read member by member"
)]
pub(super) struct CreateRefund {
    /// How much, in minor units; all refunds together at most the payment's amount.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount_minor: i64,
}

/// A refund.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct RefundBody {
    /// Refund id.
    id: String,
    /// The payment it gives back from.
    payment_id: String,
    /// Always `succeeded`: what did not succeed is a problem.
    status: String,
    /// How much, minor units.
    amount_minor: i64,
    /// ISO 4217 code.
    currency: String,
    /// When it was booked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Gives money back; the same key again gives the same answer and moves no money.
#[utoipa::path(
    post, path = "/v1/payments/{id}/refunds", tag = "refunds", request_body = CreateRefund,
    params(
        ("id" = String, Path, description = "Payment id"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; shares its name space with the payer's payments"),
        ("X-Request-Timeout-Ms" = Option<u32>, Header, description = "How long the client waits, 1 to 15000; 2000 if absent"),
    ),
    responses(
        (status = 201, body = RefundBody, headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request booked it"))),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "idempotency_key_required, idempotency_key_invalid, body_invalid, timeout_invalid"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "payment_unknown"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "idempotency_in_progress"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "refund_exceeds_payment, amount_invalid, field_required, unknown_field, idempotency_key_reused, pan_not_accepted"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "overloaded, store_unavailable (this attempt charged nothing) or outcome_unknown"),
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(payment_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let (refund, patience) = match parse(payment_id, &headers, body).await {
        Ok(asked) => asked,
        Err(problem) => return problem.into_response(),
    };
    let print = fingerprint(&(&refund.payment_id, &refund.idempotency_key));
    let ask = Ask::new(Class::SheddablePlus, fingerprint(&refund.payment_id)).once(print);
    admitted(&app, patience, ask, async |deadline| {
        let outcome = app.store.refund(&refund, deadline).await?;
        if let RefundOutcome::Booked { user_id, .. } = &outcome {
            app.read_cache
                .forget_refunded(&refund.payment_id, user_id)
                .await;
        }
        answer(refund, outcome)
    })
    .await
}

async fn parse(
    payment_id: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<(NewRefund, Patience), Problem> {
    let request = KeyedRequest::read(headers, body).await?;
    let members = Members::parse(&request.bytes, &["amount_minor"])?;
    let refund = NewRefund {
        payment_id,
        amount: members.amount("amount_minor")?,
        idempotency_key: request.key,
    };
    Ok((refund, request.patience))
}

fn answer(asked: NewRefund, outcome: RefundOutcome) -> Result<Response<Body>, Failure> {
    match outcome {
        RefundOutcome::Booked {
            refund, currency, ..
        } => {
            let body = RefundBody {
                id: refund.id,
                payment_id: asked.payment_id,
                status: "succeeded".to_owned(),
                amount_minor: asked.amount.value(),
                currency,
                created_at: refund.created_at,
            };
            let mut response = json(StatusCode::CREATED, &body);
            if refund.replayed {
                mark_replayed(&mut response);
            }
            Ok(response)
        }
        RefundOutcome::PaymentUnknown => Err(payment_unknown().into()),
        RefundOutcome::ExceedsPayment { refundable_minor } => Err(Problem::invalid(
            "refund_exceeds_payment",
            format!("`amount_minor` must be at most {refundable_minor}, what is left to refund."),
        )
        .param("amount_minor")
        .into()),
        RefundOutcome::KeyReused => Err(key_reused().into()),
    }
}
