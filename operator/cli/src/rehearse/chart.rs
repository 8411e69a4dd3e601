//! The chart: one HTML file with inline SVG, for a light and a dark page.
//!
//! Load and what each policy's warm pods hold over time, one panel per policy, minutes that violate
//! the objective marked below; the figures of the table beside it.

use std::fmt::Write;

use floodgate_planner::rehearse::{Rehearsal, Report, Sample};

use super::table;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 150.0;
/// Height of the strip that marks bad minutes.
const STRIP: f64 = 8.0;
/// Heights with a line and a number, shares of the top.
const MARKS: [f64; 2] = [1.0, 0.25];

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2024;--soft:#6b7480;--page:#fff;--line:#d8dde3;--load:#8a94a0;--hold:#0b6bcb;--bad:#c62828}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#98a2ad;--page:#15181b;--line:#343a41;--load:#7b8691;--hold:#5aa9f5;--bad:#ff6b6b}}
body{margin:2rem auto;max-width:70rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .5rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-size:12px;vertical-align:bottom}
h2{font-size:1.05rem;margin:1.4rem 0 .2rem}
td:first-child,th:first-child{text-align:left}
tr.own{font-weight:600}
.scroll{overflow-x:auto}
svg{width:100%;height:auto;display:block}
.load{fill:var(--load);opacity:.35}
.hold{fill:none;stroke:var(--hold);stroke-width:1.5;vector-effect:non-scaling-stroke}
.bad{fill:var(--bad)}
.axis{fill:var(--soft);font-size:11px}
.grid{stroke:var(--line);stroke-width:1}
.key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
p.note{color:var(--soft);margin:.2rem 0}
";

/// Renders the page.
pub fn render(
    cluster: &str,
    rehearsal: &Rehearsal,
    reports: &[Report],
    notes: &[String],
) -> String {
    let mut page = String::new();
    let title = format!("Rehearsal of {}", escape(cluster));
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n"
    );
    for note in notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escape(note));
    }
    figures(&mut page, reports);
    page.push_str(
        "<p class=\"key\"><span style=\"background:var(--load)\"></span>load\
         <span style=\"background:var(--hold)\"></span>what the warm pods hold when full\
         <span style=\"background:var(--bad)\"></span>minutes that violate the objective; heights grow with the square root, so that a night can be seen beside a sale</p>\n",
    );
    let full_rps = rehearsal.settings.scaling.full_rps();
    // The static peak would flatten every other line.
    let top_rps = rehearsal.traffic.peak_rps() * 1.5;
    for report in reports {
        let _ = writeln!(page, "<h2>{}</h2>", escape(report.name));
        panel(&mut page, &report.samples, full_rps, top_rps);
    }
    page.push_str("</body></html>\n");
    page
}

fn figures(page: &mut String, reports: &[Report]) {
    page.push_str("<div class=\"scroll\"><table><thead><tr>");
    for head in table::HEADS {
        let _ = write!(page, "<th>{}</th>", escape(head));
    }
    page.push_str("</tr></thead><tbody>\n");
    for report in reports {
        let own = if report.name == "floodgate" {
            " class=\"own\""
        } else {
            ""
        };
        let _ = write!(page, "<tr{own}>");
        for cell in table::row(report) {
            let _ = write!(page, "<td>{}</td>", escape(&cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn panel(page: &mut String, samples: &[Sample], full_rps: f64, top_rps: f64) {
    let last = samples.len().saturating_sub(1).max(1) as f64;
    let x = |index: usize| index as f64 / last * WIDTH;
    let y = |rps: f64| HEIGHT - (rps / top_rps).clamp(0.0, 1.0).sqrt() * HEIGHT;
    let bottom = HEIGHT + STRIP;
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"load and capacity over time\">\
         <path class=\"load\" d=\"M0 {HEIGHT}",
        bottom + 16.0
    );
    for (index, sample) in samples.iter().enumerate() {
        let _ = write!(page, "L{:.1} {:.1}", x(index), y(sample.load_rps));
    }
    let _ = write!(page, "L{WIDTH} {HEIGHT}Z\"/><path class=\"hold\" d=\"");
    for (index, sample) in samples.iter().enumerate() {
        let verb = if index == 0 { 'M' } else { 'L' };
        let holds_rps = f64::from(sample.warm) * full_rps;
        let _ = write!(page, "{verb}{:.1} {:.1}", x(index), y(holds_rps));
    }
    page.push_str("\"/>");
    let width = (WIDTH / last).max(1.0);
    for (index, _) in samples
        .iter()
        .enumerate()
        .filter(|(_, sample)| sample.bad_minutes > 0)
    {
        let _ = write!(
            page,
            "<rect class=\"bad\" x=\"{:.1}\" y=\"{HEIGHT}\" width=\"{width:.1}\" height=\"{STRIP}\"/>",
            x(index)
        );
    }
    for (place, anchor) in [
        (0, "start"),
        (samples.len() / 2, "middle"),
        (samples.len().saturating_sub(1), "end"),
    ] {
        if let Some(sample) = samples.get(place) {
            let _ = write!(
                page,
                "<text class=\"axis\" x=\"{:.0}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                x(place),
                bottom + 13.0,
                sample.at
            );
        }
    }
    for share in MARKS {
        let height = y(top_rps * share);
        let _ = write!(
            page,
            "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{height:.1}\" y2=\"{height:.1}\"/>\
             <text class=\"axis\" x=\"4\" y=\"{:.1}\">{:.0} requests/s</text>",
            height + 12.0,
            top_rps * share
        );
    }
    page.push_str("</svg>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
