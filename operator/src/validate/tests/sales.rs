//! Instants of sales over every zone, and what stays of a sale that an edit made invalid.

use floodgate_api::Reason;
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::{Value, json};

use super::{SALE, sale};
use crate::validate::{retained_sale, validate_sale};

#[test]
fn f21_f22_b15_a_t0_with_its_offset_is_one_second_in_every_zone_and_on_every_day() {
    assert!(SALE.contains("t0"));
    let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2038-01-01T00:00:00Z".parse().unwrap();
    let mut turns = 0;
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let changes = zone.following(from).map(|change| change.timestamp());
        // An hour around each change lie the times of day that are missing or come twice.
        for change in changes.take_while(|at| *at < until) {
            for minutes in [-61, -30, -1, 0, 1, 30, 61] {
                let instant = change + SignedDuration::from_mins(minutes);
                let written = zone.to_offset(instant).to_datetime(instant);
                let offset = zone.to_offset(instant).seconds();
                if offset % 60 != 0 {
                    continue;
                }
                let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
                let text = format!("{written}{sign}{:02}:{:02}", offset / 60, offset % 60);
                let read: Timestamp = text.parse().unwrap();
                assert_eq!(read, instant, "{} {text}", name.as_str());
                turns += 1;
            }
        }
    }
    assert!(turns > 10_000, "only {turns} instants were tried");
}

#[test]
fn a_first_sale_that_nobody_declares_is_planned_with_the_prior_of_public_events() {
    let peak = floodgate_forecast::UpliftProfile::builtin().peak().unwrap();
    let percent = f64::from(floodgate_api::sale::FIRST_SALE_UPLIFT_PERCENT);
    assert!((peak.p95 * 100.0 - percent).abs() < 1.0, "{}", peak.p95);
    let undeclared = sale(&[
        ("/spec/upliftPercent", Value::Null),
        ("/spec/learnFrom", json!(["spring"])),
    ]);
    let valid = validate_sale(&undeclared, None).unwrap();
    assert!(
        valid
            .sale
            .phases
            .iter()
            .any(|phase| phase.uplift_percent == 682)
    );
    assert!(valid.remarks.iter().any(|remark| remark.contains("682")));
    let taught = validate_sale(&undeclared, Some(300)).unwrap();
    assert!(
        taught
            .sale
            .phases
            .iter()
            .any(|phase| phase.uplift_percent == 300)
    );
    assert!(taught.remarks.is_empty(), "{:?}", taught.remarks);
}

#[test]
fn f22_every_zone_is_in_the_program_where_the_machine_has_none() {
    let bundled = TimeZoneDatabase::bundled();
    let names: Vec<String> = bundled.available().map(|name| name.to_string()).collect();
    assert!(names.len() > 500, "{} zones", names.len());
    let noon: Timestamp = "2026-11-11T12:00:00Z".parse().unwrap();
    for name in &names {
        let zone = bundled.get(name).unwrap();
        assert_eq!(noon.to_zoned(zone).timestamp(), noon, "{name}");
        assert!(TimeZone::get(name).is_ok(), "{name}");
    }
    let shanghai = bundled.get("Asia/Shanghai").unwrap();
    assert_eq!(noon.to_zoned(shanghai).hour(), 20);
}

#[test]
fn b14_b15_local_times_are_read_in_the_zone_of_the_sale_and_an_unknown_zone_has_its_reason() {
    let local = [
        ("/spec/timeZone", json!("Europe/Berlin")),
        ("/spec/start", json!("2026-10-25T02:30:00")),
        ("/spec/end", json!("2026-10-26T00:00:00")),
        (
            "/spec/phases",
            json!([{ "name": "night", "t0": "2026-10-25T02:30:00" }]),
        ),
    ];
    let valid = validate_sale(&sale(&local), None).unwrap();
    assert_eq!(valid.sale.start.to_string(), "2026-10-25T00:30:00Z");
    assert_eq!(valid.sale.end.to_string(), "2026-10-25T23:00:00Z");
    assert_eq!(valid.remarks.len(), 2, "{:?}", valid.remarks);

    let unknown = sale(&[("/spec/timeZone", json!("Mars/Base"))]);
    let error = validate_sale(&unknown, None).unwrap_err();
    assert_eq!(error.reason(), Reason::InvalidTimeZone);
    assert!(error.to_string().contains("`Mars/Base`"), "{error}");
}

/// The sale of the fixture with a published plan, and with `changes` made to its spec afterwards.
fn edited(changes: &[(&str, Value)]) -> floodgate_api::SaleEvent {
    let mut event = sale(changes);
    let phase = |name: &str, t0: &str, end: &str, prescale: &str, replicas: i32| {
        json!({
            "name": name, "t0": t0, "end": end, "upliftPercent": 1000, "plannedRps": 400,
            "plannedReplicas": replicas, "prescaleStart": prescale
        })
    };
    let status = json!({ "clusters": [{ "name": "till", "ready": 8, "warm": 8, "phases": [
        phase("evening", "2026-11-10T12:00:00Z", "2026-11-10T16:00:00Z", "2026-11-10T11:58:00Z", 8),
        phase("midnight", "2026-11-10T16:00:00Z", "2026-11-10T18:00:00Z", "2026-11-10T15:58:00Z", 20),
    ] }] });
    event.status = Some(serde_json::from_value(status).unwrap());
    event
}

#[test]
fn f55_an_edit_that_makes_a_running_sale_invalid_keeps_its_last_plan() {
    let broken = edited(&[("/spec/end", json!("2026-11-01T00:00:00Z"))]);
    assert!(validate_sale(&broken, None).is_err());
    let at = |now: &str| retained_sale(&broken, Some("till"), now.parse().unwrap());
    assert_eq!(
        at("2026-11-10T11:00:00Z"),
        None,
        "nothing stands for it yet"
    );
    assert_eq!(at("2026-11-10T18:00:00Z"), None, "it is over");
    let kept = at("2026-11-10T13:00:00Z").unwrap();
    let phases: Vec<(&str, String, u32)> = kept
        .sale
        .phases
        .iter()
        .map(|phase| {
            (
                phase.name.as_str(),
                phase.t0.to_string(),
                phase.uplift_percent,
            )
        })
        .collect();
    assert_eq!(
        phases,
        [
            ("evening", "2026-11-10T12:00:00Z".to_owned(), 1_000),
            ("midnight", "2026-11-10T16:00:00Z".to_owned(), 1_000),
        ]
    );
    assert_eq!(kept.sale.end.to_string(), "2026-11-10T18:00:00Z");
    let now = "2026-11-10T13:00:00Z".parse().unwrap();
    assert_eq!(
        retained_sale(&broken, Some("kiosk"), now),
        None,
        "never hit"
    );
    assert!(retained_sale(&broken, None, now).is_some());
}
