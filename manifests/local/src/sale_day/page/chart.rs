//! The picture of the day: four panels over one time axis, with phases and events marked.
//!
//! Load and forecast; pods; degradation level; latency. Panels share the time axis instead of one
//! panel having two scales, so that no line can be read against the wrong unit.

use std::fmt::Write;

use jiff::Zoned;

use super::panels::{PANELS, Panel, Shape};
use super::scale::{Axis, time_step_s};
use super::{clock, escape, lines, start};
use crate::sale_day::report::{Report, Row};

const WIDTH: f64 = 1_120.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
/// Height of the strip with phase names and event numbers, pixels.
const STRIP: f64 = 50.0;
/// Height of a panel's title and legend, pixels.
const TITLE: f64 = 34.0;
const GAP: f64 = 10.0;
/// Event numbers closer than this move to another row, pixels.
const BADGE: f64 = 19.0;

/// The horizontal axis.
struct Time {
    start: Zoned,
    duration_s: f64,
}

impl Time {
    fn at(&self, t_s: f64) -> f64 {
        let share = if t_s.is_finite() {
            t_s / self.duration_s
        } else {
            0.0
        };
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }
}

/// The figure with its caption.
pub fn figure(report: &Report) -> String {
    let last_s = report
        .timeline
        .iter()
        .map(|row| row.t_s)
        .filter(|t_s| t_s.is_finite())
        .fold(0.0, f64::max);
    let time = Time {
        start: start(report),
        duration_s: last_s.max(1.0),
    };
    let mut body = String::new();
    let mut y = STRIP;
    let mut plots = Vec::new();
    for panel in &PANELS {
        y += TITLE;
        draw_panel(&mut body, panel, y, &time, &report.timeline);
        plots.push((y, y + panel.height));
        y += panel.height + GAP;
    }
    let bottom = y - GAP;
    let mut under = String::new();
    draw_phases(&mut under, bottom, &time, &report.timeline);
    time_axis(&mut under, &plots, &time);
    draw_events(&mut body, &plots, &time, report);
    let height = bottom + 40.0;
    format!(
        "<figure class=\"scroll\">\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Load, pods, degradation level and latency over the sale day\">\n{under}{body}</svg>\n\
         <figcaption>Local time (UTC{}). The numbers on top are the events listed below; \
         a line breaks where nothing was measured.</figcaption>\n</figure>\n",
        time.start.strftime("%:z")
    )
}

fn draw_panel(out: &mut String, panel: &Panel, y: f64, time: &Time, rows: &[Row]) {
    let values = rows.iter().flat_map(|row| match panel.top {
        Some(top) => vec![top(row)],
        None => panel.series.iter().map(|s| (s.value)(row)).collect(),
    });
    let axis = Axis::over(
        y,
        panel.height,
        panel.spread,
        panel.least_top,
        values.flatten(),
    );
    let shown = |value: &f64| panel.top.is_none() || *value <= axis.top;
    let bottom = y + panel.height;
    for tick in axis.ticks() {
        let Some(tick_y) = axis.at(tick) else {
            continue;
        };
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {tick_y:.1}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            tick_y + 4.0,
            (panel.tick)(tick)
        );
    }
    for series in panel.series {
        let place = |value: fn(&Row) -> Option<f64>| -> Vec<lines::Point> {
            let y = |row| value(row).filter(shown).and_then(|value| axis.at(value));
            rows.iter().map(|row| (time.at(row.t_s), y(row))).collect()
        };
        let points = place(series.value);
        let outline = match series.shape {
            Shape::Line | Shape::Area => lines::line(&points),
            Shape::Steps | Shape::StepArea => lines::steps(&points),
            Shape::Band(_) => String::new(),
        };
        let fill = match series.shape {
            Shape::Area => lines::area(&points, bottom),
            Shape::StepArea => lines::step_area(&points, bottom),
            Shape::Band(below) => lines::band(&points, &place(below)),
            Shape::Line | Shape::Steps => String::new(),
        };
        if !fill.is_empty() {
            let _ = writeln!(out, "<path class=\"fill {}\" d=\"{fill}\"/>", series.class);
        }
        if !outline.is_empty() {
            let _ = writeln!(
                out,
                "<path class=\"line {}\" d=\"{outline}\"/>",
                series.class
            );
        }
    }
    if let Some((value, name)) = panel.mark
        && let Some(mark_y) = axis.at(value)
    {
        let _ = writeln!(
            out,
            "<path class=\"mark\" d=\"M{LEFT} {mark_y:.1}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" >{name}, {value:.0} ms</text>",
            WIDTH - RIGHT,
            LEFT + 6.0,
            mark_y - 4.0
        );
    }
    draw_title(out, panel, y - 12.0);
}

fn draw_title(out: &mut String, panel: &Panel, y: f64) {
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{LEFT}\" y=\"{y:.1}\">{}</text>",
        panel.title
    );
    let _ = write!(
        out,
        "<text class=\"legend\" x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\">",
        WIDTH - RIGHT
    );
    for (index, series) in panel.series.iter().enumerate() {
        let gap = if index == 0 { 0 } else { 16 };
        let key = match series.class {
            "upper" | "desired" => "- -",
            _ => "\u{2014}",
        };
        let _ = write!(
            out,
            "<tspan class=\"key {}\" dx=\"{gap}\">{key}</tspan> {}",
            series.class, series.name
        );
    }
    out.push_str("</text>\n");
}

fn time_axis(out: &mut String, plots: &[(f64, f64)], time: &Time) {
    let bottom = plots.last().map_or(0.0, |(_, bottom)| *bottom);
    let step_s = time_step_s(time.duration_s, 13.0);
    let first = time.start.timestamp().as_second() + i64::from(time.start.offset().seconds());
    let mut t_s = (step_s - first.rem_euclid(step_s)).rem_euclid(step_s) as f64;
    while t_s <= time.duration_s {
        let x = time.at(t_s);
        let lines = lines::verticals(x, plots);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"{lines}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 20.0,
            clock(&time.start, t_s + 0.01)
        );
        t_s += step_s as f64;
    }
}

fn draw_phases(out: &mut String, bottom: f64, time: &Time, rows: &[Row]) {
    let mut spans: Vec<(&str, f64, f64)> = Vec::new();
    for row in rows.iter().filter(|row| !row.phase.is_empty()) {
        match spans.last_mut() {
            Some((name, _, to_s)) if *name == row.phase => *to_s = row.t_s,
            Some((_, _, to_s)) => {
                *to_s = row.t_s;
                spans.push((&row.phase, row.t_s, row.t_s));
            }
            None => spans.push((&row.phase, row.t_s, row.t_s)),
        }
    }
    for (name, from_s, to_s) in spans {
        let (x, right) = (time.at(from_s), time.at(to_s));
        let name = escape(name);
        let _ = writeln!(
            out,
            "<rect class=\"phase {name}\" x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"{bottom:.1}\"/><text class=\"phase-name\" x=\"{:.1}\" y=\"14\">{name}</text>",
            (right - x).max(0.0),
            x + 6.0
        );
    }
}

fn draw_events(out: &mut String, plots: &[(f64, f64)], time: &Time, report: &Report) {
    let mut taken = [f64::NEG_INFINITY; 2];
    for (event, number) in report.events.iter().zip(1..) {
        let x = time.at(event.at_s);
        let row = usize::from(x - taken[0] < BADGE && x - taken[1] > x - taken[0]);
        taken[row] = x;
        let y = 27.0 + row as f64 * BADGE;
        let label = escape(&event.label);
        let lines = lines::verticals(x, plots);
        let _ = writeln!(
            out,
            "<g class=\"event\"><title>{label}</title><path d=\"{lines}\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{number}</text></g>",
            y + 3.8
        );
    }
}
