//! One picture as a self-contained page: inline SVG, light and dark by the reader's setting.

use std::fmt::Write as _;

use floodgate_forecast::{ForecastPath, Mask, UnixMillis};

const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 70.0;
/// Half of the last instant named below the picture stands here.
const RIGHT: f64 = 45.0;
/// The unit stands here.
const TOP: f64 = 30.0;
const BOTTOM: f64 = 40.0;
/// Points drawn of one line; more cannot be told apart at this width.
const POINTS_MAX: usize = 2_400;

/// Distance of two instants named below the picture, seconds.
const TICK_S: i64 = 43_200;

/// An instant and a load, requests/s.
pub(crate) type Point = (UnixMillis, f64);

/// What is drawn.
pub(crate) struct Picture<'a> {
    pub(crate) title: String,
    /// Where the forecast begins.
    pub(crate) at: UnixMillis,
    pub(crate) history: Vec<Point>,
    pub(crate) path: &'a ForecastPath,
    pub(crate) truth: Vec<Point>,
    pub(crate) events: Vec<UnixMillis>,
    /// Windows that were left out of the history.
    pub(crate) masked: &'a [Mask],
    /// Seconds between two points of the history where none is missing.
    pub(crate) step_s: u32,
    pub(crate) figures: String,
}

/// Maps instants and loads to the page.
struct Frame {
    from: UnixMillis,
    to: UnixMillis,
    top: f64,
}

impl Frame {
    fn x(&self, at: UnixMillis) -> f64 {
        let span = self.to.seconds_since(self.from).max(1) as f64;
        let share = at.seconds_since(self.from) as f64 / span;
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, load: f64) -> f64 {
        HEIGHT - BOTTOM - load / self.top * (HEIGHT - TOP - BOTTOM)
    }

    fn points(&self, points: &[Point]) -> String {
        let places = points
            .iter()
            .map(|(at, load)| format!("{:.1},{:.1}", self.x(*at), self.y(*load)));
        places.collect::<Vec<_>>().join(" ")
    }

    /// A line that is broken where values are missing: nothing is known there.
    fn line(&self, class: &str, points: &[Point], step_s: u32) -> String {
        let stride = points.len().div_ceil(POINTS_MAX).max(1);
        let gap_s = i64::from(step_s) * 3 / 2;
        let pieces = points.chunk_by(|before, after| after.0.seconds_since(before.0) <= gap_s);
        let pieces = pieces.map(|piece| {
            let mut drawn: Vec<Point> = piece.iter().step_by(stride).copied().collect();
            // The last one ends the line where it ends; a lone one is drawn as a dot.
            drawn.extend(piece.last());
            format!(
                r#"<polyline class="{class}" points="{}"/>"#,
                self.points(&drawn)
            )
        });
        pieces.collect()
    }

    /// A line from top to bottom.
    fn upright(&self, class: &str, at: UnixMillis) -> String {
        let (x, bottom) = (self.x(at), HEIGHT - BOTTOM);
        format!(r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#)
    }

    /// A span from top to bottom, as far as it is in the picture.
    fn span(&self, class: &str, from: UnixMillis, until: UnixMillis) -> String {
        let (left, right) = (self.x(from.max(self.from)), self.x(until.min(self.to)));
        let (width, height) = (right - left, HEIGHT - BOTTOM - TOP);
        format!(
            r#"<rect class="{class}" x="{left:.1}" y="{TOP}" width="{width:.1}" height="{height}"/>"#
        )
    }

    fn touches(&self, from: UnixMillis, until: UnixMillis) -> bool {
        from < self.to && until > self.from
    }
}

/// The page.
pub(crate) fn html(picture: &Picture) -> String {
    let p50 = steps(picture.path, picture.path.p50_rps());
    let upper = steps(picture.path, picture.path.upper_rps());
    let from = picture.history.first().map_or(picture.at, |(at, _)| *at);
    let all = picture.history.iter().chain(&picture.truth).chain(&upper);
    let peak = all.map(|(_, load)| *load).fold(0.0, f64::max);
    let frame = Frame {
        from,
        to: picture.path.end(),
        top: if peak > 0.0 { peak * 1.05 } else { 1.0 },
    };
    let events = picture.events.iter().copied();
    let events: Vec<UnixMillis> = events.filter(|at| frame.touches(*at, *at)).collect();
    let masked = picture.masked.iter();
    let masked: Vec<&Mask> = masked
        .filter(|mask| frame.touches(mask.from, mask.until))
        .collect();
    let mut svg = String::new();
    for mask in &masked {
        svg += &frame.span("masked", mask.from, mask.until);
    }
    svg += &axes(&frame);
    for event in &events {
        svg += &frame.upright("event", *event);
    }
    let band: Vec<Point> = upper.iter().chain(p50.iter().rev()).copied().collect();
    let step_s = picture.path.step_s();
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        r#"<polygon class="band" points="{}"/>"#,
        frame.points(&band)
    );
    svg += &frame.line("history", &picture.history, picture.step_s);
    svg += &frame.line("truth", &picture.truth, step_s);
    svg += &frame.line("upper", &upper, step_s);
    svg += &frame.line("p50", &p50, step_s);
    svg += &frame.upright("origin", picture.at);
    let key = key(picture, !events.is_empty(), !masked.is_empty());
    let title = escaped(&picture.title);
    let figures = escaped(&picture.figures);
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head>
<body><h1>{title}, forecast at {at}</h1><p>{figures}</p>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}: {figures}">{svg}</svg>
<p class="key">{key}</p>
</body></html>
"#,
        at = picture.at
    )
}

/// What each line and colour means, of those that are drawn.
fn key(picture: &Picture, events: bool, masked: bool) -> String {
    let upper = format!("p{}", picture.path.quantile_percent());
    let all = [
        ("history", "history", true),
        ("p50", "median", true),
        ("upper", upper.as_str(), true),
        ("truth", "what happened", !picture.truth.is_empty()),
        ("origin", "forecast from here", true),
        ("event", "event", events),
        ("masked", "left out of the history", masked),
    ];
    let drawn = all.into_iter().filter(|(_, _, drawn)| *drawn);
    let spans = drawn.map(|(class, name, _)| format!(r#"<span class="{class}">{name}</span>"#));
    spans.collect::<Vec<_>>().join(" ")
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2330;--soft:#8a93a3;--grid:#e3e6eb;--back:#fff;--blue:#1f5fbf;--amber:#b45309;--green:#15803d}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#8a93a3;--grid:#2b323d;--back:#12161c;--blue:#7fb0ff;--amber:#f0b05a;--green:#6fd08c}}
body{margin:2rem auto;max-width:1200px;padding:0 1rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.3rem}svg{width:100%;height:auto}
polyline{fill:none;stroke-width:1.6;stroke-linecap:round}polyline.history{stroke:var(--soft)}polyline.truth{stroke:var(--green)}
polyline.p50{stroke:var(--blue);stroke-width:2.2}polyline.upper{stroke:var(--amber);stroke-dasharray:5 4}
polygon.band{fill:var(--blue);opacity:.12}line.grid{stroke:var(--grid)}line.origin{stroke:var(--ink);stroke-dasharray:2 3}
line.event{stroke:var(--amber);opacity:.5}rect.masked{fill:var(--soft);opacity:.25}text{fill:var(--soft);font:12px system-ui,sans-serif}
.key span{margin-right:1.5rem}.key span::before{content:'';display:inline-block;width:1.6rem;height:3px;margin-right:.5rem;vertical-align:middle;background:currentColor}
.key .history{color:var(--soft)}.key .p50{color:var(--blue)}.key .upper{color:var(--amber)}.key .truth{color:var(--green)}
.key .origin{color:var(--ink)}.key .event{color:var(--amber)}.key .masked{color:var(--soft)}
.key .origin::before,.key .event::before{width:2px;height:1rem}.key .event::before{opacity:.5}.key .masked::before{height:1rem;opacity:.25}
";

fn steps(path: &ForecastPath, loads: &[f64]) -> Vec<Point> {
    let mut at = path.start();
    let points = loads.iter().map(|load| {
        let point = (at, *load);
        at = at.plus_s(i64::from(path.step_s()));
        point
    });
    points.collect()
}

fn axes(frame: &Frame) -> String {
    let mut svg = format!(
        r#"<text x="{}" y="{}" text-anchor="end">req/s</text><text x="{}" y="{}" text-anchor="end">UTC</text>"#,
        LEFT - 8.0,
        TOP - 12.0,
        LEFT - 8.0,
        HEIGHT - BOTTOM + 18.0
    );
    let step = round_step(frame.top);
    let mut load = 0.0;
    while load <= frame.top {
        let y = frame.y(load);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            short(load)
        );
        load += step;
    }
    let mut at = UnixMillis((frame.from.0.div_euclid(TICK_S * 1_000) + 1) * TICK_S * 1_000);
    while at <= frame.to {
        let x = frame.x(at);
        let text = at.to_string();
        let label = text.get(5..16).unwrap_or(&text).replace('T', " ");
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{}"/><text x="{x:.1}" y="{}" text-anchor="middle">{label}</text>"#,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        );
        at = at.plus_s(TICK_S);
    }
    svg
}

/// A step of 1, 2 or 5 times a power of ten that gives four to nine lines.
fn round_step(top: f64) -> f64 {
    let power = 10_f64.powf((top / 4.0).log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|times| times * power);
    steps
        .into_iter()
        .find(|step| top / step >= 4.0)
        .unwrap_or(power)
}

fn short(load: f64) -> String {
    match load {
        load if load >= 1e6 => format!("{} M", load / 1e6),
        load if load >= 1e3 => format!("{} k", load / 1e3),
        load => format!("{}", (load * 1e3).round() / 1e3),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
