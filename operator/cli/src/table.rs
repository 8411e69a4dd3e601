//! Columns and titled lines that line up on a terminal, Chinese text included.

use std::fmt::{Display, Write};

use unicode_width::UnicodeWidthStr;

use crate::colour;
use crate::line::one_line;

/// Cells that a title takes in [`titled`], with the gap behind it.
const TITLE_WIDTH: usize = 11;

/// On which side the cells of all columns but the first are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    /// Text, as kubectl prints it.
    Left,
    /// Figures, whose digits line up.
    Right,
}

/// A header and rows.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    columns: usize,
    align: Align,
}

impl Table {
    /// A table of text with only its header.
    pub fn new(header: &[&str]) -> Self {
        Self::aligned(header, Align::Left)
    }

    /// A table with figures in all columns but the first.
    pub fn of_figures(header: &[&str]) -> Self {
        Self::aligned(header, Align::Right)
    }

    fn aligned(header: &[&str], align: Align) -> Self {
        let cells = header.iter().map(|cell| (*cell).to_owned()).collect();
        Self {
            rows: vec![cells],
            columns: header.len(),
            align,
        }
    }

    /// Adds a row; an empty or missing cell is shown as `-`, so that no column seems to slide.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let missing = std::iter::repeat_with(String::new);
        let cells = cells.into_iter().chain(missing).take(self.columns);
        let shown = |cell: String| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                one_line(&cell)
            }
        };
        self.rows.push(cells.map(shown).collect());
    }

    /// Whether only the header is there.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The lines; none ends in a space.
    pub fn render(&self) -> String {
        let width = |column: usize| self.rows.iter().map(|row| row[column].width()).max();
        let widths: Vec<usize> = (0..self.columns).filter_map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, most)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(most - cell.width());
                // Writing to a String cannot fail.
                let _ = match self.align {
                    Align::Left => write!(line, "{cell}{padding}   "),
                    Align::Right if column == 0 => write!(line, "{cell}{padding}"),
                    Align::Right => write!(line, "  {padding}{cell}"),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A cell; blank where there is nothing.
pub fn cell(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A line per title; further lines of a text are indented below its first.
pub fn titled<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = String::new();
    for (title, fact) in facts {
        let title = format!("{title:<TITLE_WIDTH$}");
        let indented = format!("\n{}", " ".repeat(TITLE_WIDTH));
        let fact = fact.replace('\n', &indented);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{fact}", colour::heading(&title));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_line_up_and_empty_cells_are_dashes() {
        let mut table = Table::new(&["NAME", "PODS"]);
        table.row(row(&["checkout", "9"]));
        table.row(row(&["till", ""]));
        table.row(row(&["kiosk"]));
        assert_eq!(
            table.render(),
            "NAME       PODS\ncheckout   9\ntill       -\nkiosk      -\n"
        );
    }

    #[test]
    fn a_chinese_character_takes_two_cells() {
        let mut table = Table::new(&["REASON", "BY"]);
        table.row(row(&["双十一：银行变慢", "林"]));
        table.row(row(&["bank is slow", "lin"]));
        assert_eq!(
            table.render(),
            "REASON             BY\n双十一：银行变慢   林\nbank is slow       lin\n"
        );
    }

    #[test]
    fn figures_line_up_at_their_last_digit() {
        let mut table = Table::of_figures(&["POLICY", "MIN"]);
        table.row(row(&["floodgate", "7"]));
        table.row(row(&["hpa", "1234"]));
        assert_eq!(
            table.render(),
            "POLICY      MIN\nfloodgate     7\nhpa        1234\n"
        );
    }
}
