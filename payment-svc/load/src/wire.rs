//! Requests of the payment API, and the checks of its answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};

use crate::client::Answer;
use crate::journal::{Effect, idempotency_key};
use crate::traffic::{Action, Intent, Payment};

/// Header that carries the idempotency key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Serialize)]
struct CreateBody<'a> {
    user_id: &'a str,
    merchant_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
}

#[derive(Serialize)]
struct RefundBody {
    amount_minor: i64,
}

#[derive(Deserialize)]
struct PaymentAnswer {
    id: String,
    user_id: String,
    merchant_id: String,
    amount_minor: i64,
    currency: String,
    status: String,
}

#[derive(Deserialize)]
struct RefundAnswer {
    id: String,
    payment_id: String,
    amount_minor: i64,
}

#[derive(Deserialize)]
struct AccountAnswer {
    user_id: String,
}

#[derive(Default, Deserialize)]
struct Problem {
    code: Option<String>,
    charged: Option<bool>,
}

/// What one answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What was asked for was done.
    Acked(Option<Payment>),
    /// Refused with 429 or 503.
    Shed(Effect),
    /// The recorded answer of the key is a refusal: no attempt of it moved money, or ever will.
    Declined {
        /// Stable code of the answer.
        code: String,
    },
    /// Any other answer.
    Failed {
        /// Stable code of the answer.
        code: String,
        /// What the ledger may hold after it.
        effect: Effect,
        /// Whether the same request may be sent again.
        again: bool,
    },
}

/// What every request of a run has in common.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub key_prefix: String,
    pub currency: String,
}

impl Dialect {
    /// The request for an intent; the same for each attempt.
    pub(crate) fn request(&self, intent: &Intent) -> Result<Request<Full<Bytes>>, String> {
        let key = |n| idempotency_key(&self.key_prefix, n);
        let (path, body) = match &intent.action {
            Action::Create {
                user,
                merchant,
                amount_minor,
            } => {
                let body = CreateBody {
                    user_id: user,
                    merchant_id: merchant,
                    amount_minor: *amount_minor,
                    currency: &self.currency,
                };
                ("/v1/payments".to_owned(), Some(serde_json::to_vec(&body)))
            }
            Action::Refund {
                payment,
                amount_minor,
            } => {
                let body = RefundBody {
                    amount_minor: *amount_minor,
                };
                (
                    format!("/v1/payments/{}/refunds", payment.id),
                    Some(serde_json::to_vec(&body)),
                )
            }
            Action::ReadPayment(payment) => (format!("/v1/payments/{}", payment.id), None),
            Action::ReadAccount { user } => (format!("/v1/accounts/{user}"), None),
            Action::ReadMerchant { merchant } => (format!("/v1/merchants/{merchant}"), None),
            Action::LookUp { user, lost, .. } => (
                format!("/v1/payments?user_id={user}&idempotency_key={}", key(*lost)),
                None,
            ),
        };
        let mut request = Request::builder().uri(path);
        let body = match body.transpose().map_err(|error| error.to_string())? {
            None => Bytes::new(),
            Some(body) => {
                request = request
                    .method(Method::POST)
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .header(IDEMPOTENCY_KEY, key(intent.n));
                body.into()
            }
        };
        request
            .body(Full::new(body))
            .map_err(|error| error.to_string())
    }

    /// What an answer to an intent means.
    pub(crate) fn judge(&self, intent: &Intent, answer: &Answer) -> Verdict {
        if answer.status.is_success() {
            return self.judge_success(&intent.action, &answer.body);
        }
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = problem
            .code
            .unwrap_or_else(|| format!("http_{}", answer.status.as_u16()));
        let harmless = !intent.action.moves_money() || problem.charged == Some(false);
        let doubt = if harmless {
            Effect::Absent
        } else {
            Effect::Unknown
        };
        match answer.status {
            StatusCode::NOT_FOUND if matches!(intent.action, Action::LookUp { .. }) => {
                Verdict::Acked(None)
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Verdict::Shed(doubt),
            StatusCode::PAYMENT_REQUIRED => Verdict::Declined { code },
            StatusCode::CONFLICT if code == "idempotency_in_progress" => Verdict::Failed {
                code,
                effect: doubt,
                again: true,
            },
            status if status.is_server_error() => Verdict::Failed {
                code,
                effect: doubt,
                again: true,
            },
            _ => Verdict::Failed {
                code,
                effect: Effect::Absent,
                again: false,
            },
        }
    }

    fn judge_success(&self, action: &Action, body: &[u8]) -> Verdict {
        let payment = || serde_json::from_slice::<PaymentAnswer>(body).ok();
        let verdict = match action {
            Action::Create {
                user,
                merchant,
                amount_minor,
            } => payment()
                .filter(|got| {
                    got.user_id == *user
                        && got.merchant_id == *merchant
                        && got.amount_minor == *amount_minor
                        && got.currency == self.currency
                        && got.status == "succeeded"
                })
                .map(|got| Verdict::Acked(Some(known(got)))),
            Action::LookUp {
                user, amount_minor, ..
            } => payment()
                .filter(|got| got.user_id == *user && got.amount_minor == *amount_minor)
                .map(|got| Verdict::Acked(Some(known(got)))),
            Action::ReadPayment(wanted) => payment()
                .filter(|got| got.id == wanted.id && got.amount_minor == wanted.amount_minor)
                .map(|_| Verdict::Acked(None)),
            Action::Refund {
                payment,
                amount_minor,
            } => serde_json::from_slice::<RefundAnswer>(body)
                .ok()
                .filter(|got| got.payment_id == payment.id && got.amount_minor == *amount_minor)
                .map(|got| {
                    Verdict::Acked(Some(Payment {
                        id: got.id,
                        ..payment.clone()
                    }))
                }),
            Action::ReadAccount { user } => serde_json::from_slice::<AccountAnswer>(body)
                .ok()
                .filter(|got| got.user_id == *user)
                .map(|_| Verdict::Acked(None)),
            Action::ReadMerchant { .. } => Some(Verdict::Acked(None)),
        };
        // A good status with a wrong body may well have moved money.
        let effect = if action.moves_money() {
            Effect::Unknown
        } else {
            Effect::Absent
        };
        verdict.unwrap_or(Verdict::Failed {
            code: "bad_answer".to_owned(),
            effect,
            again: false,
        })
    }
}

fn known(answer: PaymentAnswer) -> Payment {
    Payment {
        id: answer.id,
        user: answer.user_id,
        amount_minor: answer.amount_minor,
    }
}

#[cfg(test)]
mod tests;
