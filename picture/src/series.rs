//! A series of values and how it is drawn.

/// An instant in Unix seconds and a value, absent where nothing was measured.
pub type Point = (f64, Option<f64>);

/// A colour of the palette, by its class in the style sheet; each has a light and a dark form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub(crate) &'static str);

#[expect(missing_docs, reason = "each is the colour it is named after")]
impl Colour {
    pub const INK: Self = Self("ink");
    pub const GREY: Self = Self("grey");
    pub const BLUE: Self = Self("blue");
    pub const TEAL: Self = Self("teal");
    pub const GREEN: Self = Self("green");
    pub const AMBER: Self = Self("amber");
    pub const ORANGE: Self = Self("orange");
    pub const RED: Self = Self("red");
    pub const VIOLET: Self = Self("violet");
}

/// How a series is drawn; it breaks where a value is missing.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A line from value to value.
    Line,
    /// The same, dashed.
    Dashed,
    /// A line with the area under it filled.
    Area,
    /// The area down to these values, at the same instants, without a line.
    Band(Vec<Point>),
}

/// One series of a panel.
#[derive(Clone, Debug)]
pub struct Series {
    pub(crate) colour: Colour,
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) points: Vec<Point>,
}

impl Series {
    /// A series; without a name it has no entry in the legend.
    pub fn new(colour: Colour, name: impl Into<String>, shape: Shape, points: Vec<Point>) -> Self {
        Self {
            colour,
            name: name.into(),
            shape,
            points,
        }
    }
}

/// The same points with corners, so that each value is kept until the next one: for counts.
pub fn steps(points: &[Point]) -> Vec<Point> {
    // A value behind a missing one starts anew: the corner before it is missing too.
    let corner = |pair: &[Point]| [(pair[1].0, pair[1].1.and(pair[0].1)), pair[1]];
    let first = points.first().copied();
    let rest = points.windows(2).flat_map(corner);
    first.into_iter().chain(rest).collect()
}
