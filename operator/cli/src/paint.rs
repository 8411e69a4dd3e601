//! Colour, where it helps: on a terminal, and nowhere that asked for none.

use std::ffi::OsString;
use std::io::IsTerminal;

/// Whether and how text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours.
    Colour,
    /// Nothing but text.
    Plain,
}

impl Paint {
    /// Colour on a terminal; none where `NO_COLOR` is set to anything, or on a dumb terminal.
    pub fn for_stdout() -> Self {
        if std::io::stdout().is_terminal() {
            Self::on_terminal(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
        } else {
            Self::Plain
        }
    }

    fn on_terminal(no_color: Option<OsString>, term: Option<OsString>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty());
        let dumb = term.is_some_and(|term| term == "dumb");
        if refused || dumb {
            Self::Plain
        } else {
            Self::Colour
        }
    }

    /// What is wrong.
    pub fn wrong(self, text: &str) -> String {
        self.code("1;31", text)
    }

    /// What is fine.
    pub fn fine(self, text: &str) -> String {
        self.code("32", text)
    }

    /// What a person should know although nothing is wrong.
    pub fn note(self, text: &str) -> String {
        self.code("33", text)
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.code("1", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_adds_nothing_and_colour_ends_itself() {
        assert_eq!(Paint::Plain.wrong("x"), "x");
        assert_eq!(Paint::Colour.wrong("x"), "\x1b[1;31mx\x1b[0m");
    }

    #[test]
    fn a_terminal_is_coloured_unless_it_asked_for_none() {
        let on = |no_color: Option<&str>, term: Option<&str>| {
            Paint::on_terminal(no_color.map(OsString::from), term.map(OsString::from))
        };
        assert_eq!(on(None, Some("xterm")), Paint::Colour);
        assert_eq!(on(Some(""), Some("xterm")), Paint::Colour);
        assert_eq!(on(Some("1"), Some("xterm")), Paint::Plain);
        assert_eq!(on(None, Some("dumb")), Paint::Plain);
    }
}
