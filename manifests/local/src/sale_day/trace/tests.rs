use std::io::Write;

use super::{Trace, TraceError, read};

fn read_text(text: &str) -> Result<Trace, TraceError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read(file.path())
}

/// The message without the path, which differs from run to run.
fn refusal(text: &str) -> String {
    match read_text(text).unwrap_err() {
        TraceError::Row { line, cause, .. } => format!("line {line}: {cause}"),
        TraceError::Content { cause, .. } => cause,
        TraceError::Read { source, .. } => source.to_string(),
    }
}

#[test]
fn minutes_come_back_as_they_are_and_a_blank_is_missing_not_zero() {
    let trace = read_text(
        "timestamp,value\n1995-07-01T04:00:00Z,42\n1995-07-01T04:01:00Z,\n1995-07-01T04:02:00Z,0\n",
    )
    .unwrap();
    assert_eq!(trace.minutes, [Some(42.0), None, Some(0.0)]);
    assert_eq!(trace.start_s, 804_571_200);
}

#[test]
fn sparse_rows_are_joined_but_not_across_a_hole() {
    let trace = read_text(
        "timestamp,value\n2020-01-01T00:00:00Z,0\n2020-01-01T00:02:00Z,20\n\
         2020-01-01T00:04:00Z,40\n2020-01-01T00:10:00Z,10\n",
    )
    .unwrap();
    let expected = [0.0, 10.0, 20.0, 30.0, 40.0].map(Some);
    assert_eq!(trace.minutes[..5], expected);
    assert_eq!(trace.minutes[5..10], [None; 5]);
    assert_eq!(trace.minutes[10], Some(10.0));
}

#[test]
fn dense_rows_are_averaged() {
    let trace = read_text(
        "timestamp,value\n2020-01-01T00:00:00Z,10\n2020-01-01T00:00:30Z,30\n\
         2020-01-01T00:01:00Z,5\n",
    )
    .unwrap();
    assert_eq!(trace.minutes, [Some(20.0), Some(5.0)]);
}

#[test]
fn each_bad_row_is_named_by_its_line() {
    let row = |row: &str| refusal(&format!("timestamp,value\n2020-01-01T00:00:00Z,1\n{row}\n"));
    assert_eq!(
        row("2020-01-01T00:01:00Z,abc"),
        "line 3: value `abc` must be a number of at least 0, or blank"
    );
    for value in ["-1", "NaN", "inf", "1e999"] {
        let said = row(&format!("2020-01-01T00:01:00Z,{value}"));
        assert!(
            said.starts_with(&format!("line 3: value `{value}` must be")),
            "{said}"
        );
    }
    assert!(row("yesterday,1").starts_with("line 3: timestamp `yesterday` must be RFC 3339"));
    assert!(
        row("2020-01-01T00:01:00,1").starts_with("line 3: timestamp"),
        "no zone"
    );
    assert!(row("2020-01-01T00:00:00Z,1").contains("must be after the one before it"));
    assert!(row("2020-01-01T00:01:00Z").contains("two columns"));
    assert!(row("2020-01-01T00:01:00Z,1,2").contains("two columns"));
}

#[test]
fn a_bad_field_is_echoed_short_and_without_control_characters() {
    let said = refusal(&format!(
        "timestamp,value\n2020-01-01T00:00:00Z,\u{1b}[31m{}\n",
        "9x".repeat(500)
    ));
    assert!(!said.contains('\u{1b}') && said.len() < 120, "{said}");
}

#[test]
fn a_file_that_is_no_traffic_is_refused() {
    assert_eq!(refusal(""), "line 1: the file is empty");
    assert_eq!(
        refusal("time,load\n"),
        "line 1: the header must be `timestamp,value`"
    );
    assert_eq!(
        refusal("timestamp,value\n"),
        "at least two rows must have a value"
    );
    assert_eq!(
        refusal("timestamp,value\n2020-01-01T00:00:00Z,0\n2020-01-01T00:01:00Z,0\n"),
        "at least one value must be greater than 0"
    );
    assert_eq!(
        refusal("timestamp,value\n1000-01-01T00:00:00Z,1\n9000-01-01T00:00:00Z,1\n"),
        "first and last row must be at most ten years apart"
    );
    let missing = read(std::path::Path::new("no/such/trace.csv")).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read trace no/such/trace.csv");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_harmless() {
    let trace = read_text(
        "\u{feff}timestamp,value\r\n2020-01-01T00:00:00Z,1\r\n2020-01-01T00:01:00Z,2\r\n",
    )
    .unwrap();
    assert_eq!(trace.minutes, [Some(1.0), Some(2.0)]);
}
