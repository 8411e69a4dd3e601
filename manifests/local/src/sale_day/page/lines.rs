//! SVG paths from a series of values, broken where a value is missing.

use std::fmt::Write;

/// A point of a series: pixel of its time, pixel of its value or none.
pub type Point = (f64, Option<f64>);

/// A straight line from value to value.
pub fn line(points: &[Point]) -> String {
    path(points, |d, x, y| {
        let _ = write!(d, "L{x:.1} {y:.1}");
    })
}

/// A line that keeps a value until the next one, for counts.
pub fn steps(points: &[Point]) -> String {
    path(points, |d, x, y| {
        let _ = write!(d, "H{x:.1}V{y:.1}");
    })
}

fn path(points: &[Point], draw: impl Fn(&mut String, f64, f64)) -> String {
    let mut d = String::new();
    for run in runs(points) {
        let (x, y) = run[0];
        let _ = write!(d, "M{x:.1} {y:.1}");
        if run.len() == 1 {
            d.push_str("h.1");
        }
        for (x, y) in &run[1..] {
            draw(&mut d, *x, *y);
        }
    }
    d
}

/// One vertical line through each plot, given by top and bottom pixels.
pub fn verticals(x: f64, plots: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (top, bottom) in plots {
        let _ = write!(d, "M{x:.1} {top:.1}V{bottom:.1}");
    }
    d
}

/// The area between the values and a bottom pixel.
pub fn area(points: &[Point], bottom: f64) -> String {
    let mut d = String::new();
    for run in runs(points) {
        let (first, last) = (run[0].0, run[run.len() - 1].0);
        let _ = write!(d, "M{first:.1} {bottom:.1}");
        for (x, y) in &run {
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
        let _ = write!(d, "L{last:.1} {bottom:.1}Z");
    }
    d
}

/// The same under a line of steps.
pub fn step_area(points: &[Point], bottom: f64) -> String {
    let mut d = String::new();
    for run in runs(points) {
        let _ = write!(d, "M{:.1} {bottom:.1}V{:.1}", run[0].0, run[0].1);
        for (x, y) in &run[1..] {
            let _ = write!(d, "H{x:.1}V{y:.1}");
        }
        let _ = write!(d, "V{bottom:.1}Z");
    }
    d
}

/// The area between the values and the values below them, at the same times.
pub fn band(points: &[Point], below: &[Point]) -> String {
    let finite = |y: Option<f64>| y.filter(|y| y.is_finite());
    let pairs = || points.iter().zip(below);
    let both = |(point, below): (&Point, &Point)| finite(point.1).zip(finite(below.1));
    let tops: Vec<Point> = pairs()
        .map(|pair| (pair.0.0, both(pair).map(|(y, _)| y)))
        .collect();
    let bottoms: Vec<Point> = pairs()
        .map(|pair| (pair.0.0, both(pair).map(|(_, y)| y)))
        .collect();
    let mut d = String::new();
    for (top, bottom) in runs(&tops).into_iter().zip(runs(&bottoms)) {
        let _ = write!(d, "M{:.1} {:.1}", top[0].0, top[0].1);
        for (x, y) in top[1..].iter().chain(bottom.iter().rev()) {
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
        d.push('Z');
    }
    d
}

/// The unbroken runs of a series, none empty.
fn runs(points: &[Point]) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut broken = true;
    for (x, y) in points {
        match y.filter(|y| y.is_finite() && x.is_finite()) {
            Some(y) => {
                if broken {
                    runs.push(Vec::new());
                }
                broken = false;
                if let Some(run) = runs.last_mut() {
                    run.push((*x, y));
                }
            }
            None => broken = true,
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{Point, area, band, line, step_area, steps};

    const BROKEN: [Point; 5] = [
        (0.0, Some(5.0)),
        (1.0, Some(6.0)),
        (2.0, None),
        (3.0, Some(f64::NAN)),
        (4.0, Some(7.0)),
    ];

    #[test]
    fn a_missing_value_breaks_the_line_and_a_lone_one_is_a_dot() {
        assert_eq!(line(&BROKEN), "M0.0 5.0L1.0 6.0M4.0 7.0h.1");
        assert_eq!(steps(&BROKEN), "M0.0 5.0H1.0V6.0M4.0 7.0h.1");
    }

    #[test]
    fn areas_go_down_to_the_bottom_at_each_break() {
        assert_eq!(
            area(&BROKEN, 9.0),
            "M0.0 9.0L0.0 5.0L1.0 6.0L1.0 9.0ZM4.0 9.0L4.0 7.0L4.0 9.0Z"
        );
        assert_eq!(step_area(&BROKEN[..2], 9.0), "M0.0 9.0V5.0H1.0V6.0V9.0Z");
        assert_eq!(area(&[], 9.0), "");
    }

    #[test]
    fn a_band_lies_between_two_lines_and_breaks_where_either_does() {
        let below = BROKEN.map(|(x, _)| (x, (!(0.5..1.5).contains(&x)).then_some(8.0)));
        assert_eq!(band(&BROKEN, &below), "M0.0 5.0L0.0 8.0ZM4.0 7.0L4.0 8.0Z");
        assert_eq!(
            band(&BROKEN[..2], &[(0.0, Some(8.0)), (1.0, Some(9.0))]),
            "M0.0 5.0L1.0 6.0L1.0 9.0L0.0 8.0Z"
        );
    }
}
