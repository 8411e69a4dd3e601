//! Payments and refunds: what they are, not how they are kept or served.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::ids::Slot;
use crate::money::{Currency, MinorUnits};

mod view;

pub use self::view::PaymentView;

/// SHA-256 over the meaning of a request; two requests under one key are the same if it is equal.
pub type RequestHash = [u8; 32];

/// A payment someone asks for. Every field has been validated.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// Who pays.
    pub user_id: String,
    /// Who is paid.
    pub merchant_id: String,
    /// How much.
    pub amount: MinorUnits,
    /// In what.
    pub currency: Currency,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// The caller's key; one effect per payer and key.
    pub idempotency_key: String,
}

impl NewPayment {
    /// Fingerprint of the meaning: white space and the order of members do not count.
    pub fn request_hash(&self) -> RequestHash {
        let amount = self.amount.value().to_string();
        hash_parts(&[
            "payment",
            &self.user_id,
            &self.merchant_id,
            &amount,
            self.currency.code(),
            if self.reference.is_some() { "ref" } else { "" },
            self.reference.as_deref().unwrap_or_default(),
        ])
    }

    /// The payer's slot.
    pub fn slot(&self) -> Slot {
        Slot::of_user(&self.user_id)
    }
}

/// A refund someone asks for. Every field has been validated.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The payment to give back from.
    pub payment_id: String,
    /// How much.
    pub amount: MinorUnits,
    /// The caller's key; one effect per payer and key.
    pub idempotency_key: String,
}

impl NewRefund {
    /// Fingerprint of the meaning.
    pub fn request_hash(&self) -> RequestHash {
        hash_parts(&["refund", &self.payment_id, &self.amount.value().to_string()])
    }
}

/// What became of a request to pay. Every variant but the first moved no money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentOutcome {
    /// The money moved, now or when the key was first used.
    Booked(Booked),
    /// The balance is too small; final for this key.
    InsufficientFunds {
        /// Whether an earlier request with the key was refused so.
        replayed: bool,
    },
    /// The key is recorded with another request.
    KeyReused,
    /// No such payer.
    UserUnknown,
    /// No such merchant.
    MerchantUnknown,
    /// Payer or merchant keeps another currency.
    CurrencyMismatch,
}

/// A transfer that is in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Payment or refund id.
    pub id: String,
    /// When, by the shard's clock.
    pub created_at: Timestamp,
    /// Whether an earlier request with the same key booked it.
    pub replayed: bool,
}

/// What became of a request to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money moved back, now or when the key was first used.
    Booked {
        /// The refund.
        refund: Booked,
        /// The payer, whose cached account is stale now.
        user_id: String,
        /// Currency code of the payment.
        currency: String,
    },
    /// No such payment.
    PaymentUnknown,
    /// The sum of refunds would pass the amount.
    ExceedsPayment {
        /// What can still be refunded, minor units.
        refundable_minor: i64,
    },
    /// The key is recorded with another request.
    KeyReused,
}

/// A payment as recorded in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Payment id.
    pub id: String,
    /// Who paid.
    pub user_id: String,
    /// Who was paid.
    pub merchant_id: String,
    /// How much, minor units.
    pub amount_minor: i64,
    /// Currency code.
    pub currency: String,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// Sum of its refunds, minor units.
    pub refunded_minor: i64,
    /// When, by the shard's clock.
    pub created_at: Timestamp,
}

/// What is recorded under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A payment.
    Payment(Payment),
    /// A refusal for lack of funds.
    InsufficientFunds,
}

/// Hashes parts with their lengths, so that no two lists of parts collide by concatenation.
fn hash_parts(parts: &[&str]) -> RequestHash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::NewPayment;
    use crate::money::{Currency, MinorUnits};

    fn coffee() -> NewPayment {
        NewPayment {
            user_id: "u-1".to_owned(),
            merchant_id: "m-1".to_owned(),
            amount: MinorUnits::new(350).unwrap(),
            currency: Currency::parse("CNY").unwrap(),
            reference: None,
            idempotency_key: "k".to_owned(),
        }
    }

    #[test]
    fn b39_the_hash_covers_every_field_of_the_meaning_and_not_the_key() {
        let base = coffee().request_hash();
        let with = |change: fn(&mut NewPayment)| {
            let mut payment = coffee();
            change(&mut payment);
            payment.request_hash()
        };
        assert_eq!(base, with(|p| p.idempotency_key = "other".to_owned()));
        assert_ne!(base, with(|p| p.user_id = "u-2".to_owned()));
        assert_ne!(base, with(|p| p.merchant_id = "m-2".to_owned()));
        assert_ne!(base, with(|p| p.amount = MinorUnits::new(351).unwrap()));
        assert_ne!(base, with(|p| p.currency = Currency::parse("EUR").unwrap()));
        assert_ne!(base, with(|p| p.reference = Some(String::new())));
        assert_ne!(base, with(|p| p.reference = Some("r".to_owned())));
    }
}
