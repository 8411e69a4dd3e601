//! Instants of sales over every zone, and what stays of a sale that an edit made invalid.

use floodgate_words::{Level, Reason};
use jiff::{
    SignedDuration,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::{Value, json};

use super::*;

/// Names that are nowhere in the product, so that a swapped one is seen.
const SALE: &str = include_str!("tests.yaml");

/// The fixture with `changes`, each a JSON pointer and what is put there.
fn sale(changes: &[(&str, Value)]) -> SaleEvent {
    let mut event: Value = serde_saphyr::from_str(SALE).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match event.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.insert(field.to_owned(), value.clone())),
            Some(Value::Array(items)) => items[field.parse::<usize>().unwrap()] = value.clone(),
            _ => panic!("nothing to put {pointer} into"),
        }
    }
    serde_json::from_value(event).unwrap()
}

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

#[test]
fn phases_end_where_the_next_begins_and_take_the_uplift_of_the_sale() {
    let valid = validate_sale(&sale(&[]), None).unwrap();
    let phases: Vec<(&str, String, u32)> = valid
        .sale
        .phases
        .iter()
        .map(|phase| {
            (
                phase.name.as_str(),
                phase.until.to_string(),
                phase.uplift_percent,
            )
        })
        .collect();
    assert_eq!(
        phases,
        [
            ("evening", "2026-11-10T16:00:00Z".to_owned(), 1_000),
            ("midnight", "2026-11-10T18:00:00Z".to_owned(), 4_000),
        ]
    );
    assert_eq!(valid.sale.level_max, Level::Protect);
    let till = include_str!("../../../src/validate/tests/cluster.yaml");
    let mut cluster: floodgate_api::PaymentCluster = serde_saphyr::from_str(till).unwrap();
    assert!(valid.selects(&cluster));
    cluster.metadata.name = Some("kiosk".to_owned());
    assert!(!valid.selects(&cluster));
}

#[test]
fn a_learned_uplift_may_only_raise_the_declared_one() {
    for (learned, expected) in [(None, 1_000), (Some(400), 1_000), (Some(2_500), 2_500)] {
        let valid = validate_sale(&sale(&[]), learned).unwrap();
        assert_eq!(valid.sale.phases[0].uplift_percent, expected);
    }
    let undeclared = sale(&[("/spec/upliftPercent", Value::Null)]);
    let error = validate_sale(&undeclared, None).unwrap_err();
    assert!(
        error.to_string().contains("or `learnFrom` name a sale"),
        "{error}"
    );
    for (learned, planned) in [(300, 300), (80, 100), (4_000_000, 100_000)] {
        let valid = validate_sale(&undeclared, Some(learned)).unwrap();
        assert_eq!(valid.sale.phases[0].uplift_percent, planned);
    }
}

#[test]
fn b14_a_zone_that_does_not_exist_is_no_instant() {
    let t0 = json!("2026-11-11T00:00:00 Mars/Base");
    let error = validate_sale(&sale(&[("/spec/phases/1/t0", t0)]), None).unwrap_err();
    let says =
        "`spec.phases[1].t0` is `2026-11-11T00:00:00 Mars/Base`; must be an RFC 3339 instant";
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn b12_b13_b14_b16_b31_a_sale_the_schema_would_refuse_is_refused_here_too() {
    for (pointer, value, says) in [
        (
            "/spec/start",
            json!("2026-11-10T20:00:00"),
            "must be an RFC 3339 instant",
        ),
        (
            "/spec/end",
            json!("2026-11-10T20:00:00+08:00"),
            "`spec.end` is `2026-11-10T20:00:00+08:00`; must be after `start`, 2026-11-10T20:00:00+08:00",
        ),
        (
            "/spec/end",
            json!("2027-11-10T20:00:00+08:00"),
            "at most 90 days",
        ),
        (
            "/spec/phases/1/t0",
            json!("2026-11-12T00:00:00+08:00"),
            "`spec.phases[1].t0` is `2026-11-12T00:00:00+08:00`; must be at or after",
        ),
        (
            "/spec/phases/1/end",
            json!("2026-11-11T00:00:00+08:00"),
            "`spec.phases[1].end` is `2026-11-11T00:00:00+08:00`; must be after `t0`",
        ),
        (
            "/spec/phases/1/upliftPercent",
            json!(99),
            "`spec.phases[1].upliftPercent` is 99; must be between 100 and 100000",
        ),
        (
            "/spec/phases/0/t0",
            json!("*/0 0 30 2 *"),
            "`spec.phases[0].t0` is `*/0 0 30 2 *`; must be an RFC 3339 instant",
        ),
        (
            "/spec/phases/1/t0",
            json!("2026-02-30T00:00:00+08:00"),
            "must be an RFC 3339 instant",
        ),
        (
            "/spec/phases/1/quantilePercent",
            json!(49),
            "`spec.phases[1].quantilePercent` is 49; must be between 50 and 99",
        ),
        (
            "/spec/upliftErrorPercent",
            json!(201),
            "`spec.upliftErrorPercent` is 201; must be between 0 and 200",
        ),
        (
            "/spec/phases",
            json!([]),
            "`spec.phases` is empty; must have at least one entry",
        ),
        (
            "/spec/clusterSelector",
            json!({}),
            "`spec.clusterSelector` is empty; must name a cluster",
        ),
    ] {
        let error = validate_sale(&sale(&[(pointer, value)]), None).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidSpec);
        assert!(error.to_string().contains(says), "{error}");
    }
}
