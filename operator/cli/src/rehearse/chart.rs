//! The page of a rehearsal: the verdict and the figures of the table, then a chart per policy: the
//! hour of the hardest T0, and all of the rehearsal.
//!
//! Invariant: nothing is cut off, and policies can be compared; the axes of one part hold the
//! largest load and the largest capacity of all policies.

use floodgate_forecast::UnixMillis;
use floodgate_picture::{
    Annotation, Chart, Colour, Page, Panel, Point, Scale, Series, Shape, Strip, Time,
    Verdict as Judged, figures, section, steps, table,
};
use floodgate_planner::SalePhase;
use floodgate_planner::rehearse::{Rehearsal, Report, Sample};
use jiff::tz::Offset;
use maud::{Markup, html};

use super::load::Stage;
use super::table::{self as text, HEADS, SPREAD_HEADS};
use super::verdict::{Verdict, number};

/// Height of a plot, pixels.
const HEIGHT: f64 = 160.0;
const CAPACITY: &str = "what the warm pods hold when full";
const UNANNOUNCED: &str = "surge that nobody announced";

/// Renders the page; charts show the first seed.
pub fn render(stage: &Stage, runs: &[Vec<Report>], verdict: Option<&Verdict>) -> String {
    let rehearsal = &stage.rehearsal;
    let reports = runs.first().map_or(&[][..], Vec::as_slice);
    let traffic = &rehearsal.traffic;
    let origin = format!(
        "{} to {}, seed {}, load at its peak {:.0} requests/s",
        traffic.rehearsed_from(),
        traffic.end(),
        rehearsal.world.seed,
        traffic.peak_rps()
    );
    let missed = verdict.map(|verdict| verdict.marks.iter().filter(|mark| !mark.met).count());
    let missed_text = format!("{} marks missed", missed.unwrap_or_default());
    let page = Page {
        kind: "Floodgate rehearsal",
        verdict: missed.map(|missed| match missed {
            0 => Judged::Good("all marks met"),
            1 => Judged::Short("one mark missed"),
            _ => Judged::Short(&missed_text),
        }),
        title: &format!("Rehearsal of {}", stage.cluster),
        origin: &origin,
        body: html! {
            @if let Some(verdict) = verdict { (judged(verdict, runs.len())) }
            (tables(stage, runs, reports))
            (charts(rehearsal, reports))
        },
    };
    page.render()
}

fn judged(verdict: &Verdict, seeds: usize) -> Markup {
    let rows = html! {
        @for mark in &verdict.marks {
            @let met = if mark.met { Judged::Good("met") } else { Judged::Short("missed") };
            tr { th scope="row" { (mark.name) } td { (mark.value) } td { (mark.must) } td { (met) } }
        }
    };
    let body = table(&["Mark", "Measured", "Must be", ""], &rows);
    section("Verdict", &verdict.headline(seeds).join(" "), &body)
}

fn tables(stage: &Stage, runs: &[Vec<Report>], reports: &[Report]) -> Markup {
    let rows: Vec<_> = reports.iter().map(text::row).collect();
    let spread = text::spread_rows(runs);
    let seeds = format!(
        "The charts and the table above show seed {}; these are means of {} seeds, least and most.",
        stage.rehearsal.world.seed,
        runs.len()
    );
    html! {
        (section("Figures", &stage.notes.join(" "), &figures(HEADS, &rows)))
        @if runs.len() > 1 { (section("All seeds", &seeds, &figures(SPREAD_HEADS, &spread))) }
    }
}

/// The hour of the hardest T0 from near, then all of the rehearsal.
fn charts(rehearsal: &Rehearsal, reports: &[Report]) -> Markup {
    let traffic = &rehearsal.traffic;
    let all = Part {
        rehearsal,
        span: (traffic.rehearsed_from(), traffic.end()),
        samples: |report| &report.samples,
    };
    let legend = reports.first().map(|first| all.chart(first, 1.0).legend(0));
    html! {
        p.sticky { @if let Some(legend) = legend { (legend) } }
        p.note { "Heights grow with the square root, so that a night can be seen beside a sale." }
        @if let (Some(t0), Some(span)) = (rehearsal.hardest_t0(), rehearsal.hardest_span()) {
            @let near = Part { rehearsal, span, samples: |report| &report.around_t0 };
            (section(&format!("Around the hardest T0, {t0}"), "", &near.charts(reports)))
        }
        (section("All of the rehearsal", "", &all.charts(reports)))
    }
}

/// A part of the rehearsal and the samples of it.
struct Part<'a> {
    rehearsal: &'a Rehearsal,
    span: (UnixMillis, UnixMillis),
    samples: fn(&Report) -> &[Sample],
}

impl Part<'_> {
    fn charts(&self, reports: &[Report]) -> Markup {
        let samples = reports.iter().flat_map(self.samples);
        let most = samples.map(|sample| sample.load_rps.max(self.full_rps(sample)));
        let top_rps = most.fold(1.0, f64::max);
        html! {
            @for report in reports {
                h3 {
                    (report.name)
                    small {
                        (report.score.slo_violation_minutes) " min beyond the objective, "
                        (number(report.score.pod_hours)) " pod-hours"
                    }
                }
                (self.chart(report, top_rps).figure())
            }
        }
    }

    /// Load and capacity of one policy, sales behind them, and below them the minutes that violate
    /// the objective and the levels.
    fn chart(&self, report: &Report, top_rps: f64) -> Chart {
        let samples = (self.samples)(report);
        let (from_s, until_s) = (seconds(self.span.0), seconds(self.span.1));
        let load = samples
            .iter()
            .map(|sample| (seconds(sample.at), Some(sample.load_rps)));
        let full = samples
            .iter()
            .map(|sample| (seconds(sample.at), Some(self.full_rps(sample))));
        let mut full: Vec<Point> = full.collect();
        full.extend(full.last().map(|(_, rps)| (until_s, *rps)));
        let strip = |colour, name, strength: fn(&Sample) -> u8| Strip {
            colour,
            name,
            bars: bars(samples, until_s, strength),
        };
        Chart {
            label: format!("{}: load and capacity over time", report.name),
            time: Time {
                from_s,
                until_s,
                offset: Offset::UTC,
            },
            annotations: self.sales().chain(self.t0s()).collect(),
            panels: vec![Panel {
                scale: Scale::SquareRoot,
                top: Some(top_rps),
                series: vec![
                    Series::new(Colour::GREY, "load", Shape::Area, load.collect()),
                    Series::new(Colour::BLUE, CAPACITY, Shape::Line, steps(&full)),
                ],
                strips: vec![
                    strip(Colour::RED, "SLO missed", |sample| {
                        u8::from(sample.bad_minutes > 0) * 4
                    }),
                    strip(Colour::AMBER, "level", |sample| sample.level.index()),
                ],
                ..Panel::new("", "requests/s", HEIGHT)
            }],
        }
    }

    fn full_rps(&self, sample: &Sample) -> f64 {
        f64::from(sample.warm) * self.rehearsal.settings.scaling.full_rps()
    }

    fn sales(&self) -> impl Iterator<Item = Annotation> {
        let phases = phases(self.rehearsal);
        let seen = phases.filter(|phase| phase.t0 < self.span.1 && self.span.0 < phase.until);
        seen.map(|phase| Annotation {
            tag: phase.name.clone(),
            until_s: seconds(phase.until),
            ..marked(Colour::GREEN, "announced sale", &phase.name, phase.t0)
        })
    }

    /// The start of each announced phase, and of each surge that nobody announced.
    fn t0s(&self) -> impl Iterator<Item = Annotation> {
        let announced = phases(self.rehearsal);
        let announced = announced.map(|phase| marked(Colour::GREEN, "T0", &phase.name, phase.t0));
        let covered =
            |t0: UnixMillis| phases(self.rehearsal).any(|phase| phase.t0 <= t0 && t0 < phase.until);
        let surges = self.rehearsal.traffic.surges().iter();
        let surges = surges.filter(move |surge| !covered(surge.t0));
        let surges = surges.map(|surge| marked(Colour::ORANGE, UNANNOUNCED, UNANNOUNCED, surge.t0));
        announced.chain(surges)
    }
}

/// An instant without a tag.
fn marked(colour: Colour, kind: &'static str, name: &str, at: UnixMillis) -> Annotation {
    Annotation {
        colour,
        kind,
        name: format!("{name} {at}"),
        tag: String::new(),
        from_s: seconds(at),
        until_s: seconds(at),
    }
}

fn phases(rehearsal: &Rehearsal) -> impl Iterator<Item = &SalePhase> {
    rehearsal.sales.iter().flat_map(|sale| &sale.phases)
}

/// Bars where `strength` (0 to 4) is not 0.
fn bars(samples: &[Sample], until_s: f64, strength: fn(&Sample) -> u8) -> Vec<(f64, f64, f64)> {
    let runs = samples.chunk_by(|one, other| strength(one) == strength(other));
    let starts = runs.filter_map(|run| run.first());
    let starts = starts.map(|first| (seconds(first.at), strength(first)));
    let ends = std::iter::once((until_s, 0));
    let starts: Vec<(f64, u8)> = starts.chain(ends).collect();
    let pairs = starts.windows(2);
    pairs
        .map(|pair| (pair[0].0, pair[1].0, f64::from(pair[0].1) / 4.0))
        .collect()
}

fn seconds(at: UnixMillis) -> f64 {
    at.0 as f64 / 1e3
}
