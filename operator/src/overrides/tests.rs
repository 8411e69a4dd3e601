use std::collections::BTreeMap;

use floodgate_words::{Level, Reason};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::json;

use super::{Bounds, Overrides, OverridesRead, read};

const NOW: &str = "2026-11-10T15:00:00Z";

fn read_at(now: &str, pairs: &[(&str, &str)]) -> OverridesRead {
    let annotations: BTreeMap<String, String> = pairs
        .iter()
        .map(|(name, value)| (format!("floodgate.dev/{name}"), (*value).to_owned()))
        .collect();
    let now: Timestamp = now.parse().unwrap();
    read(&annotations, Bounds { min: 2, max: 12 }, now, None)
}

/// Reads `pairs` with a valid end and reason beside them.
fn with_terms(pairs: &[(&str, &str)]) -> OverridesRead {
    let mut all = vec![
        ("override-until", "2026-11-11T00:30:00+08:00"),
        ("override-reason", "INC-7 bank is slow"),
    ];
    all.extend_from_slice(pairs);
    read_at(NOW, &all)
}

fn shown(read: &OverridesRead) -> Vec<(&str, &str)> {
    read.active
        .iter()
        .map(|o| (o.name.as_str(), o.value.as_str()))
        .collect()
}

fn remarks(read: &OverridesRead) -> Vec<(Reason, bool)> {
    read.remarks
        .iter()
        .map(|remark| (remark.reason, remark.refused))
        .collect()
}

#[test]
fn every_override_is_read_with_its_terms() {
    let read = with_terms(&[
        ("pin-replicas", "8"),
        ("degrade-floor", "Guard"),
        ("pause", "degradation"),
        ("override-by", "lin"),
    ]);
    assert_eq!(remarks(&read), []);
    assert_eq!(
        shown(&read),
        [
            ("pin-replicas", "8"),
            ("degrade-floor", "Guard"),
            ("pause", "degradation")
        ]
    );
    let pin = read.overrides.pin.unwrap();
    assert_eq!((pin.value, pin.reason.as_str()), (8, "INC-7 bank is slow"));
    assert_eq!(pin.by.as_deref(), Some("lin"));
    assert_eq!(pin.until.to_string(), "2026-11-10T16:30:00Z");
    assert_eq!(read.overrides.degrade_floor.unwrap().value, Level::Guard);
}

#[test]
fn no_annotation_is_no_override_and_no_remark() {
    assert_eq!(read_at(NOW, &[]), OverridesRead::default());
    let foreign = BTreeMap::from([("example.com/pause".to_owned(), "all".to_owned())]);
    let read = read(
        &foreign,
        Bounds { min: 1, max: 2 },
        NOW.parse().unwrap(),
        None,
    );
    assert_eq!(read, OverridesRead::default());
}

/// B25.
#[test]
fn b25_f60_an_unknown_annotation_is_named_with_the_nearest_valid_one() {
    for (typed, meant) in [
        ("pasue", "`floodgate.dev/pause`"),
        ("Pause", "`floodgate.dev/pause`"),
        ("pin-replica", "`floodgate.dev/pin-replicas`"),
        ("floor_replicas", "`floodgate.dev/floor-replicas`"),
    ] {
        let read = with_terms(&[(typed, "all"), ("pin-replicas", "4")]);
        assert_eq!(
            remarks(&read),
            [(Reason::UnknownAnnotation, true)],
            "{typed}"
        );
        let message = &read.remarks[0].message;
        assert!(
            message.contains("did you mean") && message.contains(meant),
            "{message}"
        );
        assert_eq!(
            shown(&read),
            [("pin-replicas", "4")],
            "the valid one still holds"
        );
    }
    let read = read_at(NOW, &[("something-else-entirely", "1")]);
    assert!(!read.remarks[0].message.contains("did you mean"));
}

/// B26.
#[test]
fn b26_a_bad_value_is_refused_and_the_others_hold() {
    for (name, value, must) in [
        ("pin-replicas", "many", "must be a whole number"),
        ("pin-replicas", "-1", "must be a whole number"),
        ("floor-replicas", "3.5", "must be a whole number"),
        ("ceiling-replicas", "", "must be a whole number"),
        ("ceiling-replicas", "99999999999", "must be a whole number"),
        ("degrade-floor", "guard", "must be one of Normal, Guard"),
        ("degrade-floor", "guard", "did you mean `Guard`?"),
        ("degrade-pin", "5", "must be one of Normal, Guard"),
        ("pause", "yes", "must be one of scaling, degradation, all"),
        ("pause", "scalng", "did you mean `scaling`?"),
    ] {
        let read = with_terms(&[(name, value)]);
        assert_eq!(
            remarks(&read),
            [(Reason::InvalidOverride, true)],
            "{name}={value}"
        );
        assert!(
            read.remarks[0].message.contains(must),
            "{}",
            read.remarks[0].message
        );
        assert!(read.active.is_empty());
    }
    let read = with_terms(&[("pin-replicas", "x"), ("degrade-pin", "Protect")]);
    assert_eq!(shown(&read), [("degrade-pin", "Protect")]);
}

/// B27.
/// Reads `edited` after `before` was in force, some seconds later.
fn after_edit(before: &[(&str, &str)], edited: &[(&str, &str)], later_s: i64) -> OverridesRead {
    let last = with_terms(before).active;
    let now = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(later_s);
    let mut read = read_at(&now.to_string(), edited);
    let annotations: BTreeMap<String, String> = edited
        .iter()
        .map(|(name, value)| (format!("floodgate.dev/{name}"), (*value).to_owned()))
        .collect();
    read.keep_last(&annotations, &last, Bounds { min: 2, max: 12 }, now);
    read
}

#[test]
fn b26_a_word_that_an_edit_spoilt_holds_until_its_end() {
    let until = ("override-until", "2026-11-11T00:30:00+08:00");
    let why = ("override-reason", "INC-7 bank is slow");
    let good = [("pause", "scaling"), ("floor-replicas", "6")];
    let spoilt = [("pause", "yes"), ("floor-replicas", "7"), until, why];
    let kept = after_edit(&good, &spoilt, 60);
    assert_eq!(
        shown(&kept),
        [("floor-replicas", "7"), ("pause", "scaling")]
    );
    assert!(kept.overrides.pause.is_some());
    assert_eq!(kept.overrides.floor.as_ref().unwrap().value, 7);
    let message = &kept.refused().next().unwrap().message;
    assert!(message.contains("`pause=scaling` holds"), "{message}");
    // A spoilt end spoils all of them, and none lapses before the end it had.
    let endless = [good[0], good[1], ("override-until", "tomorrow"), why];
    let kept = after_edit(&good, &endless, 60);
    assert!(kept.overrides.pause.is_some() && kept.overrides.floor.is_some());
    // Its end was 16:30 UTC; then it lapses, and what is taken away ends at once.
    let lapsed = after_edit(&good, &spoilt, 5_400);
    assert_eq!(lapsed.overrides.pause, None);
    let removed = after_edit(&good, &[good[1], until, why], 60);
    assert_eq!(shown(&removed), [("floor-replicas", "6")]);
    let ended = ("override-until", "2026-11-10T15:00:30Z");
    let ended = after_edit(&good, &[good[0], ended, why], 60);
    assert_eq!(ended.overrides.pause, None);
}

#[test]
fn b27_without_a_valid_end_and_reason_nothing_is_in_force() {
    let pin = ("pin-replicas", "4");
    let reason = ("override-reason", "INC-7");
    for (pairs, code, must) in [
        (
            vec![pin, reason],
            Reason::InvalidOverride,
            "must be set to an RFC 3339 instant",
        ),
        (
            vec![pin, reason, ("override-until", "tonight")],
            Reason::InvalidOverride,
            "must be an RFC 3339 instant",
        ),
        (
            vec![pin, reason, ("override-until", "2026-11-10T18:00:00")],
            Reason::InvalidOverride,
            "with a zone offset",
        ),
        (
            vec![pin, reason, ("override-until", "2026-11-11T15:00:01Z")],
            Reason::InvalidOverride,
            "at most 24 h ahead",
        ),
        (
            vec![pin, reason, ("override-until", "9999-11-11T15:00:01Z")],
            Reason::InvalidOverride,
            "at most 24 h ahead",
        ),
        (
            vec![pin, reason, ("override-until", NOW)],
            Reason::OverrideLapsed,
            "has passed",
        ),
        (
            vec![pin, reason, ("override-until", "2025-11-10T15:00:00Z")],
            Reason::OverrideLapsed,
            "has passed",
        ),
        (
            vec![pin, ("override-until", "2026-11-10T18:00:00Z")],
            Reason::InvalidOverride,
            "must say why",
        ),
        (
            vec![
                pin,
                ("override-until", "2026-11-10T18:00:00Z"),
                ("override-reason", "  "),
            ],
            Reason::InvalidOverride,
            "must say why",
        ),
        (vec![reason], Reason::InvalidOverride, "no override is"),
    ] {
        let read = read_at(NOW, &pairs);
        assert_eq!(remarks(&read), [(code, true)], "{pairs:?}");
        assert!(
            read.remarks[0].message.contains(must),
            "{}",
            read.remarks[0].message
        );
        assert_eq!(
            (&read.active, &read.overrides),
            (&Vec::new(), &Overrides::default())
        );
    }
}

#[test]
fn f59_exactly_24_hours_ahead_is_still_allowed_and_it_ends_to_the_second() {
    let pairs = [
        ("pause", "all"),
        ("override-reason", "freeze"),
        ("override-until", "2026-11-11T15:00:00Z"),
    ];
    assert_eq!(shown(&read_at(NOW, &pairs)), [("pause", "all")]);
    assert_eq!(
        shown(&read_at("2026-11-11T14:59:59.999Z", &pairs)),
        [("pause", "all")]
    );
    assert_eq!(
        remarks(&read_at("2026-11-11T15:00:00Z", &pairs)),
        [(Reason::OverrideLapsed, true)]
    );
}

#[test]
fn b28_contradictions_are_said() {
    for (pairs, says) in [
        (
            vec![("pause", "all"), ("pin-replicas", "4")],
            "unless they ask for more",
        ),
        (
            vec![("pause", "scaling"), ("floor-replicas", "4")],
            "unless they ask for more",
        ),
        (
            vec![("pin-replicas", "4"), ("floor-replicas", "6")],
            "6 holds",
        ),
        (
            vec![("ceiling-replicas", "4"), ("floor-replicas", "6")],
            "6 holds",
        ),
        (
            vec![("ceiling-replicas", "4"), ("pin-replicas", "6")],
            "6 holds",
        ),
        (
            vec![("degrade-pin", "Guard"), ("degrade-floor", "Reduce")],
            "has no effect",
        ),
        (
            vec![("degrade-pin", "Guard"), ("pause", "degradation")],
            "the pinned level holds",
        ),
    ] {
        let read = with_terms(&pairs);
        assert_eq!(
            remarks(&read),
            [(Reason::OverrideConflict, false)],
            "{pairs:?}"
        );
        assert!(
            read.remarks[0].message.contains(says),
            "{}",
            read.remarks[0].message
        );
        assert_eq!(read.active.len(), 2);
    }
    assert_eq!(
        remarks(&with_terms(&[
            ("pause", "degradation"),
            ("pin-replicas", "4")
        ])),
        []
    );
}

#[test]
fn b29_counts_are_moved_into_the_bounds_of_the_spec() {
    for (asked, used) in [("0", 2), ("1", 2), ("13", 12), ("4000000000", 12)] {
        let read = with_terms(&[("pin-replicas", asked)]);
        assert_eq!(
            remarks(&read),
            [(Reason::OverrideClamped, false)],
            "{asked}"
        );
        assert_eq!(read.overrides.pin.unwrap().value, used);
        assert!(read.remarks[0].message.contains("the spec allows 2 to 12"));
    }
}

#[test]
fn of_two_counts_the_one_that_keeps_more_pods_is_in_force() {
    let read = with_terms(&[
        ("pin-replicas", "4"),
        ("floor-replicas", "6"),
        ("ceiling-replicas", "5"),
    ]);
    assert_eq!(
        shown(&read),
        [
            ("pin-replicas", "6"),
            ("floor-replicas", "6"),
            ("ceiling-replicas", "6")
        ]
    );
    assert_eq!(read.overrides.pin.unwrap().value, 6);
    assert_eq!(read.overrides.ceiling.unwrap().value, 6);
}

#[test]
fn hostile_text_is_cut_and_kept_on_one_line() {
    let long = "x\n".repeat(10_000);
    let read = with_terms(&[
        ("pin-replicas", &long),
        (&long, "1"),
        ("override-by", &long),
    ]);
    assert!(read.remarks.iter().all(|remark| remark.message.len() < 300));
    assert!(
        read.remarks
            .iter()
            .all(|remark| !remark.message.contains('\n'))
    );
}

/// Reads `pin-replicas` with an end that was set at `set_at`, at `now`.
fn pinned_until(until: &str, set_at: &str, now: &str) -> bool {
    let annotations = BTreeMap::from([
        ("floodgate.dev/pin-replicas".to_owned(), "4".to_owned()),
        ("floodgate.dev/override-until".to_owned(), until.to_owned()),
        (
            "floodgate.dev/override-reason".to_owned(),
            "INC-7".to_owned(),
        ),
    ]);
    let entry = |manager: &str, annotation: &str, time: &str| {
        json!({
            "manager": manager, "operation": "Update", "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": { "f:metadata": { "f:annotations": { (annotation): {} } } }
        })
    };
    let fields: Vec<ManagedFieldsEntry> = [
        entry("kubectl-annotate", "f:floodgate.dev/override-until", set_at),
        entry("other", "f:example.test/override-until", now),
    ]
    .into_iter()
    .map(|one| serde_json::from_value(one).unwrap())
    .collect();
    let bounds = Bounds { min: 2, max: 12 };
    let read = read(
        &annotations,
        bounds,
        now.parse().unwrap(),
        set_at_of(&fields),
    );
    assert_eq!(read.active.is_empty(), read.refused().count() > 0);
    !read.active.is_empty()
}

fn set_at_of(fields: &[ManagedFieldsEntry]) -> Option<Timestamp> {
    super::set_at(Some(fields))
}

#[test]
fn f59_an_end_too_far_ahead_does_not_come_into_force_by_waiting() {
    let (set_at, until) = ("2026-11-10T15:00:00Z", "2026-11-11T16:00:00Z");
    for now in [set_at, "2026-11-10T17:00:00Z", "2026-11-11T15:59:59Z"] {
        assert!(!pinned_until(until, set_at, now), "{now}");
    }
    // Set anew, it is judged anew; and one that was fine stays fine.
    assert!(pinned_until(
        until,
        "2026-11-10T16:00:00Z",
        "2026-11-10T17:00:00Z"
    ));
    assert!(pinned_until(
        "2026-11-11T15:00:00Z",
        set_at,
        "2026-11-11T14:59:59Z"
    ));
    // A clock of the apiserver that runs ahead lengthens nothing.
    assert!(!pinned_until(until, "2026-11-10T17:00:00Z", set_at));
}
