//! Columns that line up, as kubectl prints them.

use std::fmt::Write;

use crate::line::one_line;

/// Spaces between two columns.
const GAP: usize = 3;

/// A header and rows of as many cells.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with only its header.
    pub fn new(header: &[&str]) -> Self {
        let header = header.iter().map(|cell| (*cell).to_owned()).collect();
        Self { rows: vec![header] }
    }

    /// Adds a row; an empty cell is shown as `-`, so that no column seems to slide.
    pub fn row(&mut self, cells: Vec<String>) {
        let shown = |cell: String| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                one_line(&cell)
            }
        };
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    /// The lines, each behind `indent` spaces; no line ends in a space.
    pub fn render(&self, indent: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for (cell, most) in row.iter().zip(&widths) {
                let padding = most - width(cell) + GAP;
                // Writing to a String cannot fail.
                let _ = write!(line, "{cell}{}", " ".repeat(padding));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_cells_are_dashes() {
        let mut table = Table::new(&["NAME", "PODS"]);
        table.row(vec!["checkout".to_owned(), "9".to_owned()]);
        table.row(vec!["till".to_owned(), String::new()]);
        assert_eq!(
            table.render(2),
            "  NAME       PODS\n  checkout   9\n  till       -\n"
        );
    }
}
