//! The panels of the chart and the series in them.

use floodgate_words::Level;

use super::scale::Spread;
use crate::sale_day::report::Row;
use crate::sale_day::verdict::P99_MS;

/// How a series is drawn.
#[derive(Clone, Copy)]
pub enum Shape {
    /// A straight line from value to value.
    Line,
    /// A line that keeps each value until the next.
    Steps,
    /// A line with the area under it.
    Area,
    /// Steps with the area under them.
    StepArea,
    /// An area that stands on the values of another series.
    Band(fn(&Row) -> Option<f64>),
}

/// One series of a panel.
pub struct Series {
    /// Class in the style sheet.
    pub class: &'static str,
    /// Name in the legend.
    pub name: &'static str,
    /// How it is drawn.
    pub shape: Shape,
    /// Its value in a second.
    pub value: fn(&Row) -> Option<f64>,
}

const fn series(
    class: &'static str,
    name: &'static str,
    shape: Shape,
    value: fn(&Row) -> Option<f64>,
) -> Series {
    Series {
        class,
        name,
        shape,
        value,
    }
}

/// One panel.
pub struct Panel {
    /// Title with the unit.
    pub title: &'static str,
    /// Height of the plot, pixels.
    pub height: f64,
    /// How values are spread over the axis.
    pub spread: Spread,
    /// The axis reaches at least this value.
    pub least_top: f64,
    /// What has to fit under the top instead of all series; values above the top are cut off.
    pub top: Option<fn(&Row) -> Option<f64>>,
    /// Its series, the lowest drawn first.
    pub series: &'static [Series],
    /// Label of a value on the axis.
    pub tick: fn(f64) -> String,
    /// A value with a line of its own, and its name.
    pub mark: Option<(f64, &'static str)>,
}

/// All panels, from top to bottom.
pub const PANELS: [Panel; 5] = [
    Panel {
        title: "Load, requests/s",
        height: 230.0,
        spread: Spread::Linear,
        least_top: 10.0,
        top: None,
        series: &[
            series("acked", "admitted", Shape::Area, |row| row.acked_rps),
            series(
                "shed",
                "shed, on top of admitted",
                Shape::Band(|row| row.acked_rps),
                |row| {
                    row.acked_rps
                        .zip(row.shed_rps)
                        .map(|(acked_rps, shed_rps)| acked_rps + shed_rps)
                },
            ),
            series("offered", "offered", Shape::Line, |row| row.offered_rps),
        ],
        tick: |value| format!("{value:.0}"),
        mark: None,
    },
    Panel {
        title: "Forecast at the lead time, requests/s; load above it is cut off",
        height: 80.0,
        spread: Spread::Linear,
        least_top: 10.0,
        top: Some(|row| row.forecast_upper_rps.map(|upper_rps| 1.4 * upper_rps)),
        series: &[
            series("offered", "offered", Shape::Line, |row| row.offered_rps),
            series("upper", "upper quantile", Shape::Line, |row| {
                row.forecast_upper_rps
            }),
            series("p50", "median", Shape::Line, |row| row.forecast_p50_rps),
        ],
        tick: |value| format!("{value:.0}"),
        mark: None,
    },
    Panel {
        title: "Pods",
        height: 150.0,
        spread: Spread::Linear,
        least_top: 4.0,
        top: None,
        series: &[
            series("warm", "warm", Shape::StepArea, |row| {
                row.warm.map(f64::from)
            }),
            series("ready", "ready", Shape::Steps, |row| {
                row.ready.map(f64::from)
            }),
            series("desired", "desired", Shape::Steps, |row| {
                row.desired.map(f64::from)
            }),
        ],
        tick: |value| format!("{value:.0}"),
        mark: None,
    },
    Panel {
        title: "Degradation level",
        height: 76.0,
        spread: Spread::Linear,
        least_top: 4.0,
        top: None,
        series: &[series("level", "level in force", Shape::StepArea, |row| {
            row.level.map(|level| f64::from(level.index()))
        })],
        tick: |value| {
            Level::from_index(value as u8).map_or_else(String::new, |level| level.to_string())
        },
        mark: None,
    },
    Panel {
        title: "Latency, ms, logarithmic",
        height: 110.0,
        spread: Spread::Log(1.0),
        least_top: 1_000.0,
        top: None,
        series: &[
            series(
                "p99",
                "99th percentile of each second",
                Shape::Line,
                |row| row.p99_ms,
            ),
            series("median", "median", Shape::Line, |row| row.p50_ms),
        ],
        tick: |value| format!("{value:.0}"),
        mark: Some((P99_MS, "mark for the step")),
    },
];
