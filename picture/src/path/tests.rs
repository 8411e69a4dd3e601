use super::{Place, area, band, line, runs};

const BROKEN: [Option<Place>; 5] = [
    Some((0.0, 5.0)),
    Some((1.0, 6.0)),
    None,
    None,
    Some((4.0, 7.0)),
];

#[test]
fn a_missing_value_breaks_the_line_and_a_lone_one_is_a_dot() {
    assert_eq!(
        line(&runs(BROKEN.into_iter())),
        "M0.0 5.0L1.0 6.0M4.0 7.0h.1"
    );
}

#[test]
fn areas_go_down_to_the_bottom_at_each_break() {
    assert_eq!(
        area(&runs(BROKEN.into_iter()), 9.0),
        "M0.0 9.0L0.0 5.0L1.0 6.0L1.0 9.0ZM4.0 9.0L4.0 7.0L4.0 9.0Z"
    );
    assert_eq!(area(&[], 9.0), "");
}

#[test]
fn a_band_lies_between_two_lines_and_breaks_where_either_does() {
    let pairs = BROKEN.map(|upper| upper.map(|(x, y)| ((x, y), (x, y + 2.0))));
    let pairs = pairs.map(|pair| pair.filter(|((x, _), _)| (*x - 1.0).abs() > 0.5));
    assert_eq!(
        band(pairs.into_iter()),
        "M0.0 5.0L0.0 7.0ZM4.0 7.0L4.0 9.0Z"
    );
}

#[test]
fn more_points_than_pixels_lose_no_peak() {
    let many = (0..10_000).map(|index| {
        let y = if index == 4_321 { 1.0 } else { 50.0 };
        Some((f64::from(index) / 100.0, y))
    });
    let runs = runs(many);
    assert!(runs[0].len() <= 400, "{} places", runs[0].len());
    assert!(runs[0].contains(&(43.21, 1.0)));
    assert!(line(&runs).len() < 200, "a level stretch is one line");
}
