//! Amounts and currencies.
//!
//! Invariant: money is an integer number of minor units, from the request to the row; no float ever
//! holds an amount.

use std::fmt;

/// Largest amount of one payment or refund: twelve digits, so that no legal amount can look like a
/// card number (13 to 19 digits), and far below 2^53, so that every JSON reader keeps it exact.
pub const AMOUNT_MINOR_MAX: i64 = 999_999_999_999;

/// Currencies that can be paid in, with the number of decimal places of their minor unit (ISO 4217).
const SUPPORTED: [(&str, u8); 12] = [
    ("AUD", 2),
    ("CNY", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("IDR", 2),
    ("INR", 2),
    ("JPY", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("SGD", 2),
    ("USD", 2),
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
pub struct Currency {
    code: &'static str,
    decimals: u8,
}

impl Currency {
    /// Renminbi, the default of seeds.
    pub const CNY: Self = Self {
        code: "CNY",
        decimals: 2,
    };

    /// The currency of a code; case matters.
    pub fn parse(code: &str) -> Option<Self> {
        SUPPORTED
            .iter()
            .find(|(known, _)| *known == code)
            .map(|&(code, decimals)| Self { code, decimals })
    }

    /// The three-letter code.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Decimal places of the minor unit: 2 for CNY, 0 for JPY, 3 for KWD.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
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
        assert_eq!(Currency::parse("JPY").map(Currency::decimals), Some(0));
        assert_eq!(Currency::parse("KWD").map(Currency::decimals), Some(3));
        for code in ["usd", "XXX", "", "CNYY"] {
            assert!(Currency::parse(code).is_none(), "{code}");
        }
    }
}
