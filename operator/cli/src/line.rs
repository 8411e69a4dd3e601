//! Text on one line of a terminal: what others wrote, and errors with their causes.

use std::error::Error;

/// The text on one line, without control characters: an annotation may hold line breaks that forge
/// a line, or escape sequences that hide one.
pub fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// An error with everything that led to it.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some sources repeat what wraps them.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    // The kubeconfig's reader quotes a path twice.
    text.replace("'\"", "`").replace("\"'", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_escapes_are_blanks() {
        assert_eq!(one_line("a\nb\x1b[2Jc\u{9b}d"), "a b [2Jc d");
    }
}
