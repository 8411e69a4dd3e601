//! A chart: panels over one time axis, each with one vertical axis, so that no curve can be read
//! against the wrong unit.

mod layout;

use maud::{Markup, html};

use self::layout::Layout;
use crate::axis::Scale;
use crate::series::{Colour, Series, Shape};
use crate::time::Time;

/// Panels over one time axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows, for those who cannot see it.
    pub label: String,
    /// The time axis.
    pub time: Time,
    /// What is marked in every panel.
    pub annotations: Vec<Annotation>,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// An instant or, where its end is later than its start, a stretch of time.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// Its colour.
    pub colour: Colour,
    /// Its kind, for the legend; empty for no entry.
    pub kind: &'static str,
    /// What it marks, shown by a pointer that rests on it.
    pub name: String,
    /// Printed above it; empty for nothing. That of a stretch is left out where it is too wide.
    pub tag: String,
    /// Its start, Unix seconds.
    pub from_s: f64,
    /// Its end, Unix seconds.
    pub until_s: f64,
}

/// One plot with its vertical axis.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Printed above, beside the legend; without a title the page holds the legend.
    pub title: &'static str,
    /// The unit of the axis.
    pub unit: &'static str,
    /// Height of the plot, pixels.
    pub height: f64,
    /// How values are spread.
    pub scale: Scale,
    /// The axis reaches at least this value.
    pub top_min: f64,
    /// Where the axis ends instead of above all values; what is above is clipped.
    pub top: Option<f64>,
    /// The lowest drawn first.
    pub series: Vec<Series>,
    /// Below the plot.
    pub strips: Vec<Strip>,
}

/// A row of bars below a plot, for what is on or off.
#[derive(Clone, Debug)]
pub struct Strip {
    /// Its colour.
    pub colour: Colour,
    /// Its name, printed beside it.
    pub name: &'static str,
    /// Start and end, Unix seconds, and strength, 0 to 1.
    pub bars: Vec<(f64, f64, f64)>,
}

impl Annotation {
    /// Whether it is a stretch of time and no instant.
    pub(crate) fn is_stretch(&self) -> bool {
        self.until_s > self.from_s
    }
}

impl Panel {
    /// A panel with an even axis from 0 and nothing on it yet.
    pub fn new(title: &'static str, unit: &'static str, height: f64) -> Self {
        Self {
            title,
            unit,
            height,
            scale: Scale::Linear,
            top_min: 0.0,
            top: None,
            series: Vec::new(),
            strips: Vec::new(),
        }
    }
}

impl Chart {
    /// The chart with the title and the legend of each panel.
    pub fn figure(&self) -> Markup {
        let last = self.panels.len().saturating_sub(1);
        html! {
            figure.scroll {
                @for (index, panel) in self.panels.iter().enumerate() {
                    @if !panel.title.is_empty() {
                        figcaption { b { (panel.title) } (self.legend(index)) }
                    }
                    (Layout::of(self, panel, index == 0, index == last).draw())
                }
            }
        }
    }

    /// The legend of a panel; that of the first names the annotations too.
    pub fn legend(&self, panel: usize) -> Markup {
        let series = self
            .panels
            .get(panel)
            .map_or(&[][..], |panel| &panel.series);
        let series = series.iter().map(|series| {
            let shape = match series.shape {
                Shape::Line => "solid",
                Shape::Dashed => "dashed",
                Shape::Area | Shape::Band(_) => "area",
            };
            (series.colour, shape, series.name.as_str())
        });
        let marked = self.annotations.iter().filter(|_| panel == 0);
        let marked = marked.map(|marked| {
            let shape = if marked.is_stretch() {
                "shade"
            } else {
                "upright"
            };
            (marked.colour, shape, marked.kind)
        });
        let mut named = vec![""];
        let keys = series.chain(marked).filter(|(.., name)| {
            let new = !named.contains(name);
            named.push(name);
            new
        });
        html! {
            span.legend {
                @for (colour, shape, name) in keys { span { i.{ (shape) " " (colour.0) } {} (name) } }
            }
        }
    }
}
