//! Texts of a chart and the room they take.

use crate::series::Colour;

/// Left, top, right, bottom, pixels.
pub(crate) type Bounds = [f64; 4];

/// Widest letter of the labels' size, pixels; and one of two cells, as Chinese has them.
const LETTER: f64 = 6.6;
const WIDE_LETTER: f64 = 12.5;
/// Above and below the base line, pixels.
const ASCENT: f64 = 11.0;
const DESCENT: f64 = 3.0;
/// Around the text of a tag, pixels.
const PADDING: f64 = 5.5;

/// A text at a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) x: f64,
    /// Of the base line.
    pub(crate) y: f64,
    /// Whether it ends at its place; else it has its middle there.
    pub(crate) ends: bool,
    pub(crate) text: String,
    /// The colour of the tag behind it, if it is one.
    pub(crate) tag: Option<Colour>,
}

impl Label {
    /// The room it takes, at most.
    pub(crate) fn bounds(&self) -> Bounds {
        let padding = if self.tag.is_some() { PADDING } else { 0.0 };
        let width = width(&self.text) + 2.0 * padding;
        let left = self.x - if self.ends { width } else { width / 2.0 };
        [left, self.y - ASCENT, left + width, self.y + DESCENT]
    }

    /// The same, moved so that it lies between two borders.
    pub(crate) fn within(mut self, left: f64, right: f64) -> Self {
        let [from, _, until, _] = self.bounds();
        self.x += (left - from).max(0.0) - (until - right).max(0.0);
        self
    }
}

/// Whether two rooms have a place in common.
pub(crate) fn overlap(one: Bounds, other: Bounds) -> bool {
    (0..2).all(|axis| one[axis] < other[axis + 2] && other[axis] < one[axis + 2])
}

/// Width of a text, at most.
pub(crate) fn width(text: &str) -> f64 {
    let wide = text.chars().filter(|letter| !letter.is_ascii()).count();
    LETTER * (text.chars().count() - wide) as f64 + WIDE_LETTER * wide as f64
}
