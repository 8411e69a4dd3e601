//! The figures as a table, and the verdict below it.

use std::fmt::Write;

use floodgate_planner::rehearse::{Rehearsal, Report};

use super::verdict::{Range, Spread, Verdict, number, spreads};
use crate::table::Table;

/// Head of each column.
pub const HEADS: [&str; 11] = [
    "POLICY",
    "SLO MIN",
    "UNSERVED",
    "WORST WAIT",
    "POD-HOURS",
    "VS ORACLE",
    "ACTIONS",
    "REVERSALS",
    "PER WINDOW",
    "WARM AT T0",
    "IDLE",
];

/// Head of each column of the spread.
pub const SPREAD_HEADS: [&str; 5] = ["POLICY", "SLO MIN", "MIN..MAX", "POD-HOURS", "MIN..MAX"];

/// Renders what was done, one line per policy, with several seeds their spread, and the verdict.
pub fn render(
    rehearsal: &Rehearsal,
    runs: &[Vec<Report>],
    verdict: Option<&Verdict>,
    notes: &[String],
) -> String {
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    let _ = writeln!(
        text,
        "Load at its peak: {:.0} requests/s.\n",
        rehearsal.traffic.peak_rps()
    );
    if runs.len() > 1 {
        let _ = writeln!(text, "Seed {}:", rehearsal.world.seed);
    }
    let first = runs.first().map_or(&[][..], Vec::as_slice);
    text += &figures(&HEADS, first.iter().map(row));
    if runs.len() > 1 {
        let _ = writeln!(text, "\nMeans of {} seeds, least and most:", runs.len());
        text += &figures(&SPREAD_HEADS, spread_rows(runs));
    }
    if let Some(verdict) = verdict {
        text.push('\n');
        for line in verdict.in_words(runs.len()) {
            let _ = writeln!(text, "{line}");
        }
    }
    text.trim_end().to_owned()
}

fn figures<const COLUMNS: usize>(
    heads: &[&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::of_figures(heads);
    rows.into_iter().for_each(|row| table.row(row));
    table.render()
}

/// The cells of one policy.
pub fn row(report: &Report) -> [String; 11] {
    let score = &report.score;
    let percent = |share: f64, digits: usize| format!("{:.digits$} %", share * 100.0);
    [
        report.name.to_owned(),
        score.slo_violation_minutes.to_string(),
        percent(score.unserved_ratio, 3),
        format!("{:.0} ms", score.worst_queue_delay_ms),
        format!("{:.1}", score.pod_hours),
        format!("{:.3}", score.pod_hours_vs_oracle),
        score.scale_actions.to_string(),
        score.reversals.to_string(),
        score.reversals_per_window_max.to_string(),
        score
            .warm_share_at_t0
            .map_or_else(|| "-".to_owned(), |share| percent(share, 1)),
        percent(score.idle_ratio, 1),
    ]
}

/// The cells of each policy over all seeds.
pub fn spread_rows(runs: &[Vec<Report>]) -> Vec<[String; 5]> {
    let range = |Range { least, most, .. }: Range| format!("{}..{}", number(least), number(most));
    let cells = |spread: &Spread| {
        [
            spread.name.to_owned(),
            number(spread.minutes.mean),
            range(spread.minutes),
            number(spread.pod_hours.mean),
            range(spread.pod_hours),
        ]
    };
    spreads(runs).iter().map(cells).collect()
}
