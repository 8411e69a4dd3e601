//! Showing what is being done: a line per step, with a moving bar where someone looks.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where steps are shown.
#[derive(Debug, Clone)]
pub struct Progress {
    shown: Shown,
    bars: MultiProgress,
}

/// How steps are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Bars that move and vanish into one line each.
    Bars,
    /// One plain line per finished step, for logs and pipes.
    Lines,
    /// Nothing, for tests.
    Nothing,
}

/// A step under way.
#[derive(Debug)]
pub struct Step {
    progress: Progress,
    bar: ProgressBar,
    name: String,
    begin: Instant,
}

/// How often the bar moves: slow enough to cost nothing.
const TICK: Duration = Duration::from_millis(120);
/// How often a long step prints a line to a plain log.
pub const LINE_EVERY: Duration = Duration::from_secs(30);

impl Progress {
    /// Steps shown in the given way.
    pub fn new(shown: Shown) -> Self {
        Self {
            shown,
            bars: MultiProgress::new(),
        }
    }

    /// Bars on a terminal, plain lines elsewhere.
    pub fn detect() -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self::new(if terminal { Shown::Bars } else { Shown::Lines })
    }

    /// Begins a step of unknown length.
    pub fn step(&self, name: &str) -> Step {
        let bar = match self.shown {
            Shown::Bars => self
                .bars
                .add(ProgressBar::new_spinner())
                .with_style(spinner()),
            Shown::Lines | Shown::Nothing => ProgressBar::hidden(),
        };
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(TICK);
        Step {
            progress: self.clone(),
            bar,
            name: name.to_owned(),
            begin: Instant::now(),
        }
    }

    /// Prints one line beside the steps.
    pub fn print(&self, line: &str) {
        match self.shown {
            // Printed while no bar is drawn, so that the two never mix in one line.
            Shown::Bars => self.bars.suspend(|| println!("{line}")),
            Shown::Lines => println!("{line}"),
            Shown::Nothing => {}
        }
    }
}

impl Step {
    /// The step turns out to have this many parts.
    pub fn set_length(&self, parts: usize) {
        self.bar.set_style(bar());
        self.bar
            .set_length(u64::try_from(parts).unwrap_or(u64::MAX));
    }

    /// This many parts are done.
    pub fn set_position(&self, parts: usize) {
        self.bar
            .set_position(u64::try_from(parts).unwrap_or(u64::MAX));
    }

    /// Prints how far a long step is to a plain log; bars show it anyway.
    pub fn still(&self, detail: &str) {
        if self.progress.shown == Shown::Lines {
            let seconds = self.begin.elapsed().as_secs();
            println!("  .. {:<24} {detail} ({seconds} s)", self.name);
        }
    }

    /// The step is done.
    pub fn done(self, outcome: &str) {
        self.bar.finish_and_clear();
        let seconds = self.begin.elapsed().as_secs_f64();
        self.progress.print(&format!(
            "  ok {:<24} {outcome} ({seconds:.1} s)",
            self.name
        ));
    }

    /// The step failed; the caller reports the error.
    pub fn failed(self) {
        self.bar.finish_and_clear();
    }
}

fn spinner() -> ProgressStyle {
    template("  {spinner} {msg} {elapsed}")
}

fn bar() -> ProgressStyle {
    template("  {spinner} {msg} {wide_bar} {pos}/{len} {elapsed}")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
