use std::io::Write;

use super::{Minutes, MinutesError, read};

fn read_text(text: &str) -> Result<Minutes, MinutesError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read(file.path())
}

/// The message without the path, which differs from run to run.
fn refusal(text: &str) -> &'static str {
    match read_text(text).unwrap_err() {
        MinutesError::Content { cause, .. } => cause,
        MinutesError::Read(error) => panic!("{error}"),
    }
}

#[test]
fn minutes_come_back_as_they_are_and_a_blank_is_missing_not_zero() {
    let trace = read_text(
        "timestamp,value\n1995-07-01T04:00:00Z,42\n1995-07-01T04:01:00Z,\n1995-07-01T04:02:00Z,0\n",
    )
    .unwrap();
    assert_eq!(trace.values, [Some(42.0), None, Some(0.0)]);
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
    assert_eq!(trace.values[..5], expected);
    assert_eq!(trace.values[5..10], [None; 5]);
    assert_eq!(trace.values[10], Some(10.0));
}

#[test]
fn dense_rows_are_averaged() {
    let trace = read_text(
        "timestamp,value\n2020-01-01T00:00:00Z,10\n2020-01-01T00:00:30Z,30\n\
         2020-01-01T00:01:00Z,5\n",
    )
    .unwrap();
    assert_eq!(trace.values, [Some(20.0), Some(5.0)]);
}

#[test]
fn a_file_that_is_no_traffic_is_refused() {
    assert_eq!(
        refusal("timestamp,value\n2020-01-01T00:00:00Z,1\n2020-01-01T00:01:00Z,\n"),
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
}
