//! Declared windows: good ones hold, bad ones are named with what is accepted.

use floodgate_forecast::{MASKS_MAX, Mask, MaskError, Masks};

use crate::traffic::{START, series};

const GOOD: &str = "2026-11-03T02:00:00Z/2026-11-03T03:30:00Z";

#[test]
fn windows_stand_between_commas_or_spaces_in_any_zone() {
    let text = format!("{GOOD}, 2026-11-04T02:00:00+08:00/2026-11-04T03:00:00+08:00\n{GOOD}");
    let masks = Masks::parse(&text);
    assert_eq!((masks.windows.len(), masks.refused.len()), (3, 0));
    assert_eq!(masks.windows[0], masks.windows[2]);
    let length_s = |mask: &Mask| mask.until.seconds_since(mask.from);
    assert_eq!(
        masks.windows.iter().map(length_s).collect::<Vec<_>>(),
        [5_400, 3_600, 5_400]
    );
    assert_eq!(Masks::parse(" , "), Masks::default());
}

#[test]
fn a_bad_window_is_named_and_takes_no_other_with_it() {
    for (bad, what) in [
        (
            "yesterday",
            "must be FROM/TO, two RFC 3339 instants such as 2026-",
        ),
        ("2026-11-03T02:00:00Z/", "must be FROM/TO"),
        (
            "2026-13-03T02:00:00Z/2026-11-03T03:00:00Z",
            "must be FROM/TO",
        ),
        (
            "2026-11-03T02:00:00Z/2026-11-03T02:00:00Z",
            "must end after it begins",
        ),
        (
            "2026-11-03T04:00:00Z/2026-11-03T02:00:00Z",
            "must end after it begins",
        ),
        (
            "2025-11-03T02:00:00Z/2026-11-03T02:00:00Z",
            "must be at most 31 days long",
        ),
    ] {
        let masks = Masks::parse(&format!("{bad},{GOOD}"));
        assert_eq!(masks.windows.len(), 1, "{bad}");
        let [refused] = masks.refused.as_slice() else {
            panic!("{bad}: {:?}", masks.refused);
        };
        let message = refused.to_string();
        assert!(message.contains(what) && message.contains(bad), "{message}");
    }
}

#[test]
fn windows_without_end_are_bounded() {
    let many = vec![GOOD; MASKS_MAX + 3].join(",");
    let masks = Masks::parse(&many);
    assert_eq!(masks.windows.len(), MASKS_MAX);
    assert_eq!(masks.refused, [MaskError::Count(MASKS_MAX + 3)]);
    let long = "x".repeat(100_000);
    assert!(Masks::parse(&long).refused[0].to_string().len() < 200);
}

#[test]
fn what_lies_in_a_window_is_left_out_wherever_it_lies() {
    let series = series(2.0, 300, 0.0);
    let window = |from: i64, until: i64| Mask {
        from: START.plus_s(from),
        until: START.plus_s(until),
    };
    let masked = series
        .without(&[window(3_600, 7_200), window(-10, 0), window(7_200, 7_500)])
        .unwrap();
    assert_eq!(masked.quality().masked, 14);
    assert_eq!(series.without(&[]), Some(series.clone()));
    assert_eq!(series.without(&[window(0, 1_000_000)]), None);
}
