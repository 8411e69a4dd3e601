//! Amounts and currencies.
//!
//! Invariant: money is an integer number of minor units, from the request to the row; no float ever
//! holds an amount.

use std::fmt;

/// Largest amount of one payment or refund: twelve digits, so that no legal amount can look like a
/// card number (13 to 19 digits), and far below 2^53, so that every JSON reader keeps it exact.
pub const AMOUNT_MINOR_MAX: i64 = 999_999_999_999;

/// Currencies that can be paid in (ISO 4217).
const SUPPORTED: [&str; 12] = [
    "AUD", "CNY", "EUR", "GBP", "HKD", "IDR", "INR", "JPY", "KRW", "KWD", "SGD", "USD",
];

/// A positive amount in minor units, within [`AMOUNT_MINOR_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinorUnits(i64);

impl MinorUnits {
    /// The least amount.
    pub const ONE: Self = Self(1);

    /// The amount, if it is from 1 to [`AMOUNT_MINOR_MAX`].
    pub fn new(amount_minor: i64) -> Option<Self> {
        (1..=AMOUNT_MINOR_MAX)
            .contains(&amount_minor)
            .then_some(Self(amount_minor))
    }

    /// The number of minor units.
    pub const fn value(self) -> i64 {
        self.0
    }
}

/// A supported ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(&'static str);

impl Currency {
    /// Renminbi, the default of seeds.
    pub const CNY: Self = Self("CNY");

    /// The currency of a code; case matters.
    pub fn parse(code: &str) -> Option<Self> {
        SUPPORTED.into_iter().find(|known| *known == code).map(Self)
    }

    /// The three-letter code.
    pub const fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{AMOUNT_MINOR_MAX, Currency, MinorUnits};

    #[test]
    fn an_amount_is_positive_and_has_at_most_twelve_digits() {
        assert!(MinorUnits::new(0).is_none());
        assert!(MinorUnits::new(-1).is_none());
        assert!(MinorUnits::new(AMOUNT_MINOR_MAX + 1).is_none());
        assert_eq!(
            MinorUnits::new(AMOUNT_MINOR_MAX).map(MinorUnits::value),
            Some(AMOUNT_MINOR_MAX)
        );
    }

    #[test]
    fn a_currency_is_found_by_its_exact_code() {
        assert_eq!(Currency::parse("JPY").map(Currency::code), Some("JPY"));
        for code in ["usd", "XXX", "", "CNYY"] {
            assert!(Currency::parse(code).is_none(), "{code}");
        }
    }
}
