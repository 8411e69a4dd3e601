use jiff::tz::Offset;

use super::Time;

/// 2026-11-10T23:58:17+08:00.
const EVE_S: f64 = 1_794_326_297.0;

fn span(length_s: f64) -> Time {
    Time {
        from_s: EVE_S,
        until_s: EVE_S + length_s,
        offset: Offset::from_hours(8).unwrap(),
    }
}

fn labels(time: Time) -> Vec<String> {
    let ticks = time.ticks(1_000.0).into_iter();
    ticks
        .map(|tick| format!("{} {}", tick.text, tick.below.unwrap_or_default()))
        .collect()
}

#[test]
fn ticks_are_round_in_the_zone_and_name_the_day_where_it_changes() {
    let labels = labels(span(310.0));
    assert_eq!(
        labels[..5],
        [
            "23:58:30 Nov 10",
            "23:59:00 ",
            "23:59:30 ",
            "00:00:00 Nov 11",
            "00:00:30 "
        ]
    );
}

#[test]
fn long_spans_are_labelled_by_the_day_and_name_the_year() {
    assert_eq!(labels(span(60.0 * 86_400.0))[0], "Nov 12 2026");
    assert!(labels(span(60.0 * 86_400.0)).contains(&"Jan 7 2027".to_owned()));
}

#[test]
fn any_span_has_some_ticks_and_no_more_than_there_is_room_for() {
    for length_s in [
        0.0,
        1.0,
        7.0,
        310.0,
        5e3,
        9e4,
        1e6,
        3e7,
        1e9,
        1e11,
        f64::NAN,
    ] {
        let ticks = span(length_s).ticks(1_000.0);
        assert!(ticks.len() <= 13, "{} for {length_s} s", ticks.len());
        assert!(ticks.len() >= 4 || !(7.0..=1e9).contains(&length_s));
        assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.share)));
    }
}

#[test]
fn the_zone_is_named_by_its_distance_to_utc() {
    assert_eq!(span(1.0).zone(), "UTC+08:00");
    let utc = Time {
        offset: Offset::UTC,
        ..span(1.0)
    };
    assert_eq!(utc.zone(), "UTC");
}
