//! The page of one forecast: the path beside what came before it and what happened.

use floodgate_forecast::{ForecastPath, Mask, UnixMillis};
use floodgate_picture::{Annotation, Chart, Colour, Page, Panel, Point, Series, Shape, Time};
use jiff::tz::Offset;

/// Height of the plot, pixels.
const HEIGHT: f64 = 380.0;

/// What is drawn.
pub(crate) struct Picture<'a> {
    pub(crate) title: String,
    /// Where the forecast begins.
    pub(crate) at: UnixMillis,
    pub(crate) history: Vec<(UnixMillis, f64)>,
    pub(crate) path: &'a ForecastPath,
    pub(crate) truth: Vec<(UnixMillis, f64)>,
    pub(crate) events: Vec<UnixMillis>,
    /// Windows that were left out of the history.
    pub(crate) masked: &'a [Mask],
    /// Seconds between two points of the history where none is missing.
    pub(crate) step_s: u32,
    pub(crate) figures: String,
}

/// The page.
pub(crate) fn html(picture: &Picture) -> String {
    let title = format!("{}, forecast at {}", picture.title, picture.at);
    let page = Page {
        kind: "Floodgate forecast",
        verdict: None,
        title: &title,
        origin: &picture.figures,
        body: chart(picture).figure(),
    };
    page.render()
}

fn chart(picture: &Picture) -> Chart {
    let Picture { path, .. } = picture;
    let from = picture.history.first().map_or(picture.at, |(at, _)| *at);
    let (p50, upper) = (steps(path, path.p50_rps()), steps(path, path.upper_rps()));
    let upper_name = format!("p{}", path.quantile_percent());
    let history = broken(&picture.history, picture.step_s);
    let truth = broken(&picture.truth, path.step_s());
    let mut series = vec![
        Series::new(Colour::BLUE, "", Shape::Band(p50.clone()), upper.clone()),
        Series::new(Colour::GREY, "history", Shape::Line, history),
        Series::new(Colour::AMBER, upper_name, Shape::Dashed, upper),
        Series::new(Colour::BLUE, "median", Shape::Line, p50),
    ];
    if !truth.is_empty() {
        series.push(Series::new(
            Colour::GREEN,
            "what happened",
            Shape::Line,
            truth,
        ));
    }
    let marked = |colour, kind: &'static str, (from, until): (UnixMillis, UnixMillis)| Annotation {
        colour,
        kind,
        name: format!("{kind} {from}"),
        tag: String::new(),
        from_s: seconds(from),
        until_s: seconds(until),
    };
    let seen = |(start, end): &(UnixMillis, UnixMillis)| *start < path.end() && *end >= from;
    let origin = marked(Colour::INK, "forecast from here", (picture.at, picture.at));
    let events = picture.events.iter().map(|at| (*at, *at)).filter(seen);
    let events = events.map(|event| marked(Colour::AMBER, "event", event));
    let masked = picture.masked.iter().map(|mask| (mask.from, mask.until));
    let masked = masked.filter(seen);
    let masked = masked.map(|mask| marked(Colour::GREY, "left out of the history", mask));
    Chart {
        label: format!("{}: {}", picture.title, picture.figures),
        time: Time {
            from_s: seconds(from),
            until_s: seconds(path.end()),
            offset: Offset::UTC,
        },
        annotations: masked.chain(events).chain([origin]).collect(),
        panels: vec![Panel {
            series,
            ..Panel::new("Load", "requests/s", HEIGHT)
        }],
    }
}

/// The points of a line that is broken where values are missing: nothing is known there.
fn broken(points: &[(UnixMillis, f64)], step_s: u32) -> Vec<Point> {
    let gap_s = i64::from(step_s) * 3 / 2;
    let pieces = points.chunk_by(|before, after| after.0.seconds_since(before.0) <= gap_s);
    let pieces = pieces.flat_map(|piece| {
        let known = piece.iter().map(|(at, load)| (seconds(*at), Some(*load)));
        let end = piece.last().map(|(at, _)| (seconds(*at), None));
        known.chain(end)
    });
    pieces.collect()
}

fn steps(path: &ForecastPath, loads: &[f64]) -> Vec<Point> {
    let start_s = seconds(path.start());
    let places = (0_u32..).map(|index| start_s + f64::from(index) * f64::from(path.step_s()));
    places.zip(loads.iter().map(|load| Some(*load))).collect()
}

fn seconds(at: UnixMillis) -> f64 {
    at.0 as f64 / 1e3
}
