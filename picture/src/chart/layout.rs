//! Where everything of one panel lies, and its SVG.

use maud::{Markup, html};

use crate::axis::Axis;
use crate::chart::{Chart, Panel, Strip};
use crate::label::{Bounds, Label, overlap, width};
use crate::path::{self, Place};
use crate::series::{Point, Series, Shape};
use crate::time::{Tick, Time};

const WIDTH: f64 = 1_120.0;
/// Room for the labels of the vertical axis, pixels.
const LEFT: f64 = 76.0;
/// Room for half of the last label of the time axis, pixels.
const RIGHT: f64 = 24.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - RIGHT;
/// Distance of a label from the plot, pixels.
const GAP: f64 = 8.0;
/// Above a plot, for the unit and one row of tags, pixels.
const TOP: f64 = 24.0;
/// Base line of the lowest row of tags above the plot, and from one row to the next, pixels.
const TAG_Y: f64 = 7.0;
const TAG_ROW: f64 = 18.0;
/// From the middle of a text to its base line, pixels.
const BASE: f64 = 4.0;
/// Most rows of tags above a plot; a tag that finds no room is left out.
const TAG_ROWS: u8 = 4;
/// Height of a bar in a strip, and from one strip to the next, pixels.
const BAR: f64 = 10.0;
const STRIP: f64 = 16.0;
/// Narrowest bar that can be seen, pixels.
const BAR_MIN: f64 = 2.0;
/// For the labels of the time axis, pixels.
const TIMES: f64 = 42.0;

/// One panel, laid out.
pub(crate) struct Layout<'a> {
    chart: &'a Chart,
    panel: &'a Panel,
    axis: Axis,
    /// Height of all of it.
    height: f64,
    plot: Bounds,
    labels: Vec<Label>,
    ticks: Vec<Tick>,
}

impl<'a> Layout<'a> {
    /// Lays a panel out: the first one carries the tags, the last one the labels of the time axis.
    pub(crate) fn of(chart: &'a Chart, panel: &'a Panel, first: bool, last: bool) -> Self {
        let axis = axis(panel);
        let mut labels = if first { tags(chart) } else { Vec::new() };
        let highest = labels.iter().map(|label| label.y);
        let top = TOP - TAG_Y - highest.fold(-TAG_Y, f64::min);
        for label in &mut labels {
            label.y += top;
        }
        let bottom = top + panel.height;
        let below = bottom + STRIP * panel.strips.len() as f64;
        let ticks = chart.time.ticks(PLOT_WIDTH);
        labels.push(beside(top - 15.0, panel.unit));
        let values = axis.ticks().into_iter();
        labels.extend(values.map(|(y, text)| beside(top + y, &text)));
        let strips = panel.strips.iter().zip(strips(bottom));
        labels.extend(strips.map(|(strip, y)| beside(y + BAR / 2.0, strip.name)));
        if last {
            labels.push(beside(below + 15.0, &chart.time.zone()));
            labels.extend(ticks.iter().flat_map(|tick| under(tick, below)));
        }
        Self {
            chart,
            panel,
            axis,
            height: below + if last { TIMES } else { GAP },
            plot: [LEFT, top, WIDTH - RIGHT, bottom],
            labels,
            ticks,
        }
    }

    pub(crate) fn draw(&self) -> Markup {
        let [_, top, _, bottom] = self.plot;
        let height = self.panel.height + 2.0;
        html! {
            svg viewBox={ "0 0 " (WIDTH) " " (px(self.height)) } role="img" aria-label=(self.chart.label) {
                (self.grid(top))
                @for (strip, y) in self.panel.strips.iter().zip(strips(bottom)) {
                    (bars(strip, y, &self.chart.time))
                }
                // The inner SVG clips what is drawn to the plot and one pixel around it.
                svg.plot x=(LEFT - 1.0) y=(px(top - 1.0)) width=(PLOT_WIDTH + 2.0) height=(height)
                    viewBox={ "-1 -1 " (PLOT_WIDTH + 2.0) " " (height) } {
                    (self.stretches())
                    @for series in &self.panel.series { (self.series(series)) }
                    (self.instants())
                }
                @for label in &self.labels { (text(label)) }
            }
        }
    }

    fn grid(&self, top: f64) -> Markup {
        let rows = self.axis.ticks().into_iter();
        let rows = rows.map(|(y, _)| format!("M{LEFT} {:.1}h{PLOT_WIDTH}", top + y));
        let columns = self.ticks.iter().map(|tick| {
            let x = LEFT + tick.share * PLOT_WIDTH;
            format!("M{x:.1} {top:.1}v{}", self.panel.height + 4.0)
        });
        html! { path.grid d=(rows.chain(columns).collect::<String>()) {} }
    }

    fn stretches(&self) -> Markup {
        let time = &self.chart.time;
        html! {
            @for stretch in self.chart.annotations.iter().filter(|marked| marked.is_stretch()) {
                @let (from, until) = (x(time, stretch.from_s), x(time, stretch.until_s));
                rect.{ "shade " (stretch.colour.0) } x=(px(from)) y="0"
                    width=(px((until - from).max(1.0))) height=(self.panel.height) {
                    title { (stretch.name) }
                }
            }
        }
    }

    fn instants(&self) -> Markup {
        let time = &self.chart.time;
        let instants = self.chart.annotations.iter();
        let instants = instants.filter(|marked| !marked.is_stretch() && time.holds(marked.from_s));
        html! {
            @for instant in instants {
                path.{ "upright " (instant.colour.0) }
                    d={ "M" (px(x(time, instant.from_s))) " 0v" (self.panel.height) } {
                    title { (instant.name) }
                }
            }
        }
    }

    fn series(&self, series: &Series) -> Markup {
        let place = |(at_s, value): &Point| -> Option<Place> {
            let at_s = at_s.is_finite().then_some(*at_s)?;
            Some((x(&self.chart.time, at_s), self.axis.y((*value)?)?))
        };
        let runs = path::runs(series.points.iter().map(place));
        let (fill, line) = match &series.shape {
            Shape::Line => (None, Some("line ")),
            Shape::Dashed => (None, Some("line dashed ")),
            Shape::Area => (Some(path::area(&runs, self.panel.height)), Some("line ")),
            Shape::Band(below) => {
                let pairs = series.points.iter().zip(below);
                let pairs = pairs.map(|(point, below)| place(point).zip(place(below)));
                (Some(path::band(pairs)), None)
            }
        };
        html! {
            @if let Some(fill) = fill { path.{ "fill " (series.colour.0) } d=(fill) {} }
            @if let Some(line) = line {
                path.{ (line) (series.colour.0) } d=(path::line(&runs)) {}
            }
        }
    }
}

/// A label of the vertical axis, in the middle of which lies `y`.
fn beside(y: f64, text: &str) -> Label {
    Label {
        x: LEFT - GAP,
        y: y + BASE,
        ends: true,
        text: text.to_owned(),
        tag: None,
    }
}

/// A text over or under the pixel `x` of the plot, moved so that it reaches neither into the
/// labels of the vertical axis nor out of the picture.
fn centred(x: f64, y: f64, text: &str) -> Label {
    let label = Label {
        x: LEFT + x,
        ends: false,
        ..beside(y, text)
    };
    label.within(LEFT, WIDTH)
}

/// The labels of a tick of the time axis: the time, and below it the day where it changes.
fn under(tick: &Tick, below: f64) -> impl Iterator<Item = Label> {
    let texts = [Some(&tick.text), tick.below.as_ref()];
    let label =
        move |(row, text): (f64, &String)| centred(tick.share * PLOT_WIDTH, below + row, text);
    let texts = [15.0, 32.0].into_iter().zip(texts.into_iter().flatten());
    texts.map(label)
}

fn axis(panel: &Panel) -> Axis {
    let values = panel.series.iter().flat_map(|series| {
        let below = match &series.shape {
            Shape::Band(below) => below.as_slice(),
            Shape::Line | Shape::Dashed | Shape::Area => &[],
        };
        let points = series.points.iter().chain(below);
        points.filter_map(|(_, value)| *value)
    });
    match panel.top {
        Some(top) => Axis::over(panel.scale, panel.height, top, std::iter::empty()),
        None => Axis::over(panel.scale, panel.height, panel.top_min, values),
    }
}

/// Pixel of an instant in the plot.
fn x(time: &Time, at_s: f64) -> f64 {
    time.share(at_s) * PLOT_WIDTH
}

/// What is printed above annotations, in rows from the plot's top upwards; stretches come first.
fn tags(chart: &Chart) -> Vec<Label> {
    let tagged = chart
        .annotations
        .iter()
        .filter(|marked| !marked.tag.is_empty());
    let labels = tagged.filter_map(|marked| {
        let [from, until] = [marked.from_s, marked.until_s].map(|at_s| x(&chart.time, at_s));
        let fits = if marked.is_stretch() {
            width(&marked.tag) + GAP <= until - from
        } else {
            chart.time.holds(marked.from_s)
        };
        let tag = (!marked.is_stretch()).then_some(marked.colour);
        fits.then(|| (f64::midpoint(from, until), &marked.tag, tag))
    });
    let (stretches, instants): (Vec<_>, Vec<_>) = labels.partition(|(.., tag)| tag.is_none());
    let mut placed: Vec<Label> = Vec::new();
    for (x, text, tag) in stretches.into_iter().chain(instants) {
        let mut rows = (0..TAG_ROWS).map(|row| {
            let y = -TAG_Y - BASE - TAG_ROW * f64::from(row);
            let label = Label {
                tag,
                ..centred(x, y, text)
            };
            label.within(LEFT, WIDTH)
        });
        let free = |label: &Label| {
            let mut others = placed.iter();
            !others.any(|other| overlap(other.bounds(), label.bounds()))
        };
        let found = rows.find(free);
        placed.extend(found);
    }
    placed
}

/// The top of each strip.
fn strips(bottom: f64) -> impl Iterator<Item = f64> {
    (0_u16..).map(move |index| bottom + BAR + STRIP * f64::from(index))
}

/// The bars of a strip, as opaque as they are strong.
fn bars(strip: &Strip, y: f64, time: &Time) -> Markup {
    let seen = strip.bars.iter().filter(|(from_s, until_s, strength)| {
        *strength > 0.0 && *from_s < time.until_s && *until_s > time.from_s
    });
    html! {
        @for (from_s, until_s, strength) in seen {
            @let from = x(time, *from_s);
            rect.{ "bar " (strip.colour.0) } x=(px(LEFT + from)) y=(px(y))
                width=(px((x(time, *until_s) - from).max(BAR_MIN))) height=(BAR)
                opacity=(0.4 + 0.6 * strength) {}
        }
    }
}

fn text(label: &Label) -> Markup {
    let [left, top, right, bottom] = label.bounds();
    html! {
        @if let Some(colour) = label.tag {
            rect.{ "bar " (colour.0) } x=(px(left)) y=(px(top - 1.0)) rx="8"
                width=(px(right - left)) height=(px(bottom - top + 2.0)) {}
        }
        text.tagged[label.tag.is_some()] x=(px(label.x)) y=(px(label.y))
            text-anchor=(if label.ends { "end" } else { "middle" }) { (label.text) }
    }
}

/// A length as it is written: a tenth of a pixel cannot be seen.
fn px(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
