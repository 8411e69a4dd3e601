//! What the figures say of Floodgate against the best of the others: the marks, and who wins. Pure.
//!
//! Each policy counts with its means over all seeds; what must never happen counts by the worst.

use floodgate_planner::rehearse::{PolicyKind, Report, Score};
use serde::Serialize;

/// Of the minutes of the best other, this share is to be saved.
const SAVED_MIN: f64 = 0.57;
/// Pod-hours over those of the best other, at most.
const POD_HOURS_MAX: f64 = 1.0;
/// Capacity that idles outside events, at most, a share of all of it.
const IDLE_MAX: f64 = 0.23;
/// Changes of direction within one stabilisation window, at most.
const REVERSALS_MAX: u32 = 1;

/// The figures of one policy over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub name: &'static str,
    /// Minutes that violate the objective.
    pub minutes: Range,
    /// Pods that existed, times hours.
    pub pod_hours: Range,
}

/// One figure over all seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    pub mean: f64,
    pub least: f64,
    pub most: f64,
}

/// One mark and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    pub name: &'static str,
    /// What came of it, in words.
    pub value: String,
    /// What it must be, in words.
    pub must: String,
    pub met: bool,
}

/// Floodgate against the best other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub own: Spread,
    /// The other with the fewest minutes, of several the one with the fewest pod-hours.
    pub best_other: Spread,
    /// Others with no more minutes and no more pod-hours, and fewer of one.
    pub better_on_both: Vec<&'static str>,
    pub marks: Vec<Mark>,
}

/// The figures of every policy over the runs, each of one seed and with the policies in one order.
pub fn spreads(runs: &[Vec<Report>]) -> Vec<Spread> {
    let first = runs.first().map_or(&[][..], Vec::as_slice);
    let of = |place: usize, figure: fn(&Score) -> f64| {
        let figures = || {
            runs.iter()
                .filter_map(|run| Some(figure(&run.get(place)?.score)))
        };
        Range {
            mean: figures().sum::<f64>() / runs.len() as f64,
            least: figures().fold(f64::INFINITY, f64::min),
            most: figures().fold(0.0, f64::max),
        }
    };
    let spread = |(place, report): (usize, &Report)| Spread {
        name: report.name,
        minutes: of(place, |score| f64::from(score.slo_violation_minutes)),
        pod_hours: of(place, |score| score.pod_hours),
    };
    first.iter().enumerate().map(spread).collect()
}

impl Verdict {
    /// Judges; `None` where Floodgate or every other autoscaler was left out.
    pub fn of(runs: &[Vec<Report>]) -> Option<Self> {
        let spreads = spreads(runs);
        let named = |kind: PolicyKind| move |spread: &&Spread| spread.name == kind.name();
        let own = spreads.iter().find(named(PolicyKind::Floodgate))?.clone();
        let is_peer =
            |spread: &&Spread| PolicyKind::of_name(spread.name).is_some_and(PolicyKind::is_peer);
        let peers: Vec<&Spread> = spreads.iter().filter(is_peer).collect();
        let order = |spread: &Spread| (spread.minutes.mean, spread.pod_hours.mean);
        let best = peers.iter().copied().reduce(|best, other| {
            if order(other) < order(best) {
                other
            } else {
                best
            }
        })?;
        let better = peers.iter().filter(|peer| {
            let (minutes, hours) = order(peer);
            minutes <= own.minutes.mean
                && hours <= own.pod_hours.mean
                && (minutes, hours) != order(&own)
        });
        let better_on_both: Vec<&'static str> = better.map(|peer| peer.name).collect();
        let scores: Vec<&Score> = runs
            .iter()
            .flatten()
            .filter(|report| report.name == own.name)
            .map(|report| &report.score)
            .collect();
        let mut marks = against(&own, best);
        marks.push(Mark {
            name: "no other better on both",
            value: if better_on_both.is_empty() {
                "none".to_owned()
            } else {
                better_on_both.join(", ")
            },
            must: "none".to_owned(),
            met: better_on_both.is_empty(),
        });
        marks.extend(alone(&scores));
        Some(Self {
            best_other: best.clone(),
            own,
            better_on_both,
            marks,
        })
    }

    /// In sentences, one a line; who wins comes first, then each mark.
    pub fn in_words(&self, seeds: usize) -> Vec<String> {
        let marks = self.marks.iter().map(|mark| {
            let Mark {
                name,
                value,
                must,
                met,
            } = mark;
            let met = if *met { "met   " } else { "MISSED" };
            format!("  {met}  {name}: {value} (mark: {must})")
        });
        self.headline(seeds).into_iter().chain(marks).collect()
    }

    /// Who wins, in two sentences.
    pub fn headline(&self, seeds: usize) -> [String; 2] {
        let over = match seeds {
            1 => String::new(),
            seeds => format!(" on average of {seeds} seeds"),
        };
        let [own, best] = [&self.own, &self.best_other]
            .map(|spread| (number(spread.minutes.mean), number(spread.pod_hours.mean)));
        let best_other = format!(
            "Best other on minutes: {}, with {} min and {} pod-hours against {} min and {} of floodgate{over}.",
            self.best_other.name, best.0, best.1, own.0, own.1
        );
        let winner = match self.better_on_both.as_slice() {
            [] if self.best_other.minutes.mean < self.own.minutes.mean => format!(
                "Another wins on minutes: {}, with more pod-hours.",
                self.best_other.name
            ),
            [] => "No other has as few minutes with as few pod-hours.".to_owned(),
            better => format!(
                "Another wins on both: {}, with no more minutes and no more pod-hours.",
                better.join(" and ")
            ),
        };
        [best_other, winner]
    }
}

/// The marks against the best other.
fn against(own: &Spread, best: &Spread) -> Vec<Mark> {
    let (minutes, of_best) = (own.minutes.mean, best.minutes.mean);
    let saved = (of_best > 0.0).then(|| 1.0 - minutes / of_best);
    let value = match saved {
        Some(saved) if saved < 0.0 => format!("none, {} min more", number(minutes - of_best)),
        Some(saved) => percent(saved),
        None if minutes > 0.0 => format!("none, {} min more", number(minutes)),
        None => "nothing to save".to_owned(),
    };
    let ratio = own.pod_hours.mean / best.pod_hours.mean;
    vec![
        Mark {
            name: "minutes saved",
            value,
            must: format!("at least {}", percent(SAVED_MIN)),
            met: saved.map_or(minutes <= 0.0, |saved| saved >= SAVED_MIN),
        },
        Mark {
            name: "pod-hours",
            value: format!("{ratio:.2} of its"),
            must: format!("at most {POD_HOURS_MAX}"),
            met: ratio <= POD_HOURS_MAX,
        },
    ]
}

/// The marks that need no other, by the worst of all seeds.
fn alone(scores: &[&Score]) -> Vec<Mark> {
    let idle = scores
        .iter()
        .map(|score| score.idle_ratio)
        .fold(0.0, f64::max);
    let warm = scores
        .iter()
        .filter_map(|score| score.warm_share_at_t0_least);
    let warm = warm.reduce(f64::min);
    let reversals = scores.iter().map(|score| score.reversals_per_window_max);
    let reversals = reversals.max().unwrap_or(0);
    let mut marks = vec![Mark {
        name: "idle outside events",
        value: percent(idle),
        must: format!("at most {}", percent(IDLE_MAX)),
        met: idle <= IDLE_MAX,
    }];
    marks.extend(warm.map(|warm| Mark {
        name: "warm at the worst T0",
        value: percent(warm),
        must: percent(1.0),
        met: warm >= 1.0,
    }));
    marks.push(Mark {
        name: "reversals in a stabilisation window",
        value: reversals.to_string(),
        must: format!("at most {REVERSALS_MAX}"),
        met: reversals <= REVERSALS_MAX,
    });
    marks
}

/// Without digits behind the point where there are many before it.
pub fn number(figure: f64) -> String {
    let digits = usize::from(figure < 1_000.0 && figure.fract().abs() > 0.05);
    format!("{figure:.digits$}")
}

/// With one digit behind the point, and none more than are true: what is not all is never 100 %.
fn percent(share: f64) -> String {
    let tenths = (share * 1_000.0).round();
    let shown = if share < 1.0 {
        tenths.min(999.0)
    } else {
        tenths
    };
    format!("{} %", shown / 10.0)
}

#[cfg(test)]
mod tests;
