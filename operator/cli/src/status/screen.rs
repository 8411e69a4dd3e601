//! One cluster on one screen: what is wrong first, then the numbers.

use std::fmt::Write;

use floodgate_api::PaymentCluster;
use floodgate_api::cluster::status::{LevelStatus, OverrideStatus, PaymentClusterStatus};
use floodgate_words::{ConditionType, Level, Reason};

use super::judge::{find, in_force};
use super::report::ClusterReport;
use crate::colour;
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::point::{Weight, points};
use crate::table::titled;

pub fn screen(report: &ClusterReport, cluster: &PaymentCluster, moment: &Moment) -> String {
    let mut text = headline(report);
    points(&mut text, &report.problems, Weight::Wrong, moment);
    if !report.notes.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", colour::heading("worth knowing:"));
        points(&mut text, &report.notes, Weight::Note, moment);
    }
    text.push('\n');
    let status = &report.status;
    let level = status
        .level
        .as_ref()
        .map(|level| self::level(level, moment));
    let why = status.decision.as_ref().map(|one| one_line(&one.explain));
    let rows = [
        ("Load", Some(load(status))),
        ("Forecast", forecast(status)),
        ("Pods", Some(pods(cluster, status))),
        ("Level", level),
        ("Next sale", sale(cluster, moment)),
        ("Overrides", Some(overrides(cluster, moment))),
        ("Why", why),
    ];
    let unknown = || "not known yet".to_owned();
    let rows = rows.map(|(title, row)| (title, row.unwrap_or_else(unknown)));
    text + &titled(rows)
}

/// `checkout (pay): 2 things are wrong`.
pub fn headline(report: &ClusterReport) -> String {
    let verdict = match report.problems.len() {
        0 => colour::fine("fine"),
        1 => colour::wrong("1 thing is wrong"),
        many => colour::wrong(&format!("{many} things are wrong")),
    };
    let name = colour::heading(&report.name);
    format!("{name} ({}): {verdict}\n", report.namespace)
}

/// `412 req/s, 82 % of what 10 warm pods hold (500 req/s)`.
fn load(status: &PaymentClusterStatus) -> String {
    let Some(load_rps) = status.load_rps else {
        return "not known".to_owned();
    };
    // Without a valid load from Prometheus the operator shows what the pods count.
    let stale = find(&status.conditions, ConditionType::SignalsFresh)
        .is_some_and(|one| one.status == "False");
    let counted = if stale { " by the pods' own count" } else { "" };
    let warm = status.replicas.map_or(0, |pods| pods.warm);
    match status
        .capacity
        .filter(|capacity| capacity.warm_total_rps > 0)
    {
        Some(capacity) => {
            let percent = i64::from(load_rps) * 100 / i64::from(capacity.warm_total_rps);
            format!(
                "{load_rps} req/s{counted}, {percent} % of what {warm} warm pods hold at target ({} req/s)",
                capacity.warm_total_rps
            )
        }
        None => format!("{load_rps} req/s{counted}, and no warm pod"),
    }
}

/// `p50 480, p95 610 req/s within the next 2 min (ridge, live error 12 %)`.
fn forecast(status: &PaymentClusterStatus) -> Option<String> {
    let forecast = status.forecast.as_ref()?;
    let error = forecast
        .error_percent
        .map_or("live error not known yet".to_owned(), |percent| {
            format!("live error {percent} %")
        });
    Some(format!(
        "p50 {}, p{} {} req/s within the next {} ({}, {error})",
        forecast.p50_rps,
        forecast.quantile_percent,
        forecast.upper_rps,
        span(i64::from(forecast.horizon_seconds)),
        forecast.model,
    ))
}

fn pods(cluster: &PaymentCluster, status: &PaymentClusterStatus) -> String {
    let scaling = &cluster.spec.scaling;
    let Some(counts) = status.replicas else {
        return format!("not known yet (min {}, max {})", scaling.min, scaling.max);
    };
    let lead = status.lead_time.map_or(String::new(), |lead| {
        let measured = match lead.samples {
            0 => "declared".to_owned(),
            pods => format!("measured on {pods} pods"),
        };
        format!(
            ", warm {} after the decision ({measured})",
            span(i64::from(lead.seconds))
        )
    });
    format!(
        "{} desired, {} ready, {} warm (min {}, max {}{lead})",
        counts.desired, counts.ready, counts.warm, scaling.min, scaling.max
    )
}

fn level(level: &LevelStatus, moment: &Moment) -> String {
    let imposed = match (level.pinned, level.floor) {
        (Some(pinned), _) => format!("pinned to {pinned}"),
        (None, Level::Normal) => "nothing imposed".to_owned(),
        (None, floor) => format!("at least {floor} imposed"),
    };
    let since = level.since.as_ref();
    let since = since.map_or(String::new(), |since| {
        format!(" {}", moment.lasting(since.0))
    });
    let why = match Reason::from_name(&level.reason) {
        Some(reason) => reason.meaning(),
        None => &level.reason,
    };
    format!(
        "{}: {}\n{imposed}{since}: {why}",
        level.current,
        given_up(level.current)
    )
}

/// What a level gives up.
const fn given_up(level: Level) -> &'static str {
    match level {
        Level::Normal => "everything is on",
        Level::Guard => "reads of accounts and merchants are thinned out under high CPU",
        Level::Reduce => "reads of accounts and merchants are off",
        Level::Protect => "refunds are off too; payments go on",
        Level::Survive => "only what was started is finished; new payments are refused",
    }
}

/// Nothing where no operator has looked for one.
fn sale(cluster: &PaymentCluster, moment: &Moment) -> Option<String> {
    let Some(sale) = &cluster.status.as_ref()?.sale else {
        return Some("none".to_owned());
    };
    Some(format!(
        "{}/{} {}, at {}\n{} pods planned, pre-scale from {}, {}",
        sale.name,
        sale.phase,
        moment.relative(sale.t0.0),
        moment.instant(sale.t0.0),
        sale.planned_replicas,
        moment.instant(sale.prescale_start.0),
        moment.relative(sale.prescale_start.0),
    ))
}

fn overrides(cluster: &PaymentCluster, moment: &Moment) -> String {
    let active = in_force(cluster, moment.now());
    if active.is_empty() {
        return "none".to_owned();
    }
    let lines: Vec<String> = active
        .iter()
        .map(|one| override_line(one, moment))
        .collect();
    lines.join("\n")
}

/// `floor-replicas=20, 42 min left, until 03:00:00 CST (19:00:00 UTC): acquirer B is slow (lin)`.
fn override_line(active: &OverrideStatus, moment: &Moment) -> String {
    let by = active
        .by
        .as_ref()
        .map_or(String::new(), |by| format!(" ({})", one_line(by)));
    format!(
        "{}={}, {} left, until {}: {}{by}",
        active.name,
        one_line(&active.value),
        span(moment.seconds_until(active.until.0).max(0)),
        moment.instant(active.until.0),
        one_line(&active.reason),
    )
}
