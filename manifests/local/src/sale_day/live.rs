//! What a person sees while the day runs: a few lines that redraw, or a plain one now and then.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::report::Row;
use super::script;

/// Seconds between two plain lines.
const LINE_EVERY_S: i64 = 5;

/// The view.
#[derive(Debug, Clone)]
pub struct Live {
    /// Hidden where nobody looks at a terminal.
    bar: ProgressBar,
}

impl Live {
    /// Redrawn lines on a terminal, plain lines elsewhere.
    pub fn begin() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{msg}\n  {wide_bar} {pos}/{len} s");
            ProgressBar::new(script::END_S as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Self { bar }
    }

    /// Shows a second: pods from `seen`, load from the latest line of the generator.
    pub fn show(&self, t_s: i64, seen: &Row, load: Option<&Row>) {
        if !self.bar.is_hidden() {
            self.bar.set_position(u64::try_from(t_s).unwrap_or(0));
            self.bar
                .set_message(format!("  {}\n  {}", pods_line(t_s, seen), load_line(load)));
        } else if t_s.rem_euclid(LINE_EVERY_S) == 0 {
            println!("  {} | {}", pods_line(t_s, seen), load_line(load));
        }
    }

    /// Prints that something was done, beside the view.
    pub fn print(&self, line: &str) {
        self.bar.suspend(|| println!("  -> {line}"));
    }

    /// Takes the view away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn pods_line(t_s: i64, row: &Row) -> String {
    let count = |value: Option<u32>| value.map_or("?".to_owned(), |value| value.to_string());
    let level = row.level.map_or("?", floodgate_words::Level::as_str);
    format!(
        "{t_s:>4} s {:<8} pods {} asked, {} ready, {} warm; level {level}; won by {}{}",
        row.phase,
        count(row.replicas),
        count(row.ready),
        count(row.warm),
        row.source.as_deref().unwrap_or("?"),
        if row.signals_fresh == Some(false) {
            "; load not known"
        } else {
            ""
        },
    )
}

fn load_line(row: Option<&Row>) -> String {
    let number = |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.0}"));
    row.map_or("no load yet".to_owned(), |row| {
        format!(
            "load {} req/s: {} acked, {} shed, {} failed; p99 {} ms",
            number(row.offered_rps),
            number(row.acked_rps),
            number(row.shed_rps),
            number(row.failed_rps),
            number(row.p99_ms)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{load_line, pods_line};
    use crate::sale_day::report::Row;

    #[test]
    fn a_line_marks_what_is_not_known() {
        let row = Row {
            phase: "sale".to_owned(),
            signals_fresh: Some(false),
            replicas: Some(9),
            ..Row::default()
        };
        assert_eq!(
            pods_line(95, &row),
            "  95 s sale     pods 9 asked, ? ready, ? warm; level ?; won by ?; load not known"
        );
        assert_eq!(load_line(None), "no load yet");
    }
}
