//! Text that others wrote, as it may stand on a line of a terminal.

/// The text on one line, without control characters: an annotation may hold line breaks that forge
/// a line, or escape sequences that hide one.
pub fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_escapes_are_blanks() {
        assert_eq!(one_line("a\nb\x1b[2Jc\u{9b}d"), "a b [2Jc d");
    }
}
