use jiff::tz::Offset;
use proptest::prelude::*;

use super::{Layout, WIDTH};
use crate::label::overlap;
use crate::{Annotation, Chart, Colour, Panel, Scale, Series, Shape, Strip, Time, steps};

/// A chart with everything on it, over a span from `from_s`.
fn full(from_s: f64, length_s: f64, scale: Scale, height: f64, greatest: f64) -> Chart {
    let at = |share: f64| from_s + share * length_s;
    let points = (0..=200).map(|step| {
        let share = f64::from(step) / 200.0;
        (at(share), Some(greatest * share))
    });
    let points: Vec<_> = points.collect();
    let strip = |name| Strip {
        colour: Colour::RED,
        name,
        bars: vec![(at(0.2), at(0.3), 1.0)],
    };
    let marked = |(from, until, tag): (f64, f64, &str)| Annotation {
        colour: Colour::GREEN,
        kind: "sale",
        name: "a sale".to_owned(),
        tag: tag.to_owned(),
        from_s: at(from),
        until_s: at(until),
    };
    let stretch = (0.4, 0.6, "\u{53cc}\u{5341}\u{4e00} opening");
    let instants = [0.0, 0.4, 0.4, 0.41, 0.99, 1.0].map(|share| (share, share, "11"));
    let panel = Panel {
        scale,
        top_min: 1.0,
        series: vec![
            Series::new(Colour::BLUE, "steps", Shape::Area, steps(&points)),
            Series::new(Colour::TEAL, "line", Shape::Dashed, points),
        ],
        strips: vec![strip("SLO missed"), strip("level")],
        ..Panel::new("Load", "requests/s", height)
    };
    Chart {
        label: "all of it".to_owned(),
        time: Time {
            from_s,
            until_s: at(1.0),
            offset: Offset::from_hours(8).unwrap(),
        },
        annotations: std::iter::once(stretch)
            .chain(instants)
            .map(marked)
            .collect(),
        panels: vec![panel.clone(), panel],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_label_is_crossed_by_a_curve_or_another_label_or_cut_off(
        from_s in 0.0..4e9,
        length_s in (0..9_i32).prop_flat_map(|power| 1.0 * 10_f64.powi(power)..10.0 * 10_f64.powi(power)),
        scale in prop::sample::select(vec![
            Scale::Linear,
            Scale::SquareRoot,
            Scale::Log(1.0),
            Scale::Named(&["Normal", "Guard", "Reduce", "Protect", "Survive"]),
        ]),
        height in 76.0..300.0,
        greatest in 1.0..1e6,
    ) {
        let chart = full(from_s, length_s, scale, height, greatest);
        for (index, panel) in chart.panels.iter().enumerate() {
            let layout = Layout::of(&chart, panel, index == 0, index == 1);
            for (place, label) in layout.labels.iter().enumerate() {
                let bounds = label.bounds();
                prop_assert!(!overlap(bounds, layout.plot), "{label:?} lies in {:?}", layout.plot);
                let [left, top, right, bottom] = bounds;
                prop_assert!(left >= 0.0 && right <= WIDTH, "{label:?} is cut off");
                prop_assert!(top >= 0.0 && bottom <= layout.height, "{label:?} is cut off");
                for other in &layout.labels[..place] {
                    prop_assert!(!overlap(bounds, other.bounds()), "{label:?} lies on {other:?}");
                }
            }
        }
    }
}

#[test]
fn the_unit_is_at_the_vertical_axis_and_the_zone_at_that_of_time() {
    let chart = full(0.0, 3_600.0, Scale::Linear, 150.0, 10.0);
    let texts = |index: usize| {
        let layout = Layout::of(&chart, &chart.panels[index], index == 0, index == 1);
        let labels = layout.labels.into_iter();
        labels.map(|label| label.text).collect::<Vec<_>>()
    };
    assert!(texts(0).contains(&"requests/s".to_owned()));
    assert!(!texts(0).contains(&"UTC+08:00".to_owned()));
    assert!(texts(1).contains(&"UTC+08:00".to_owned()));
}

#[test]
fn every_tag_finds_room_where_markers_are_close() {
    let chart = full(0.0, 3_600.0, Scale::Linear, 150.0, 10.0);
    let layout = Layout::of(&chart, &chart.panels[0], true, false);
    let tags = layout.labels.iter().filter(|label| label.tag.is_some());
    assert_eq!(tags.count(), 6);
}

#[test]
fn coordinates_are_finite_whatever_was_measured() {
    let mut chart = full(0.0, 3_600.0, Scale::Linear, 150.0, 10.0);
    let points = &mut chart.panels[0].series[1].points;
    points[1].1 = Some(f64::NAN);
    points[2].1 = Some(f64::INFINITY);
    points[3].1 = Some(f64::MAX);
    points[4].1 = Some(-3.0);
    points[5].0 = f64::NAN;
    chart.annotations[0].from_s = f64::NAN;
    chart.annotations[1].until_s = f64::INFINITY;
    chart.annotations[2].from_s = f64::INFINITY;
    let empty = Chart {
        time: Time {
            from_s: f64::NAN,
            until_s: f64::NAN,
            offset: Offset::UTC,
        },
        ..chart.clone()
    };
    for chart in [chart, empty] {
        let page = chart.figure().into_string();
        for part in page.split(['"', ' ', 'L', 'M', 'h', 'v']) {
            assert!(!["NaN", "inf", "-inf"].contains(&part), "{page}");
        }
    }
}
