//! One panel: load and capacity of one policy over time, sales behind them, and below strips for
//! minutes that violate the objective and for levels.
//!
//! Invariant: nothing is cut off; the scale holds the largest load and the largest capacity of all
//! policies.

use std::fmt::Write;

use floodgate_forecast::UnixMillis;
use floodgate_planner::SalePhase;
use floodgate_planner::rehearse::{Rehearsal, Sample};

use super::escape;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 150.0;
/// Height of a strip, and the gap above it.
const STRIP: f64 = 7.0;
const GAP: f64 = 2.0;
/// Height of the line with the times.
const TIMES: f64 = 16.0;
/// Narrowest bar: one that is thinner cannot be seen.
const BAR_MIN: f64 = 2.0;
/// Heights with a line and a number, shares of the top.
const MARKS: [f64; 3] = [1.0, 0.25, 0.04];
/// Times between two marks on the axis, seconds: hours, days, weeks.
const TICKS_S: [i64; 13] = [
    600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200,
    4_838_400, 9_676_800,
];
/// Most marks on the axis.
const TICKS_MAX: i64 = 8;

/// Where instants and rates lie; the same for all panels.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    from: UnixMillis,
    until: UnixMillis,
    top_rps: f64,
    full_rps: f64,
}

impl Scale {
    /// For a span and all that is drawn in it.
    pub(super) fn of<'a>(
        rehearsal: &Rehearsal,
        (from, until): (UnixMillis, UnixMillis),
        samples: impl Iterator<Item = &'a Sample>,
    ) -> Self {
        let full_rps = rehearsal.settings.scaling.full_rps();
        let most = samples.map(|sample| sample.load_rps.max(f64::from(sample.warm) * full_rps));
        Self {
            from,
            until,
            top_rps: most.fold(1.0, f64::max),
            full_rps,
        }
    }

    fn span_s(self) -> i64 {
        self.until.seconds_since(self.from).max(1)
    }

    fn holds(self, at: UnixMillis) -> bool {
        self.from <= at && at < self.until
    }

    fn x(self, at: UnixMillis) -> f64 {
        let share = at.seconds_since(self.from) as f64 / self.span_s() as f64;
        share.clamp(0.0, 1.0) * WIDTH
    }

    fn y(self, rps: f64) -> f64 {
        HEIGHT - (rps / self.top_rps).clamp(0.0, 1.0).sqrt() * HEIGHT
    }

    fn holds_rps(self, sample: &Sample) -> f64 {
        f64::from(sample.warm) * self.full_rps
    }
}

/// Draws the samples of the policy `name`.
pub(super) fn draw(
    page: &mut String,
    name: &str,
    samples: &[Sample],
    rehearsal: &Rehearsal,
    scale: Scale,
) {
    let height = HEIGHT + 2.0 * (GAP + STRIP) + TIMES;
    let _ = write!(
        page,
        "<div class=\"scroll\"><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}: load and capacity over time\">",
        escape(name)
    );
    marks(page, scale, mark_line);
    sales(page, rehearsal, scale);
    lines(page, samples, scale);
    let bad = |sample: &Sample| u8::from(sample.bad_minutes > 0) * 4;
    strip(page, samples, scale, ("bad", HEIGHT + GAP), bad);
    let level = |sample: &Sample| sample.level.index();
    let below = HEIGHT + STRIP + 2.0 * GAP;
    strip(page, samples, scale, ("level", below), level);
    times(page, scale, height - 3.0);
    // Last, or the lines would run through the numbers.
    marks(page, scale, mark_number);
    page.push_str("</svg></div>\n");
}

/// Draws something at each marked rate, given with its height.
fn marks(page: &mut String, scale: Scale, draw: fn(&mut String, f64, f64)) {
    for share in MARKS {
        let rps = scale.top_rps * share;
        draw(page, rps, scale.y(rps));
    }
}

fn mark_line(page: &mut String, _: f64, y: f64) {
    let _ = write!(
        page,
        "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
    );
}

fn mark_number(page: &mut String, rps: f64, y: f64) {
    let y = y + 12.0;
    let _ = write!(
        page,
        "<text class=\"axis\" x=\"4\" y=\"{y:.1}\">{rps:.0} requests/s</text>"
    );
}

/// Announced sales from first to last, with a line at each T0; surges that nobody announced dashed.
fn sales(page: &mut String, rehearsal: &Rehearsal, scale: Scale) {
    let line = |page: &mut String, at: UnixMillis, class: &str, name: &str| {
        let x = scale.x(at);
        let _ = write!(
            page,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{HEIGHT}\"><title>{} {at}</title></line>",
            escape(name)
        );
    };
    let phases = || rehearsal.sales.iter().flat_map(|sale| &sale.phases);
    let seen = |phase: &&SalePhase| phase.t0 < scale.until && scale.from < phase.until;
    for phase in phases().filter(seen) {
        let (x, until) = (scale.x(phase.t0), scale.x(phase.until));
        let _ = write!(
            page,
            "<rect class=\"sale\" x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"{HEIGHT}\"/>",
            (until - x).max(1.0)
        );
        if scale.holds(phase.t0) {
            line(page, phase.t0, "t0", &phase.name);
        }
    }
    let told = |at: UnixMillis| phases().any(|phase| phase.t0 <= at && at < phase.until);
    for surge in rehearsal.traffic.surges() {
        if scale.holds(surge.t0) && !told(surge.t0) {
            line(page, surge.t0, "t0 untold", "nobody was told");
        }
    }
}

/// The load as an area, the capacity as steps above it.
fn lines(page: &mut String, samples: &[Sample], scale: Scale) {
    let _ = write!(page, "<path class=\"load\" d=\"M0 {HEIGHT}");
    for sample in samples {
        let _ = write!(
            page,
            "L{:.1} {:.1}",
            scale.x(sample.at),
            scale.y(sample.load_rps)
        );
    }
    let _ = write!(page, "L{WIDTH} {HEIGHT}Z\"/><path class=\"hold\" d=\"");
    // Only where it changes: most pods stand for long.
    let mut before: Option<u32> = None;
    for sample in samples {
        let (x, y) = (scale.x(sample.at), scale.y(scale.holds_rps(sample)));
        match before {
            None => drop(write!(page, "M{x:.1} {y:.1}")),
            Some(warm) if warm == sample.warm => {}
            Some(_) => drop(write!(page, "H{x:.1}V{y:.1}")),
        }
        before = Some(sample.warm);
    }
    let _ = write!(page, "H{WIDTH}\"/>");
}

/// Bars where `strength` (0 to 4) is not 0, as opaque as it is strong.
fn strip(
    page: &mut String,
    samples: &[Sample],
    scale: Scale,
    (class, top): (&str, f64),
    strength: impl Fn(&Sample) -> u8,
) {
    let mut index = 0;
    while let Some(first) = samples.get(index) {
        let strong = strength(first);
        let same = samples[index..]
            .iter()
            .take_while(|one| strength(one) == strong);
        index += same.count();
        if strong == 0 {
            continue;
        }
        let until = samples.get(index).map_or(WIDTH, |next| scale.x(next.at));
        let x = scale.x(first.at);
        let _ = write!(
            page,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{STRIP}\" opacity=\"{:.2}\"/>",
            (until - x).max(BAR_MIN),
            0.4 + 0.15 * f64::from(strong)
        );
    }
}

/// Times at round instants.
fn times(page: &mut String, scale: Scale, height: f64) {
    let span_s = scale.span_s();
    let fits = |tick_s: &i64| span_s / tick_s <= TICKS_MAX;
    let longest_s = TICKS_S[TICKS_S.len() - 1];
    let tick_s = TICKS_S.into_iter().find(fits).unwrap_or(longest_s);
    let words = if tick_s < 86_400 {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    let first_s = (scale.from.0.div_euclid(1_000 * tick_s) + 1) * tick_s;
    let end_s = scale.until.0.div_euclid(1_000);
    for at_s in (first_s..end_s).step_by(usize::try_from(tick_s).unwrap_or(usize::MAX)) {
        let at = UnixMillis(at_s * 1_000);
        let x = scale.x(at);
        // A text at the border would be cut off.
        if !(40.0..=WIDTH - 40.0).contains(&x) {
            continue;
        }
        let Some(instant) = at.timestamp() else {
            continue;
        };
        let _ = write!(
            page,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{HEIGHT}\" y2=\"{}\"/>\
             <text class=\"axis\" x=\"{x:.1}\" y=\"{height:.1}\" text-anchor=\"middle\">{}</text>",
            height - 11.0,
            instant.strftime(words)
        );
    }
}
