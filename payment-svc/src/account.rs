//! Accounts of users and merchants, as reads return them.
//!
//! What reads return may be a second old; what decides a payment is always the row itself, under
//! its lock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// User id.
    pub user_id: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Balance, minor units; never negative.
    pub balance_minor: i64,
    /// When the balance last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A merchant: the sum over its clearing stripes on every shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Merchant {
    /// Merchant id.
    pub merchant_id: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Received less refunded, minor units.
    pub balance_minor: i64,
    /// When the balance last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Merchant {
    /// Adds what another shard holds of the same merchant.
    pub fn add(&mut self, other: &Self) {
        self.balance_minor = self.balance_minor.saturating_add(other.balance_minor);
        self.updated_at = self.updated_at.max(other.updated_at);
    }
}
