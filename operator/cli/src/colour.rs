//! Colours of what is printed. Standard output drops them where it is no terminal, or where
//! `NO_COLOR` asks for none ([`crate::output::print`]).

/// Something wrong.
pub fn wrong(text: &str) -> String {
    code("1;31", text)
}

/// Something fine.
pub fn fine(text: &str) -> String {
    code("32", text)
}

/// Something worth knowing although nothing is wrong.
pub fn note(text: &str) -> String {
    code("33", text)
}

/// A heading.
pub fn heading(text: &str) -> String {
    code("1", text)
}

fn code(code: &str, text: &str) -> String {
    format!("\x1b[{code}m{text}\x1b[0m")
}
