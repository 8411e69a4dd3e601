//! From what was recorded to the report: phases, faults, the override, decisions.
//!
//! Pure, so that each reading of the timeline is tested without a cluster.

use super::actions::PodCounts;
use super::report::{Decision, Event, Fault, Machine, Money, Override, Phase, Report, Row, Sale};
use super::script;
use super::traffic::Summary;
use super::verdict;

/// What the day recorded.
#[derive(Debug, Default)]
pub struct Record {
    /// The machine and the run.
    pub machine: Machine,
    /// One row per second.
    pub timeline: Vec<Row>,
    /// What was done when.
    pub events: Vec<Event>,
    /// Faults by name, with the second they began and, where it was done by hand, ended.
    pub faults: Vec<Injected>,
    /// The override as it was set.
    pub sre_override: Override,
    /// Second at which the override was to end.
    pub override_until_s: f64,
    /// Pods just before T0.
    pub pods_at_t0: Option<PodCounts>,
    /// What the load generator counted.
    pub summary: Summary,
    /// What the audit found.
    pub money: Money,
}

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Prometheus was stopped for a while.
    Prometheus,
    /// The operator's leading pod was killed.
    Operator,
    /// A payment pod was killed.
    PaymentPod,
}

/// A fault as it was injected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Injected {
    /// What was broken.
    pub what: Broken,
    /// Second it began.
    pub at_s: f64,
    /// Second the script repaired it; the same as `at_s` where the cluster has to repair it.
    pub repaired_s: f64,
}

/// Makes the report and judges it.
pub fn assemble(record: Record) -> Report {
    let Record {
        machine,
        timeline,
        mut events,
        faults,
        sre_override,
        override_until_s,
        pods_at_t0,
        summary,
        money,
    } = record;
    let sre_override = follow_override(sre_override, override_until_s, &timeline);
    if let Some(at_s) = sre_override.lapsed_at_s {
        events.push(Event {
            at_s,
            label: "the override lapsed by itself".to_owned(),
        });
    }
    events.sort_by(|one, other| one.at_s.total_cmp(&other.at_s));
    let [before, step, overload, after] = script::PHASES.map(|(name, ..)| phase(&summary, name));
    let mut report = Report {
        machine,
        before,
        sale: sale(step, pods_at_t0, &timeline),
        overload,
        after,
        money,
        faults: faults
            .iter()
            .map(|injected| fault(injected, &timeline))
            .collect(),
        sre_override,
        events,
        decisions: decisions(&timeline),
        refusals_without_retry_after: summary.refusals_without_retry_after,
        timeline,
        ..Report::default()
    };
    verdict::judge(&mut report);
    report
}

fn phase(summary: &Summary, name: &str) -> Phase {
    let found = summary.phases.iter().find(|phase| phase.name == name);
    found.map_or_else(Phase::default, |found| Phase {
        failed: found.phase.failed + found.unknown,
        ..found.phase.clone()
    })
}

fn sale(phase: Phase, pods_at_t0: Option<PodCounts>, timeline: &[Row]) -> Sale {
    let before_t0 = || timeline.iter().filter(|row| row.t_s < script::T0_S);
    let base_replicas = before_t0()
        .filter(|row| row.t_s < script::OVERRIDE_AT_S)
        .find_map(|row| row.replicas);
    let planned_replicas = before_t0().rev().find_map(|row| row.planned);
    let prescaled = before_t0().find(|row| {
        row.replicas
            .zip(planned_replicas)
            .is_some_and(|(now, plan)| now >= plan)
    });
    Sale {
        phase,
        planned_replicas,
        ready_at_t0: pods_at_t0.map(|pods| pods.ready),
        warm_at_t0: pods_at_t0.map(|pods| pods.warm),
        base_replicas,
        prescaled_before_t0_s: prescaled.map(|row| script::T0_S - row.t_s),
    }
}

fn fault(injected: &Injected, timeline: &[Row]) -> Fault {
    let Injected {
        what,
        at_s,
        repaired_s,
    } = *injected;
    let before = timeline
        .iter()
        .rev()
        .find(|row| row.t_s < at_s && row.replicas.is_some());
    let leader = before.and_then(|row| row.leader.clone());
    let whole = |row: &&Row| {
        row.t_s > repaired_s + 1.0
            && match what {
                Broken::Prometheus => row.signals_fresh == Some(true),
                Broken::Operator => row.leader.is_some() && row.leader != leader,
                Broken::PaymentPod => row.replicas.is_some() && row.ready >= row.replicas,
            }
    };
    let after = timeline.iter().find(whole);
    let end_s = after.map_or(f64::INFINITY, |row| row.t_s);
    let during = || {
        timeline
            .iter()
            .filter(|row| (at_s..=end_s).contains(&row.t_s))
    };
    let replicas_before = before.and_then(|row| row.replicas);
    let least = |field: fn(&Row) -> Option<u32>| during().filter_map(field).min();
    let fell = |field: fn(&Row) -> Option<u32>| {
        let values: Vec<u32> = before
            .into_iter()
            .chain(during())
            .filter_map(field)
            .collect();
        values.windows(2).any(|pair| pair[1] < pair[0])
    };
    Fault {
        name: match what {
            Broken::Prometheus => format!("Prometheus stopped for {:.0} s", repaired_s - at_s),
            Broken::Operator => "operator pod killed".to_owned(),
            Broken::PaymentPod => "payment pod killed".to_owned(),
        },
        at_s,
        healed_at_s: after.map(|row| row.t_s),
        replicas_before,
        replicas_min: least(|row| row.replicas),
        replicas_after: after.and_then(|row| row.replicas),
        ready_before: before.and_then(|row| row.ready),
        ready_min: least(|row| row.ready),
        ready_after: after.and_then(|row| row.ready),
        shrank: fell(|row| row.replicas) || fell(|row| row.desired),
    }
}

/// Finds in the timeline when the override won, and that it went away at its end and not before.
fn follow_override(set: Override, until_s: f64, timeline: &[Row]) -> Override {
    let won = timeline.iter().find(|row| {
        let by_override = row
            .source
            .as_deref()
            .is_some_and(|source| source.eq_ignore_ascii_case("override"));
        set.set_at_s.is_some_and(|set_at_s| row.t_s >= set_at_s)
            && by_override
            && row.replicas >= Some(script::OVERRIDE_REPLICAS)
    });
    let won_at_s = won.map(|row| row.t_s);
    let lapsed = timeline.iter().find(|row| {
        won_at_s.is_some_and(|won_at_s| row.t_s > won_at_s) && row.overridden == Some(false)
    });
    // Rows are whole seconds, so the last one before the end may lie up to a second early.
    let lapsed_at_s = lapsed.map(|row| row.t_s).filter(|t_s| *t_s > until_s - 1.0);
    Override {
        won: won_at_s.is_some(),
        won_at_s,
        lapsed_at_s,
        ..set
    }
}

/// Each row whose number, level or kind of winner differs from the one before it.
fn decisions(timeline: &[Row]) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for row in timeline {
        let Some(source) = &row.source else { continue };
        let same = |last: &Decision| {
            last.desired == row.desired
                && last.level == row.level
                && kind(&last.source) == kind(source)
        };
        if decisions.last().is_some_and(same) {
            continue;
        }
        let reasons = [row.explain.as_deref(), row.level_reason.as_deref()];
        decisions.push(Decision {
            at_s: row.t_s,
            desired: row.desired,
            source: source.clone(),
            level: row.level,
            explain: reasons
                .map(Option::unwrap_or_default)
                .join(" ")
                .trim()
                .to_owned(),
        });
    }
    decisions
}

/// Burst is the reactive bid with a shorter window: a change between the two is no news.
fn kind(source: &str) -> &str {
    if source == "Burst" {
        "Reactive"
    } else {
        source
    }
}

#[cfg(test)]
mod tests;
