//! Many clusters in one table: those with something wrong first, with what it is above the table.
//! What is only worth knowing is listed in the wide format, and counted in the other.

use std::fmt::Write;

use super::judge::in_force;
use super::report::ClusterReport;
use super::screen::headline;
use crate::moment::{Moment, span};
use crate::point::{Point, Weight, points};
use crate::query::SAVED;
use crate::table::{Table, cell};

/// Rows a screen shows, about.
const SCREEN_ROWS: usize = 20;
/// Names listed below a long table.
const NAMED_MAX: usize = 10;

/// How the table is made.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Whether namespaces differ.
    pub namespaces: bool,
    /// Whether the wide columns are shown.
    pub wide: bool,
}

/// The list, worst first; `age` is how old all of it is, where that matters.
pub fn listing(
    reports: &[ClusterReport],
    age: Option<&Point>,
    columns: Columns,
    moment: &Moment,
) -> String {
    let mut text = String::new();
    points(&mut text, age, Weight::Note, moment);
    let mut hidden = 0;
    for report in reports {
        // The age is given once for all of them.
        let notes = report.notes.iter().filter(|note| note.reason != SAVED);
        let notes: Vec<&Point> = notes.collect();
        let shown = if columns.wide { notes.as_slice() } else { &[] };
        hidden += notes.len() - shown.len();
        if report.problems.is_empty() && shown.is_empty() {
            continue;
        }
        text.push_str(&headline(report));
        points(&mut text, &report.problems, Weight::Wrong, moment);
        points(&mut text, shown.iter().copied(), Weight::Note, moment);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text += &table(reports, columns, moment);
    text += &tail(reports);
    if hidden > 0 {
        let notes = if hidden == 1 { "note" } else { "notes" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n{hidden} {notes} not shown: use `-o wide`, or name a cluster"
        );
    }
    text
}

/// Which ones are wrong, below a table that is longer than a screen: they are its first rows, and
/// only its end is in sight.
fn tail(reports: &[ClusterReport]) -> String {
    let wrong = reports.iter().filter(|one| !one.problems.is_empty());
    let names: Vec<&str> = wrong.map(|one| one.name.as_str()).collect();
    if reports.len() < SCREEN_ROWS || names.is_empty() {
        return String::new();
    }
    let named = names.iter().take(NAMED_MAX).copied();
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (wrong, all) = (names.len(), reports.len());
    format!("\n{wrong} of {all} clusters are wrong: {named}{more}\n")
}

fn table(reports: &[ClusterReport], columns: Columns, moment: &Moment) -> String {
    let mut header = vec![
        "NAME", "STATE", "LOAD", "FORECAST", "DESIRED", "READY", "WARM", "LEVEL",
    ];
    header.extend(["NEXT SALE", "OVERRIDES"]);
    if columns.namespaces {
        header.insert(0, "NAMESPACE");
    }
    if columns.wide {
        header.extend(["MIN-MAX", "LEAD TIME", "PER POD", "REASON"]);
    }
    let mut table = Table::new(&header);
    for report in reports {
        table.row(row(report, columns, moment));
    }
    table.render()
}

fn row(report: &ClusterReport, columns: Columns, moment: &Moment) -> Vec<String> {
    let (cluster, status) = (report.cluster.as_ref(), &report.status);
    let rate = |rps: i32| format!("{rps} req/s");
    let pods = status.replicas;
    let forecast = status.forecast.as_ref();
    let decision = status.decision.as_ref();
    let sale = status.sale.as_ref().map(|sale| {
        let t0 = moment.relative(sale.t0.0);
        format!("{}/{} {t0}", sale.name, sale.phase)
    });
    let overrides = cluster.map_or(Vec::new(), |cluster| in_force(cluster, moment.now()));
    let overrides = overrides.iter().map(|one| {
        let left = span(moment.seconds_until(one.until.0));
        format!("{}={} ({left} left)", one.name, one.value)
    });
    let mut cells = vec![
        report.name.clone(),
        report.verdict.to_owned(),
        cell(status.load_rps.map(rate)),
        cell(forecast.map(|forecast| rate(forecast.upper_rps))),
        cell(pods.map(|pods| pods.desired)),
        cell(pods.map(|pods| pods.ready)),
        cell(pods.map(|pods| pods.warm)),
        cell(status.level.as_ref().map(|level| level.current)),
        cell(sale),
        overrides.collect::<Vec<_>>().join(", "),
    ];
    if columns.namespaces {
        cells.insert(0, report.namespace.clone());
    }
    if columns.wide {
        let scaling = cluster.map(|cluster| &cluster.spec.scaling);
        cells.extend([
            cell(scaling.map(|scaling| format!("{}-{}", scaling.min, scaling.max))),
            cell(status.lead_time.map(|lead| span(i64::from(lead.seconds)))),
            cell(status.capacity.map(|capacity| rate(capacity.rps))),
            cell(decision.map(|decision| &decision.reason)),
        ]);
    }
    cells
}
