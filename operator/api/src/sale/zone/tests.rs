//! Local times over every zone and every change of its clocks.

use jiff::{SignedDuration, ToSpan};

use super::*;

fn read(zone: &str, text: &str, edge: Edge) -> (String, Vec<String>) {
    let mut reader = Reader::new(Some(zone)).unwrap();
    let instant = reader.instant("spec.start", text, edge).unwrap();
    (instant.to_string(), reader.remarks)
}

#[test]
fn b15_f21_a_missing_time_is_the_change_and_of_a_time_that_comes_twice_a_sale_takes_all() {
    let (gap, told) = read("Europe/Berlin", "2026-03-29T02:30:00", Edge::Start);
    assert_eq!(gap, "2026-03-29T01:00:00Z");
    assert_eq!(
        told,
        [
            "`spec.start` 2026-03-29T02:30:00 does not exist in Europe/Berlin; \
          2026-03-29T03:00:00+02:00 is taken"
        ]
    );
    let fold = "2026-10-25T02:30:00";
    let (first, told) = read("Europe/Berlin", fold, Edge::Start);
    assert_eq!(first, "2026-10-25T00:30:00Z");
    assert!(told[0].contains("comes twice"), "{told:?}");
    let (last, _) = read("Europe/Berlin", fold, Edge::End);
    assert_eq!(last, "2026-10-25T01:30:00Z");
    let (plain, told) = read("Asia/Shanghai", "2026-11-11T00:00:00", Edge::Start);
    assert_eq!((plain.as_str(), told.len()), ("2026-11-10T16:00:00Z", 0));
    let (offset, _) = read("Asia/Shanghai", "2026-11-11T00:00:00+01:00", Edge::Start);
    assert_eq!(
        offset, "2026-11-10T23:00:00Z",
        "an offset says more than the zone"
    );
}

#[test]
fn f21_a_sale_of_local_times_is_never_shorter_than_meant_in_any_zone_from_2020_to_2037() {
    let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2038-01-01T00:00:00Z".parse().unwrap();
    let mut turns = 0;
    for name in jiff::tz::db().available() {
        let Ok(mut reader) = Reader::new(Some(name.as_str())) else {
            let name = name.as_str();
            assert!(!name.contains('/') || name == "Etc/Unknown", "{name}");
            continue;
        };
        let zone = TimeZone::get(name.as_str()).unwrap();
        let changes = zone.following(from).map(|change| change.timestamp());
        for change in changes.take_while(|at| *at < until) {
            for minutes in [-90, -61, -30, -1, 0, 1, 30, 59, 61] {
                let wall = zone.to_datetime(change - SignedDuration::from_hours(3));
                let start = wall.checked_add((180 + minutes).minutes()).unwrap();
                let end = start.checked_add(1.hour()).unwrap();
                let mut at =
                    |local: DateTime, edge| reader.instant("t", &local.to_string(), edge).unwrap();
                let (first, last) = (at(start, Edge::Start), at(end, Edge::End));
                assert!(first <= last, "{} {start}", name.as_str());
                let written = |instant: Timestamp| zone.to_datetime(instant);
                assert!(written(first) >= start, "{} {start}", name.as_str());
                assert!(written(last) >= end, "{} {end}", name.as_str());
                let again = at(start, Edge::End);
                assert!(again >= first, "{} {start}", name.as_str());
                turns += 1;
            }
        }
    }
    assert!(turns > 10_000, "only {turns} sales were tried");
}

#[test]
fn b14_an_unknown_zone_and_what_is_no_local_time_are_refused_with_what_is_accepted() {
    let none = Reader::new(Some("")).unwrap_err().to_string();
    assert_eq!(
        none,
        "`spec.timeZone` is ``; must be a zone of the IANA database, for example `Asia/Shanghai`"
    );
    let unknown = Reader::new(Some("Asia/Shangai")).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "`spec.timeZone` is `Asia/Shangai`; must be a zone of the IANA database, for example \
         `Asia/Shanghai`; did you mean `Asia/Shanghai`?"
    );
    let mut reader = Reader::new(Some("Asia/Shanghai")).unwrap();
    for bad in [
        "2026-11-11T00:00:00[Mars/Base]",
        "2026-11-11T00:00:00 EST5",
        "2026-11-11 00:00:00+08:00",
        "2026-11-11t00:00:00z",
        "2026-11-11T00:00+08:00",
        "2026-11-11T00:00:00+0800",
        "20261111T000000Z",
        "2026-11-11T00:00:60Z",
        "2026-11-11T00:00:00.Z",
        "9999-11-11T00:00:00Z",
        "2026-02-30T00:00:00",
        "midnight",
        "",
    ] {
        let error = reader
            .instant("spec.end", bad, Edge::End)
            .unwrap_err()
            .to_string();
        assert!(error.contains("must be a local time"), "{bad}: {error}");
    }
    let mut none = Reader::new(None).unwrap();
    let error = none.instant("spec.end", "2026-11-11T00:00:00", Edge::End);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`spec.timeZone` set"), "{error}");
}
