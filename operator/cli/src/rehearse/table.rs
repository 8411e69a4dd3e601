//! The figures as a table.

use std::fmt::Write;

use floodgate_planner::rehearse::{Rehearsal, Report};

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

/// Renders what was done and one line per policy.
pub fn render(rehearsal: &Rehearsal, reports: &[Report], notes: &[String]) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(reports.iter().map(row));
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    let _ = writeln!(
        text,
        "Load at its peak: {:.0} requests/s.\n",
        rehearsal.traffic.peak_rps()
    );
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column == 0 {
                let _ = write!(line, "{cell:<width$}");
            } else {
                let _ = write!(line, "  {cell:>width$}");
            }
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.trim_end().to_owned()
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
