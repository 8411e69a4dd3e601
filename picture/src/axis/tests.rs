use super::{Axis, Scale, TICK_ROOM};

fn axis(scale: Scale, values: &[f64]) -> Axis {
    Axis::over(scale, 100.0, 1.0, values.iter().copied())
}

fn texts(axis: &Axis) -> Vec<String> {
    axis.ticks().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_linear_axis_ends_at_a_round_number_above_all_values() {
    let axis = axis(Scale::Linear, &[3.0, 1_180.0, f64::NAN]);
    assert_eq!(texts(&axis), ["0", "500", "1k", "1.5k"]);
    assert_eq!(axis.y(0.0), Some(100.0));
    assert_eq!(axis.y(1_500.0), Some(0.0));
}

#[test]
fn a_square_root_axis_labels_round_numbers_from_the_top() {
    let axis = axis(Scale::SquareRoot, &[18_234.0]);
    assert_eq!(texts(&axis), ["0", "10k", "5k", "2k"]);
}

#[test]
fn a_log_axis_labels_powers_of_ten_and_a_named_one_its_names() {
    assert_eq!(
        texts(&axis(Scale::Log(1.0), &[730.0])),
        ["1", "10", "100", "1k"]
    );
    let named = axis(Scale::Named(&["Normal", "Guard"]), &[]);
    assert_eq!(
        named.ticks(),
        [(100.0, "Normal".to_owned()), (0.0, "Guard".to_owned())]
    );
}

#[test]
fn positions_are_finite_and_none_is_below_the_plot() {
    for scale in [
        Scale::Linear,
        Scale::SquareRoot,
        Scale::Log(1.0),
        Scale::Named(&["a", "b"]),
    ] {
        for axis in [axis(scale, &[]), axis(scale, &[1e300])] {
            for value in [-1.0, 0.0, 0.5, 1e9, f64::MAX] {
                let y = axis.y(value).unwrap();
                assert!(y.is_finite() && y <= 100.0, "{scale:?}: {value} at {y}");
            }
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(axis.y(value), None);
            }
        }
    }
}

#[test]
fn every_tick_lies_in_the_plot_and_has_room() {
    for scale in [Scale::Linear, Scale::SquareRoot, Scale::Log(0.01)] {
        for greatest in [0.3, 1.0, 7.0, 12.0, 99.0, 1_234.0, 1e7] {
            let axis = Axis::over(scale, 230.0, 0.1, [greatest].into_iter());
            let mut places: Vec<f64> = axis.ticks().into_iter().map(|(y, _)| y).collect();
            places.sort_by(f64::total_cmp);
            assert!(places.len() >= 3, "{scale:?} up to {greatest}: {places:?}");
            assert!(places.iter().all(|y| (-1e-6..=230.0).contains(y)));
            let least = places
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .fold(f64::MAX, f64::min);
            // A linear axis ends above the greatest value, so its ticks are a little closer.
            assert!(
                least >= 0.6 * TICK_ROOM,
                "{scale:?} up to {greatest}: {places:?}"
            );
        }
    }
}
