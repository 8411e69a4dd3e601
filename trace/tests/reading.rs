//! What is read as a trace, and what is refused in which words.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

use std::io::Write;

use floodgate_trace::{ReadError, Sample, Trace, TraceError, Unit, instants, read, read_counter};

fn values(trace: &Trace) -> Vec<Option<f64>> {
    trace.samples().iter().map(|sample| sample.value).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn a_blank_value_is_missing_and_not_zero() {
    let text =
        "timestamp,value\n2026-11-11T00:00:00Z,3\n2026-11-11T00:01:00Z,\n2026-11-11T00:02:00Z,0\n";
    let trace = Trace::parse(text).unwrap();
    assert_eq!(values(&trace), [Some(3.0), None, Some(0.0)]);
    assert_eq!(trace.step_s(), 60);
}

#[test]
fn header_blank_lines_byte_order_mark_and_line_ends_are_as_they_come() {
    let rows = "2020-01-01T00:00:00Z,1\n2020-01-01T08:00:30+08:00, 2 \n";
    let plain = Trace::parse(rows).unwrap();
    assert_eq!(plain.step_s(), 30);
    for text in [
        format!("timestamp,value\n{rows}"),
        format!("\u{feff}timestamp,value\r\n{}", rows.replace('\n', "\r\n")),
        format!("\n\ntimestamp,requests\n\n{rows}\n\n"),
    ] {
        assert_eq!(Trace::parse(&text).as_ref(), Ok(&plain), "{text:?}");
    }
}

#[test]
fn b37_a_bad_row_is_named_by_line_field_and_value_with_what_is_accepted() {
    for (row, complaint) in [
        (
            "2020-01-01T00:01:00Z",
            "`2020-01-01T00:01:00Z` must have two columns, `timestamp,value`",
        ),
        (
            "2020-01-01T00:01:00Z,1,2",
            "`2020-01-01T00:01:00Z,1,2` must have two columns",
        ),
        (
            "yesterday,1",
            "timestamp `yesterday` must be RFC 3339 with a zone, such as `2026-",
        ),
        (
            "2020-01-01T00:01:00,1",
            "timestamp `2020-01-01T00:01:00` must be RFC 3339 with a zone",
        ),
        (
            "2020-01-01T00:00:00Z,1",
            "timestamp `2020-01-01T00:00:00Z` must be later than 2020-01-01T00:00:00Z",
        ),
        (
            "2019-01-01T00:00:00Z,1",
            "timestamp `2019-01-01T00:00:00Z` must be later than 2020-",
        ),
        (
            "2020-01-01T00:01:00Z,abc",
            "value `abc` must be a number of at least 0, or blank",
        ),
        (
            "2020-01-01T00:01:00Z,-1",
            "value `-1` must be a number of at least 0, or blank",
        ),
        (
            "2020-01-01T00:01:00Z,NaN",
            "value `NaN` must be a number of at least 0, or blank",
        ),
        (
            "2020-01-01T00:01:00Z,1e999",
            "value `1e999` must be a number of at least 0, or blank",
        ),
    ] {
        let text = format!("timestamp,value\n2020-01-01T00:00:00Z,1\n{row}\n");
        let error = Trace::parse(&text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("line 3: {complaint}")),
            "{error}"
        );
    }
    let error = Trace::parse("time,load\n").unwrap_err().to_string();
    let header = "line 1: `time,load` must be the header `timestamp,value` or a row such as";
    assert!(error.starts_with(header), "{error}");
    for (text, rows) in [
        ("", 0),
        ("timestamp,value\n", 0),
        ("2020-01-01T00:00:00Z,1\n", 1),
    ] {
        assert_eq!(Trace::parse(text), Err(TraceError::TooShort(rows)));
    }
}

#[test]
fn a_bad_field_is_repeated_short_and_without_control_characters() {
    let text = format!("2020-01-01T00:00:00Z,\u{1b}[31m{}\n", "9x".repeat(500));
    let error = Trace::parse(&text).unwrap_err().to_string();
    assert!(!error.contains('\u{1b}') && error.len() < 120, "{error}");
}

#[test]
fn values_come_as_rates_in_the_unit_they_are_in() {
    let file = file("timestamp,value\n2026-01-01T00:00:00Z,300\n2026-01-01T00:05:00Z,\n");
    for (unit, rate_rps) in [(Unit::PerStep, 1.0), (Unit::Rps, 300.0)] {
        let trace = read(file.path(), unit).unwrap();
        assert_eq!(
            (trace.step_s(), values(&trace)),
            (300, vec![Some(rate_rps), None])
        );
    }
}

#[test]
fn a_file_that_is_no_trace_is_named() {
    let missing = read(std::path::Path::new("no/such.csv"), Unit::Rps).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read `no/such.csv`");
    let file = file("timestamp,value\n2026-01-01T00:00:00Z,-300\n");
    let error = read(file.path(), Unit::Rps).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}`", file.path().display()));
    let ReadError::Text { source, .. } = error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().starts_with("line 2: value `-300`"));
}

#[test]
fn f08_a_counter_comes_as_rates_and_its_resets_are_counted() {
    let text = "timestamp,value\n2026-11-10T00:00:00Z,0\n2026-11-10T00:01:00Z,600\n\
                2026-11-10T00:02:00Z,-3\n2026-11-10T00:03:00Z,60\n2026-11-10T00:04:00Z,660\n";
    let (trace, counted) = read_counter(file(text).path()).unwrap();
    assert_eq!(values(&trace), [None, Some(10.0), None, None, Some(10.0)]);
    assert_eq!((counted.resets, counted.rejected), (1, 1));
    assert!(Trace::parse(text).is_err(), "a load is never negative");
}

#[test]
fn a_list_of_events_takes_any_order_and_names_a_bad_row() {
    let listed = instants("timestamp,label\n2026-11-11T00:00:00Z,sale\n\n2026-11-10T00:00:00Z\n");
    let lines: Vec<usize> = listed.unwrap().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4]);
    let error = instants("2026-11-11T00:00:00Z,sale\nnoon,sale\n").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 2: timestamp `noon` must be RFC 3339"),
        "{error}"
    );
}

#[test]
fn samples_keep_the_instants_of_their_rows() {
    let trace = Trace::parse("2026-11-11T00:00:00.5Z,1\n2026-11-11T00:01:00Z,2\n").unwrap();
    let at = "2026-11-11T00:00:00.5Z".parse().unwrap();
    assert_eq!(
        trace.samples()[0],
        Sample {
            at,
            value: Some(1.0)
        }
    );
    assert_eq!(trace.step_s(), 59, "whole seconds");
}
