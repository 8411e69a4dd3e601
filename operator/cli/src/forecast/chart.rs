//! One picture as a self-contained page: inline SVG, light and dark by the reader's setting.

use std::fmt::Write as _;

use floodgate_forecast::{ForecastPath, UnixMillis};

const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 40.0;
/// Points drawn of one line; more cannot be told apart at this width.
const POINTS_MAX: usize = 2_400;

/// Distance of two instants named below the picture, seconds.
const TICK_S: i64 = 43_200;

/// An instant and a load, requests/s or the unit of the trace.
pub(super) type Point = (UnixMillis, f64);

/// What is drawn.
pub(super) struct Picture<'a> {
    pub(super) title: String,
    /// Where the forecast begins.
    pub(super) at: UnixMillis,
    pub(super) history: Vec<Point>,
    pub(super) path: &'a ForecastPath,
    pub(super) truth: Vec<Point>,
    pub(super) events: Vec<UnixMillis>,
    pub(super) figures: String,
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
        let stride = points.len().div_ceil(POINTS_MAX).max(1);
        let places = points
            .iter()
            .step_by(stride)
            .map(|(at, load)| format!("{:.1},{:.1}", self.x(*at), self.y(*load)));
        places.collect::<Vec<_>>().join(" ")
    }
}

/// The page.
pub(super) fn html(picture: &Picture) -> String {
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
    let band: Vec<Point> = upper.iter().chain(p50.iter().rev()).copied().collect();
    let mut svg = axes(&frame);
    for event in &picture.events {
        if *event > frame.from && *event < frame.to {
            let x = frame.x(*event);
            let _ = write!(
                svg,
                r#"<line class="event" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{}"/>"#,
                HEIGHT - BOTTOM
            );
        }
    }
    let origin = frame.x(picture.at);
    let _ = write!(
        svg,
        r#"<polygon class="band" points="{}"/><polyline class="history" points="{}"/><polyline class="truth" points="{}"/><polyline class="upper" points="{}"/><polyline class="p50" points="{}"/><line class="origin" x1="{origin:.1}" x2="{origin:.1}" y1="{TOP}" y2="{}"/>"#,
        frame.points(&band),
        frame.points(&picture.history),
        frame.points(&picture.truth),
        frame.points(&upper),
        frame.points(&p50),
        HEIGHT - BOTTOM,
    );
    let title = escaped(&picture.title);
    let figures = escaped(&picture.figures);
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head>
<body><h1>{title}, forecast at {at}</h1><p>{figures}</p>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}: {figures}">{svg}</svg>
<p class="key"><span class="history">history</span> <span class="p50">median</span> <span class="upper">upper bound</span> <span class="truth">what happened</span></p>
</body></html>
"#,
        at = picture.at
    )
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2330;--soft:#8a93a3;--grid:#e3e6eb;--back:#fff;--blue:#1f5fbf;--amber:#b45309;--green:#15803d}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#8a93a3;--grid:#2b323d;--back:#12161c;--blue:#7fb0ff;--amber:#f0b05a;--green:#6fd08c}}
body{margin:2rem auto;max-width:1200px;padding:0 1rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.3rem}svg{width:100%;height:auto}
polyline{fill:none;stroke-width:1.6}polyline.history{stroke:var(--soft)}polyline.truth{stroke:var(--green)}
polyline.p50{stroke:var(--blue);stroke-width:2.2}polyline.upper{stroke:var(--amber);stroke-dasharray:5 4}
polygon.band{fill:var(--blue);opacity:.12}line.grid{stroke:var(--grid)}line.origin{stroke:var(--ink);stroke-dasharray:2 3}
line.event{stroke:var(--amber);opacity:.5}text{fill:var(--soft);font:12px system-ui,sans-serif}
.key span{margin-right:1.5rem}.key span::before{content:'';display:inline-block;width:1.6rem;height:3px;margin-right:.5rem;vertical-align:middle;background:currentColor}
.key .history{color:var(--soft)}.key .p50{color:var(--blue)}.key .upper{color:var(--amber)}.key .truth{color:var(--green)}
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
    let mut svg = String::new();
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
