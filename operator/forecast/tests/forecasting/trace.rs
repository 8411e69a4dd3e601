//! What is known of a recorded trace at an instant.

use floodgate_forecast::{Series, UnixMillis};
use floodgate_trace::Trace;

#[test]
fn a_series_holds_what_a_trace_had_by_then_and_blanks_stay_missing() {
    let text = "2026-11-11T00:00:00Z,3\n2026-11-11T00:01:00Z,\n2026-11-11T00:02:00Z,5.5\n";
    let trace = Trace::parse(text).unwrap();
    let (first, last) = trace.span();
    let whole = Series::known_at(&trace, last.into()).unwrap();
    assert_eq!((whole.quality().points, whole.quality().missing), (2, 1));
    let before = UnixMillis::from(last).plus_s(-1);
    let known = Series::known_at(&trace, before).unwrap();
    assert_eq!((known.quality().points, known.end()), (1, first.into()));
    let nothing = Series::known_at(&trace, UnixMillis(0));
    assert!(nothing.is_err(), "nothing is known yet");
}
