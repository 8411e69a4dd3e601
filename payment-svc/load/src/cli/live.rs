//! What a run shows while it goes: a bar on a terminal, a line of JSON per second elsewhere.

use std::io::{IsTerminal, Write as _, stdout};

use indicatif::{ProgressBar, ProgressStyle};
use payment_load::plan::ValidPlan;
use payment_load::report::{PhaseSummary, SecondLine, Summary};

const BAR: &str = "{elapsed_precise} [{wide_bar}] {pos}/{len} s  {msg}";

/// The one or the other.
pub(super) enum Live {
    /// Somebody looks at it.
    Terminal(ProgressBar),
    /// Something reads it.
    Lines,
}

impl Live {
    pub(super) fn new(plan: &ValidPlan) -> Self {
        if !stdout().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::new(plan.curve().end_s().ceil() as u64);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self::Terminal(bar)
    }

    /// Shows one second that has passed.
    pub(super) fn second(&mut self, second: &SecondLine) {
        match self {
            Self::Terminal(bar) => {
                let counts = &second.counts;
                bar.set_position(u64::try_from(second.t_s + 1).unwrap_or(0));
                bar.set_message(format!(
                    "{}/s sent, {} acked, {} shed, {} failed, p99 {}",
                    counts.offered,
                    counts.acked,
                    counts.shed,
                    counts.failed + counts.unknown,
                    millis(second.p99_ms),
                ));
            }
            Self::Lines => {
                let mut out = stdout().lock();
                // A reader that went away does not end the run: the summary is still written.
                let written = serde_json::to_writer(&mut out, second).map_err(Into::into);
                let _ = written
                    .and_then(|()| writeln!(out))
                    .and_then(|()| out.flush());
            }
        }
    }

    /// Shows the whole run to a person.
    pub(super) fn end(&self, summary: &Summary) {
        let Self::Terminal(bar) = self else { return };
        bar.finish_and_clear();
        println!(
            "{:<10} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}",
            "phase",
            "offered",
            "acked",
            "shed",
            "failed",
            "unknown",
            "critical",
            "p50",
            "p99",
            "p99.9"
        );
        for phase in summary.phases.iter().chain([&summary.total]) {
            println!("{}", row(phase));
        }
        println!(
            "retries {} ({} withheld), refusals without Retry-After {}, errors {:?}",
            summary.retries,
            summary.retries_withheld,
            summary.refusals_without_retry_after,
            summary.errors,
        );
    }
}

fn row(phase: &PhaseSummary) -> String {
    let counts = &phase.counts;
    let critical = phase.success_ratio_critical;
    format!(
        "{:<10} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}",
        phase.name,
        counts.offered,
        counts.acked,
        counts.shed,
        counts.failed,
        counts.unknown,
        critical.map_or_else(|| "-".to_owned(), |ratio| format!("{:.3} %", ratio * 100.0)),
        millis(phase.p50_ms),
        millis(phase.p99_ms),
        millis(phase.p999_ms),
    )
}

fn millis(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"))
}
