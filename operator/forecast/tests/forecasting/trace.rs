//! Reading a recorded trace.

use floodgate_forecast::{Trace, UnixMillis};

#[test]
fn rows_become_samples_and_blanks_stay_missing() {
    let text = "timestamp,value\n2026-11-11T00:00:00Z,3\n2026-11-11T00:01:00Z,\n2026-11-11T00:02:00Z,5.5\n";
    let trace = Trace::parse(text).unwrap();
    assert_eq!(trace.step_s(), 60);
    let values: Vec<_> = trace.samples().iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [Some(3.0), None, Some(5.5)]);
    let last = trace.samples()[2].0;
    assert_eq!(trace.known_at(last).unwrap().quality().missing, 1);
    assert!(
        trace.known_at(UnixMillis(0)).is_err(),
        "nothing is known yet"
    );
}

#[test]
fn b37_a_bad_row_is_named_with_its_line_and_what_is_accepted() {
    let head = "timestamp,value\n2026-11-11T00:00:00Z,1\n";
    for (row, said) in [
        (
            "2026-11-11T00:00:00Z,1",
            "line 3: 2026-11-11T00:00:00Z must be later",
        ),
        ("noon,1", "line 3: \"noon\" must be an RFC 3339 instant"),
        (
            "2026-11-11T00:01:00Z,-1",
            "line 3: \"-1\" must be a number of at least 0",
        ),
        (
            "2026-11-11T00:01:00Z,NaN",
            "must be a number of at least 0, or blank",
        ),
        ("2026-11-11T00:01:00Z", "must be timestamp,value"),
    ] {
        let error = Trace::parse(&format!("{head}{row}\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(Trace::parse("timestamp,value\n").is_err());
}

#[test]
fn a_scaled_trace_keeps_its_gaps_and_its_step() {
    let text = "timestamp,value\n2026-01-01T00:00:00Z,300\n2026-01-01T00:05:00Z,\n";
    let trace = Trace::parse(text).expect("the text is a trace");
    let rates = trace.scaled(1.0 / 300.0);
    assert_eq!(rates.step_s(), 300);
    let values: Vec<Option<f64>> = rates.samples().iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [Some(1.0), None]);
}

#[test]
fn f08_a_counter_is_read_as_rates_and_its_resets_are_counted() {
    let text = "timestamp,value\n2026-11-10T00:00:00Z,0\n2026-11-10T00:01:00Z,600\n\
                2026-11-10T00:02:00Z,-3\n2026-11-10T00:03:00Z,60\n2026-11-10T00:04:00Z,660\n";
    let (trace, rates) = Trace::parse_counter(text).unwrap();
    let values: Vec<Option<f64>> = trace.samples().iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [None, Some(10.0), None, None, Some(10.0)]);
    assert_eq!((rates.resets, rates.rejected), (1, 1));
    assert!(Trace::parse(text).is_err(), "a rate is never negative");
}
