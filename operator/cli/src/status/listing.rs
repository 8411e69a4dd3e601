//! Many clusters in one table: those with something wrong first, with what it is above the table.
//! What is only worth knowing stands there too in the wide form, and is counted in the other.

use std::fmt::Write;

use floodgate_api::PaymentCluster;

use super::ClusterReport;
use super::judge::{Point, in_force};
use super::screen::{Weight, headline, points};
use crate::moment::{Moment, span};
use crate::paint::Paint;
use crate::source::age::SAVED;
use crate::table::Table;

/// Rows a screen shows, about.
const SCREEN_ROWS: usize = 20;
/// Names that stand below a long table.
const NAMED_MAX: usize = 10;

/// How the table is made.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Whether namespaces are told apart.
    pub namespaces: bool,
    /// Whether the wide columns are shown.
    pub wide: bool,
}

/// The list, worst first; `age` is how old all of it is, where that is to be told.
pub fn listing(
    rows: &[(ClusterReport, Option<PaymentCluster>)],
    age: Option<&Point>,
    columns: Columns,
    moment: &Moment,
    paint: Paint,
) -> String {
    let mut text = String::new();
    points(&mut text, age, Weight::Note, moment, paint);
    let mut untold = 0;
    for (report, _) in rows {
        // The age is told once for all of them.
        let notes = report.notes.iter().filter(|note| note.reason != SAVED);
        let notes: Vec<&Point> = notes.collect();
        let shown = if columns.wide { notes.as_slice() } else { &[] };
        untold += notes.len() - shown.len();
        if report.problems.is_empty() && shown.is_empty() {
            continue;
        }
        text.push_str(&headline(report, paint));
        points(&mut text, &report.problems, Weight::Wrong, moment, paint);
        points(
            &mut text,
            shown.iter().copied(),
            Weight::Note,
            moment,
            paint,
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text += &table(rows, columns, moment);
    text += &tail(rows);
    if untold > 0 {
        let things = if untold == 1 {
            "thing is"
        } else {
            "things are"
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n{untold} {things} worth knowing besides: `-o wide`, or the NAME of a cluster"
        );
    }
    text
}

/// Which ones are wrong, below a table that is longer than a screen: they stand first in it, and
/// what one sees is its end.
fn tail(rows: &[(ClusterReport, Option<PaymentCluster>)]) -> String {
    let wrong = rows
        .iter()
        .filter(|(report, _)| !report.problems.is_empty());
    let names: Vec<&str> = wrong.map(|(report, _)| report.name.as_str()).collect();
    if rows.len() < SCREEN_ROWS || names.is_empty() {
        return String::new();
    }
    let named = names.iter().take(NAMED_MAX).copied();
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (wrong, all) = (names.len(), rows.len());
    format!("\n{wrong} of {all} clusters are wrong: {named}{more}\n")
}

fn table(
    rows: &[(ClusterReport, Option<PaymentCluster>)],
    columns: Columns,
    moment: &Moment,
) -> String {
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
    for (report, cluster) in rows {
        table.row(row(report, cluster.as_ref(), columns, moment));
    }
    table.render(0)
}

fn row(
    report: &ClusterReport,
    cluster: Option<&PaymentCluster>,
    columns: Columns,
    moment: &Moment,
) -> Vec<String> {
    let status = &report.status;
    let rate = |rps: i32| format!("{rps} req/s");
    let pods = status.replicas;
    let count = |count: fn(floodgate_api::cluster::status::ReplicaCounts) -> i32| {
        pods.map_or(String::new(), |pods| count(pods).to_string())
    };
    let overrides = cluster.map_or(Vec::new(), |cluster| in_force(cluster, moment.now()));
    let overrides = overrides.iter().map(|one| {
        format!(
            "{}={} ({} left)",
            one.name,
            one.value,
            span(moment.seconds_until(one.until.0))
        )
    });
    let mut cells = vec![
        report.name.clone(),
        report.verdict.to_owned(),
        status.load_rps.map_or(String::new(), rate),
        status
            .forecast
            .as_ref()
            .map_or(String::new(), |forecast| rate(forecast.upper_rps)),
        count(|pods| pods.desired),
        count(|pods| pods.ready),
        count(|pods| pods.warm),
        status
            .level
            .as_ref()
            .map_or(String::new(), |level| level.current.to_string()),
        status.sale.as_ref().map_or(String::new(), |sale| {
            format!(
                "{}/{} {}",
                sale.name,
                sale.phase,
                moment.relative(sale.t0.0)
            )
        }),
        overrides.collect::<Vec<_>>().join(", "),
    ];
    if columns.namespaces {
        cells.insert(0, report.namespace.clone());
    }
    if columns.wide {
        cells.extend([
            cluster.map_or(String::new(), |cluster| {
                format!("{}-{}", cluster.spec.scaling.min, cluster.spec.scaling.max)
            }),
            status
                .lead_time
                .map_or(String::new(), |lead| span(i64::from(lead.seconds))),
            status
                .capacity
                .map_or(String::new(), |capacity| rate(capacity.rps)),
            status
                .decision
                .as_ref()
                .map_or(String::new(), |decision| decision.reason.clone()),
        ]);
    }
    cells
}
