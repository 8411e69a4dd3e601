//! The page around charts and tables, and the parts of it that pages share.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// A judgement and what it means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// As it should be.
    Good(&'a str),
    /// Short of what was aimed at.
    Short(&'a str),
    /// Broken.
    Bad(&'a str),
}

impl maud::Render for Verdict<'_> {
    /// A few words on a coloured ground.
    fn render(&self) -> Markup {
        let (class, text) = match self {
            Self::Good(text) => ("good", text),
            Self::Short(text) => ("short", text),
            Self::Bad(text) => ("bad", text),
        };
        html! { span.{ "pill " (class) } { (text) } }
    }
}

/// One page.
pub struct Page<'a> {
    /// What kind of page it is.
    pub kind: &'a str,
    /// A judgement in front of the title.
    pub verdict: Option<Verdict<'a>>,
    /// Its title.
    pub title: &'a str,
    /// What it was made from, one line.
    pub origin: &'a str,
    /// All below.
    pub body: Markup,
}

impl Page<'_> {
    /// The HTML file.
    pub fn render(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.kind) ": " (self.title) }
                    // The one text that is not input.
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.kind { (self.kind) }
                        h1 { @if let Some(verdict) = self.verdict { (verdict) " " } (self.title) }
                        p.note { (self.origin) }
                    }
                    (self.body)
                }
            }
        };
        page.into_string()
    }
}

/// A part of the page with its heading and a line that explains it.
pub fn section(title: &str, note: &str, body: &Markup) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if !note.is_empty() { p.note { (note) } }
            (body)
        }
    }
}

/// A table of text from its heads and its rows.
pub fn table(heads: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    (rows)
                    @if rows.0.is_empty() { tr { td colspan=(heads.len()) { "none recorded" } } }
                }
            }
        }
    }
}

/// A table of figures, flush right; the first cell of each row is its head.
pub fn figures<const COLUMNS: usize>(heads: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Markup {
    let rows = html! {
        @for cells in rows {
            tr { @for (index, cell) in cells.iter().enumerate() {
                @if index == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
            } }
        }
    };
    html! { div.figures { (table(&heads, &rows)) } }
}

#[cfg(test)]
mod tests;
