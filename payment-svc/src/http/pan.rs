//! Card numbers are not wanted anywhere.
//!
//! Text that holds something that passes for a card number is refused whole, before it is stored,
//! logged or echoed. Recognised are 13 to 19 digits in a row, and the groupings printed on cards
//! (4-4-4-4 with one to three more, 4-6-5, 4-6-4), that begin like an issuer's and pass the Luhn sum.
//! Ids of this service, UUIDs and digests hold such digits by chance; their length gives them away.

use super::problem::Problem;

/// Fewest digits of a card number.
const DIGITS_MIN: usize = 13;
/// Most digits of a card number.
const DIGITS_MAX: usize = 19;
/// Letters and digits in a row from which on a run is an id or a digest: a UUID has 32.
const ID_BYTES_MIN: usize = 28;
/// How digits are grouped on cards.
const GROUPINGS: [&[usize]; 5] = [
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4, 1],
];

/// The refusal.
pub(super) fn problem() -> Problem {
    Problem::invalid(
        "pan_not_accepted",
        "The request holds something that looks like a card number. Card data must not be sent \
         here; nothing was stored.",
    )
    .not_charged()
}

/// Whether a text holds something that passes for a card number.
pub(super) fn found_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Most text has no long run of digits and ends here.
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < DIGITS_MIN {
        return false;
    }
    (0..bytes.len()).any(|start| {
        let (before, rest) = bytes.split_at(start);
        let begins_run = rest[0].is_ascii_digit() && !before.last().is_some_and(u8::is_ascii_digit);
        begins_run
            && ((run_is_card(rest) && !is_within_id(before, rest))
                || (!before.last().is_some_and(|byte| is_word(*byte)) && groups_are_card(rest)))
    })
}

/// Whether the run around the split is too long to be meant as a card number.
fn is_within_id(before: &[u8], rest: &[u8]) -> bool {
    let left = before
        .iter()
        .rev()
        .take_while(|byte| is_word(**byte))
        .count();
    let right = rest.iter().take_while(|byte| is_word(**byte)).count();
    left + right >= ID_BYTES_MIN
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Digits in a row at the start.
fn run_is_card(bytes: &[u8]) -> bool {
    let digits: Vec<u8> = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .take(DIGITS_MAX + 1)
        .copied()
        .collect();
    is_card(&digits)
}

/// Groups of digits at the start, with single spaces or hyphens between them.
fn groups_are_card(bytes: &[u8]) -> bool {
    GROUPINGS.iter().any(|grouping| {
        let mut digits = Vec::with_capacity(DIGITS_MAX);
        let mut rest = bytes;
        for (index, &length) in grouping.iter().enumerate() {
            if index > 0 {
                match rest.split_first() {
                    Some((b' ' | b'-', after)) => rest = after,
                    _ => return false,
                }
            }
            if rest.len() < length || !rest[..length].iter().all(u8::is_ascii_digit) {
                return false;
            }
            digits.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
        }
        !rest.first().is_some_and(|byte| is_word(*byte)) && is_card(&digits)
    })
}

fn is_card(digits: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && matches!(digits[0], b'2'..=b'6')
        && passes_luhn(digits)
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            match (place % 2, value * 2) {
                (0, _) => value,
                (_, doubled) if doubled > 9 => doubled - 9,
                (_, doubled) => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::found_in;
    use crate::ids::Slot;

    #[test]
    fn b44_card_numbers_are_found_bare_grouped_and_within_text() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "card 5555555555554444 please",
            "3782 822463 10005",
            "378282246310005",
            "6011111111111117",
            r#"{"reference":"x4111111111111111y"}"#,
            "order-4242-4242-4242-4242",
            "my-order-number-4242424242424242",
        ] {
            assert!(found_in(text), "{text}");
        }
    }

    #[test]
    fn b44_dates_ids_and_numbers_that_fail_the_sum_are_let_through() {
        for text in [
            "4242424242424241",
            "order-20261121-0001-4451",
            "1763697600000",
            "pay_003f01939f1e3c7a7000a0b0c0d0e0f0",
            "999999999999",
            "42424242424242424242424242424242",
            "/v1/payments/pay_02764242424242424242a7ccb6dc76449fee1234",
            "0193424242424242424242420a1b2c3d",
            "01934242-4242-4242-4242-4242abcdef01",
            "42424242-4242-4242-8242-424242424242",
            "",
        ] {
            assert!(!found_in(text), "{text}");
        }
    }

    #[test]
    fn b44_no_id_of_this_service_passes_for_a_card_number() {
        for user in 0..20_000 {
            let id = Slot::of_user(&format!("u-{user}")).new_payment_id();
            assert!(!found_in(&format!("/v1/payments/{id}/refunds")), "{id}");
        }
    }
}
