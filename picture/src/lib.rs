//! The one drawing kit: charts over time as SVG, tables, and the HTML page that holds them.
//!
//! A page is one file: styles are inlined, nothing is fetched and nothing runs. It follows the
//! reader's light or dark setting. Pure: values in, text out; no clock, no I/O.
//!
//! Invariant: text is escaped by the macro that writes it, so no input can become markup.
//! Invariant: curves are clipped to the plot, and every label lies outside of it; no curve can cross
//! a label.

mod axis;
mod chart;
mod label;
mod page;
mod path;
mod series;
mod time;

pub use axis::Scale;
pub use chart::{Annotation, Chart, Panel, Strip};
pub use page::{Page, Verdict, figures, section, table};
pub use series::{Colour, Point, Series, Shape, steps};
pub use time::Time;
