//! SVG paths through the points of a series, broken where a value is missing.

use std::fmt::Write;

/// A place in the plot, pixels.
pub(crate) type Place = (f64, f64);

/// The unbroken runs of places, each thinned to what can be seen.
pub(crate) fn runs(places: impl Iterator<Item = Option<Place>>) -> Vec<Vec<Place>> {
    let mut runs: Vec<Vec<Place>> = vec![Vec::new()];
    for place in places {
        match (place, runs.last_mut()) {
            (Some(place), Some(run)) => run.push(place),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs.iter().map(|run| thin(run)).collect()
}

/// Of each column of pixels the first, least, greatest and last place: no peak is lost.
fn thin(run: &[Place]) -> Vec<Place> {
    let columns = run.chunk_by(|one, other| one.0.floor() as i64 == other.0.floor() as i64);
    let seen = columns.flat_map(|column| {
        let by_height = |one: &usize, other: &usize| column[*one].1.total_cmp(&column[*other].1);
        let places = || 0..column.len();
        let least = places().min_by(by_height).unwrap_or(0);
        let greatest = places().max_by(by_height).unwrap_or(0);
        let mut kept = vec![0, least, greatest, column.len() - 1];
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|index| column[index])
    });
    seen.collect()
}

/// The line through each run; a lone place is a dot.
pub(crate) fn line(runs: &[Vec<Place>]) -> String {
    let mut d = String::new();
    for run in runs {
        draw(&mut d, run.iter().copied());
        if run.len() == 1 {
            d.push_str("h.1");
        }
    }
    d
}

/// The area between each run and the bottom.
pub(crate) fn area(runs: &[Vec<Place>], bottom: f64) -> String {
    let mut d = String::new();
    for run in runs {
        let corner = |place: Option<&Place>| place.map(|(x, _)| (*x, bottom));
        let (first, last) = (corner(run.first()), corner(run.last()));
        let outline = run.iter().copied();
        draw(&mut d, first.into_iter().chain(outline).chain(last));
        d.push('Z');
    }
    d
}

/// The area between places and those below them, each pair at one instant; it breaks where either
/// is missing.
pub(crate) fn band(pairs: impl Iterator<Item = Option<(Place, Place)>> + Clone) -> String {
    let upper = runs(pairs.clone().map(|pair| Some(pair?.0)));
    let lower = runs(pairs.map(|pair| Some(pair?.1)));
    let mut d = String::new();
    for (upper, lower) in upper.iter().zip(&lower) {
        draw(&mut d, upper.iter().chain(lower.iter().rev()).copied());
        d.push('Z');
    }
    d
}

/// Writes places, without those in the middle of a level stretch.
fn draw(d: &mut String, places: impl Iterator<Item = Place>) {
    let places: Vec<(String, String)> = places
        .map(|(x, y)| (format!("{x:.1}"), format!("{y:.1}")))
        .collect();
    for (index, (x, y)) in places.iter().enumerate() {
        let level = |other: Option<&(String, String)>| other.is_some_and(|(_, other)| other == y);
        if index > 0 && level(places.get(index - 1)) && level(places.get(index + 1)) {
            continue;
        }
        let letter = if index == 0 { 'M' } else { 'L' };
        // Writing to a String cannot fail.
        let _ = write!(d, "{letter}{x} {y}");
    }
}

#[cfg(test)]
mod tests;
