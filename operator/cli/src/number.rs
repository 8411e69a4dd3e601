//! Numbers as a person types and reads them.

/// Most requests/s that are taken for the load of one service: what the most pods of the greatest
/// capacity hold.
const RATE_RPS_MAX: f64 = 1e9;

/// A load on the command line, requests/s.
pub fn rate(text: &str) -> Result<f64, String> {
    above_zero(text, RATE_RPS_MAX)
}

/// A number above 0 and at most `most` on the command line.
pub fn above_zero(text: &str, most: f64) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| *number > 0.0 && *number <= most);
    number.ok_or_else(|| format!("must be a number above 0 and at most {most}"))
}

/// With at most one digit behind the point.
pub fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
