//! The chart: one HTML file with inline SVG, for a light and a dark page.
//!
//! The verdict and the figures of the table, then a panel per policy: the hour of the hardest T0, and
//! all of the rehearsal. Nothing is fetched from elsewhere and nothing runs.

mod panel;

use std::fmt::Write;

use floodgate_planner::rehearse::{Rehearsal, Report};

use super::load::Stage;
use super::table;
use super::verdict::{Verdict, number};
use panel::Scale;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6470;--page:#fff;--line:#d8dde3;--load:#8a94a0;--hold:#0b6bcb;--bad:#c62828;--level:#b26a00;--sale:#2e7d32}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a3adb8;--page:#15181b;--line:#343a41;--load:#7b8691;--hold:#5aa9f5;--bad:#ff6b6b;--level:#f0a83c;--sale:#66bb6a}}
body{margin:2rem auto;max-width:70rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin:.8rem 0}
td,th{padding:.25rem .5rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-size:12px;vertical-align:bottom}
h2{font-size:1.2rem;margin:1.8rem 0 .2rem}
h3{font-size:1rem;margin:1rem 0 .2rem}
h3 small{font-weight:400;color:var(--soft)}
td:first-child,th:first-child{text-align:left}
tr.own{font-weight:600}
.scroll{overflow-x:auto}
svg{width:100%;min-width:40rem;height:auto;display:block}
.load{fill:var(--load);opacity:.4}
.hold{fill:none;stroke:var(--hold);stroke-width:1.5;vector-effect:non-scaling-stroke}
.bad{fill:var(--bad)}
.level{fill:var(--level)}
.sale{fill:var(--sale);opacity:.12}
.t0{stroke:var(--sale);stroke-width:1;opacity:.6;vector-effect:non-scaling-stroke}
.untold{stroke-dasharray:3 3}
.axis{fill:var(--soft);font-size:11px;paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--line);stroke-width:1}
.key{position:sticky;top:0;background:var(--page);padding:.3rem 0;border-bottom:1px solid var(--line);z-index:1}
.key span{display:inline-block;margin-right:1em}
.key i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
p.note{color:var(--soft);margin:.2rem 0}
pre{white-space:pre-wrap;font:inherit;border-left:3px solid var(--line);padding-left:.8rem}
";

/// What a colour means, in the order of the legend.
const KEY: [(&str, &str); 5] = [
    ("load", "load"),
    ("hold", "what the warm pods hold when full"),
    (
        "sale",
        "a sale, with a line at each T0 (dashed: nobody was told)",
    ),
    ("bad", "minutes that violate the objective"),
    ("level", "level imposed, the stronger the higher"),
];

/// Renders the page; panels show the first seed.
pub fn render(stage: &Stage, runs: &[Vec<Report>], verdict: Option<&Verdict>) -> String {
    let mut page = String::new();
    let title = format!("Rehearsal of {}", escape(&stage.cluster));
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n"
    );
    if let Some(verdict) = verdict {
        let words = verdict.in_words(runs.len()).join("\n");
        let _ = writeln!(page, "<pre>{}</pre>", escape(&words));
    }
    let reports = runs.first().map_or(&[][..], Vec::as_slice);
    let rows: Vec<_> = reports.iter().map(table::row).collect();
    figures(&mut page, table::HEADS, &rows);
    if runs.len() > 1 {
        let seed = stage.rehearsal.world.seed;
        let _ = writeln!(
            page,
            "<p class=\"note\">Above and below seed {seed}; means of {} seeds, least and most:</p>",
            runs.len()
        );
        figures(&mut page, table::SPREAD_HEADS, &table::spread_rows(runs));
    }
    for note in &stage.notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escape(note));
    }
    page.push_str("<p class=\"key\">");
    for (colour, words) in KEY {
        let _ = write!(
            page,
            "<span><i style=\"background:var(--{colour})\"></i>{words}</span> "
        );
    }
    page.push_str("</p>\n<p class=\"note\">Heights grow with the square root, so that a night can be seen beside a sale. Times are UTC.</p>\n");
    panels(&mut page, &stage.rehearsal, reports);
    page.push_str("</body></html>\n");
    page
}

/// The hour of the hardest T0 from near, then all of the rehearsal; each on one scale.
fn panels(page: &mut String, rehearsal: &Rehearsal, reports: &[Report]) {
    if let (Some(t0), Some(span)) = (rehearsal.hardest_t0(), rehearsal.hardest_span()) {
        let _ = writeln!(page, "<h2>Around the hardest T0, {t0}</h2>");
        let samples = reports.iter().flat_map(|report| &report.around_t0);
        let scale = Scale::of(rehearsal, span, samples);
        for Report {
            name, around_t0, ..
        } in reports
        {
            let _ = writeln!(page, "<h3>{name}</h3>");
            panel::draw(page, name, around_t0, rehearsal, scale);
        }
    }
    page.push_str("<h2>All of the rehearsal</h2>\n");
    let span = (rehearsal.traffic.rehearsed_from(), rehearsal.traffic.end());
    let samples = reports.iter().flat_map(|report| &report.samples);
    let scale = Scale::of(rehearsal, span, samples);
    for Report {
        name,
        score,
        samples,
        ..
    } in reports
    {
        let _ = writeln!(
            page,
            "<h3>{name} <small>{} min beyond the objective, {} pod-hours</small></h3>",
            score.slo_violation_minutes,
            number(score.pod_hours)
        );
        panel::draw(page, name, samples, rehearsal, scale);
    }
}

fn figures<const COLUMNS: usize>(
    page: &mut String,
    heads: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) {
    page.push_str("<div class=\"scroll\"><table><thead><tr>");
    for head in heads {
        let _ = write!(page, "<th>{}</th>", escape(head));
    }
    page.push_str("</tr></thead><tbody>\n");
    for cells in rows {
        let own = if cells[0] == "floodgate" {
            " class=\"own\""
        } else {
            ""
        };
        let _ = write!(page, "<tr{own}>");
        for cell in cells {
            let _ = write!(page, "<td>{}</td>", escape(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
