//! A payment as it is answered with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Booked, NewPayment, Payment};

/// A payment.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// Payment id.
    pub id: String,
    /// Always `succeeded`: what did not succeed is a problem.
    pub status: String,
    /// Who paid.
    pub user_id: String,
    /// Who was paid.
    pub merchant_id: String,
    /// How much, minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Sum of its refunds, minor units.
    pub refunded_minor: i64,
    /// The caller's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was booked.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl PaymentView {
    /// The answer to the request that made the payment, and to every replay of it.
    pub fn new(payment: NewPayment, booked: Booked) -> Self {
        Self {
            id: booked.id,
            status: "succeeded".to_owned(),
            amount_minor: payment.amount.value(),
            currency: payment.currency.code().to_owned(),
            user_id: payment.user_id,
            merchant_id: payment.merchant_id,
            refunded_minor: 0,
            reference: payment.reference,
            created_at: booked.created_at,
        }
    }
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            status: "succeeded".to_owned(),
            user_id: payment.user_id,
            merchant_id: payment.merchant_id,
            amount_minor: payment.amount_minor,
            currency: payment.currency,
            refunded_minor: payment.refunded_minor,
            reference: payment.reference,
            created_at: payment.created_at,
        }
    }
}
