//! The chart of the day: five panels over one time axis, with phases and events marked.

use floodgate_picture::{
    Annotation, Chart, Colour, Panel, Point, Scale, Series, Shape, Time, steps,
};
use floodgate_words::Level;
use jiff::Zoned;

use crate::sale_day::report::{Report, Row};
use crate::sale_day::verdict::P99_MS;

const LEVELS: [&str; 5] = [
    Level::ALL[0].as_str(),
    Level::ALL[1].as_str(),
    Level::ALL[2].as_str(),
    Level::ALL[3].as_str(),
    Level::ALL[4].as_str(),
];
/// The axis of the forecast ends at this many times its greatest upper quantile.
const ABOVE_FORECAST: f64 = 1.4;

/// The chart of a day that began at `start`.
pub fn chart(report: &Report, start: &Zoned) -> Chart {
    let start_s = start.timestamp().as_second() as f64;
    let t_s = report.timeline.iter().map(|row| row.t_s);
    let last_s = t_s.filter(|t_s| t_s.is_finite()).fold(1.0, f64::max);
    let day = Day {
        rows: &report.timeline,
        start_s,
    };
    let events = report.events.iter().zip(1..);
    let events = events.map(|(event, number)| Annotation {
        colour: Colour::INK,
        kind: "",
        name: event.label.clone(),
        tag: format!("{number}"),
        from_s: start_s + event.at_s,
        until_s: start_s + event.at_s,
    });
    Chart {
        label: "Load, pods, degradation level and latency over the sale day".to_owned(),
        time: Time {
            from_s: start_s,
            until_s: start_s + last_s,
            offset: start.offset(),
        },
        annotations: phases(&report.timeline, start_s).chain(events).collect(),
        panels: vec![
            day.load(),
            day.forecast(),
            day.pods(),
            day.level(),
            day.latency(),
        ],
    }
}

/// The stretches of the day that are not at base load.
fn phases(rows: &[Row], start_s: f64) -> impl Iterator<Item = Annotation> {
    let phases = rows.chunk_by(|one, other| one.phase == other.phase);
    phases.filter_map(move |rows| {
        let (first, last) = (rows.first()?, rows.last()?);
        let colour = match first.phase.as_str() {
            "sale" => Colour::BLUE,
            "overload" => Colour::ORANGE,
            _ => return None,
        };
        Some(Annotation {
            colour,
            kind: "",
            name: first.phase.clone(),
            tag: first.phase.clone(),
            from_s: start_s + first.t_s,
            until_s: start_s + last.t_s + 1.0,
        })
    })
}

/// The rows of the day, for the panels.
struct Day<'a> {
    rows: &'a [Row],
    start_s: f64,
}

impl Day<'_> {
    fn of(&self, value: fn(&Row) -> Option<f64>) -> Vec<Point> {
        let rows = self.rows.iter();
        rows.map(|row| (self.start_s + row.t_s, value(row)))
            .collect()
    }

    fn load(&self) -> Panel {
        let shed = self.of(|row| Some(row.acked_rps? + row.shed_rps?));
        let acked = self.of(|row| row.acked_rps);
        let offered = self.of(|row| row.offered_rps);
        Panel {
            top_min: 10.0,
            series: vec![
                Series::new(Colour::BLUE, "admitted", Shape::Area, acked.clone()),
                Series::new(
                    Colour::ORANGE,
                    "shed, on top of admitted",
                    Shape::Band(acked),
                    shed,
                ),
                Series::new(Colour::INK, "offered", Shape::Line, offered),
            ],
            ..Panel::new("Load", "requests/s", 230.0)
        }
    }

    fn forecast(&self) -> Panel {
        let offered = self.of(|row| row.offered_rps);
        let upper = self.of(|row| row.forecast_upper_rps);
        let median = self.of(|row| row.forecast_p50_rps);
        let most = upper.iter().filter_map(|(_, rps)| *rps);
        Panel {
            top: Some(ABOVE_FORECAST * most.fold(10.0, f64::max)),
            series: vec![
                Series::new(Colour::INK, "offered", Shape::Line, offered),
                Series::new(Colour::VIOLET, "upper quantile", Shape::Dashed, upper),
                Series::new(Colour::VIOLET, "median", Shape::Line, median),
            ],
            ..Panel::new(
                "Forecast at the lead time; load above it is cut off",
                "requests/s",
                90.0,
            )
        }
    }

    fn pods(&self) -> Panel {
        let warm = steps(&self.of(|row| row.warm.map(f64::from)));
        let ready = steps(&self.of(|row| row.ready.map(f64::from)));
        let desired = steps(&self.of(|row| row.desired.map(f64::from)));
        Panel {
            top_min: 4.0,
            series: vec![
                Series::new(Colour::AMBER, "warm", Shape::Area, warm),
                Series::new(Colour::BLUE, "ready", Shape::Line, ready),
                Series::new(Colour::INK, "desired", Shape::Dashed, desired),
            ],
            ..Panel::new("Pods", "pods", 150.0)
        }
    }

    fn level(&self) -> Panel {
        let level = steps(&self.of(|row| Some(f64::from(row.level?.index()))));
        Panel {
            scale: Scale::Named(&LEVELS),
            series: vec![Series::new(
                Colour::ORANGE,
                "level in force",
                Shape::Area,
                level,
            )],
            ..Panel::new("Degradation", "level", 80.0)
        }
    }

    fn latency(&self) -> Panel {
        let p99 = self.of(|row| row.p99_ms);
        let mark = p99.iter().map(|(at_s, _)| (*at_s, Some(P99_MS))).collect();
        let mark_name = format!("mark for the step, {P99_MS:.0} ms");
        let median = self.of(|row| row.p50_ms);
        Panel {
            scale: Scale::Log(1.0),
            top_min: 1_000.0,
            series: vec![
                Series::new(Colour::GREY, mark_name, Shape::Dashed, mark),
                Series::new(
                    Colour::RED,
                    "99th percentile of each second",
                    Shape::Line,
                    p99,
                ),
                Series::new(Colour::TEAL, "median", Shape::Line, median),
            ],
            ..Panel::new("Latency, logarithmic", "ms", 110.0)
        }
    }
}
