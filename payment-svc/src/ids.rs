//! Ids, and where on the shards they live.
//!
//! A user's slot is fixed by the user id; a payment id carries the slot of its payer, so that a
//! payment is found without a directory.
//! Invariant: the slot of an id never changes; which shard serves a slot may.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Virtual slots over which users are spread.
pub const SLOTS: u16 = 1_024;
/// Clearing stripes of a merchant on each shard.
pub const MERCHANT_STRIPES: u16 = 8;
/// Longest user or merchant id, bytes.
pub const ACCOUNT_ID_BYTES_MAX: usize = 64;

const PAYMENT_PREFIX: &str = "pay_";
const REFUND_PREFIX: &str = "ref_";
/// Hexadecimal digits of a slot within an id.
const SLOT_DIGITS: usize = 4;
/// Hexadecimal digits of a UUID without hyphens.
const UUID_DIGITS: usize = 32;

/// One of [`SLOTS`] virtual slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot of a user: the first two bytes of the SHA-256 of the id, modulo [`SLOTS`].
    pub fn of_user(user_id: &str) -> Self {
        let digest = Sha256::digest(user_id.as_bytes());
        Self(u16::from_be_bytes([digest[0], digest[1]]) % SLOTS)
    }

    /// Index of the shard that serves the slot, of `shards` shards in their fixed order.
    pub fn shard(self, shards: usize) -> usize {
        usize::from(self.0) * shards / usize::from(SLOTS)
    }

    /// The stripe of a merchant's clearing account that payments of this slot credit.
    pub fn stripe(self) -> i16 {
        i16::try_from(self.0 % MERCHANT_STRIPES).unwrap_or(0)
    }

    /// A new, time-ordered payment id in this slot.
    pub fn new_payment_id(self) -> String {
        self.new_id(PAYMENT_PREFIX)
    }

    /// A new, time-ordered refund id in this slot.
    pub fn new_refund_id(self) -> String {
        self.new_id(REFUND_PREFIX)
    }

    /// The slot a payment id names, if the text is one.
    pub fn of_payment(payment_id: &str) -> Option<Self> {
        let rest = payment_id.strip_prefix(PAYMENT_PREFIX)?;
        let well_formed = rest.len() == SLOT_DIGITS + UUID_DIGITS
            && rest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !well_formed {
            return None;
        }
        let slot = u16::from_str_radix(&rest[..SLOT_DIGITS], 16).ok()?;
        (slot < SLOTS).then_some(Self(slot))
    }

    fn new_id(self, prefix: &str) -> String {
        format!("{prefix}{:04x}{}", self.0, Uuid::now_v7().simple())
    }
}

/// Whether a text can be the id of a user or a merchant: 1 to 64 of `a-z A-Z 0-9 . _ -`, first a
/// letter or digit.
pub fn is_account_id(text: &str) -> bool {
    text.len() <= ACCOUNT_ID_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, Slot, is_account_id};

    #[test]
    fn a_payment_id_names_the_slot_of_its_payer() {
        let slot = Slot::of_user("u-000001");
        assert_eq!(Slot::of_payment(&slot.new_payment_id()), Some(slot));
    }

    #[test]
    fn every_shard_gets_a_contiguous_and_equal_range_of_slots() {
        for shards in 1..=8 {
            let mut served = vec![0_u32; shards];
            for slot in 0..SLOTS {
                served[Slot(slot).shard(shards)] += 1;
            }
            let least = served.iter().min().copied().unwrap();
            let most = served.iter().max().copied().unwrap();
            assert!(most - least <= 1, "{shards} shards: {served:?}");
        }
    }

    #[test]
    fn b49_text_that_is_no_payment_id_has_no_slot() {
        let good = Slot(7).new_payment_id();
        let long = format!("{good}0");
        let high = good.replacen("pay_0007", "pay_ffff", 1);
        let upper = good.to_uppercase();
        for text in [
            "",
            "pay_",
            "ref_0007",
            "../etc",
            &long,
            &high,
            &upper,
            "pay_0007é",
        ] {
            assert!(Slot::of_payment(text).is_none(), "{text}");
        }
    }

    #[test]
    fn b56_account_ids_hold_no_path_and_no_control_characters() {
        assert!(is_account_id("u-000001"));
        let long = "u".repeat(65);
        for text in ["", "-u", "../x", "a b", "a\r\nb", "a'b", "\u{202e}u", &long] {
            assert!(!is_account_id(text), "{text:?}");
        }
    }
}
