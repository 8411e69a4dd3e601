//! The trace as the load of the rehearsal: unit, injected sales, scale, and where the sales lie.

use floodgate_forecast::UnixMillis;
use floodgate_planner::rehearse::{Rehearsal, Surge, Traffic, TrafficError};
use floodgate_planner::{Confidence, Sale, SalePhase};
use floodgate_trace::ReadError;
use jiff::tz::Offset;
use jiff::{SignedDuration, civil::Time};

use super::args::{Args, Injection, When};
use super::history::{self, HistoryError, Recorded};
use super::objects::{Given, Past};
use super::world;
use crate::calendar::LEVEL_MAX_USUAL;

/// History before the rehearsal, at most half of the trace, seconds.
const HISTORY_S: i64 = 14 * 86_400;
/// A trace that does not fit is brought to this share of what the most replicas hold.
const FIT_SHARE: f64 = 0.75;
/// A trace whose peak is below this share of it does not fit either.
const FIT_SHARE_MIN: f64 = 0.25;
const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;
/// Phases in which an injected sale is announced: from when after T0, seconds, and how much of what
/// it adds is still there then, as [`Surge`] falls.
const PHASES: [(&str, i64, f64); 3] = [
    ("opening", 0, 1.0),
    ("tail", 1_800, 0.5),
    ("rest", 3_600, 0.125),
];

/// Why a trace cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No source of the load.
    #[error("`--trace` or `--from-prometheus` must be given")]
    Nothing,
    /// The file is no trace.
    #[error(transparent)]
    Trace(#[from] ReadError),
    /// The metrics store gives none.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// It cannot be rehearsed.
    #[error("`{file}`: {source}")]
    Traffic {
        /// The file.
        file: String,
        /// What is wrong.
        source: TrafficError,
    },
    /// An injected sale lies outside.
    #[error(
        "the sale injected at {at} must lie between {from} and {until}, the part of the trace that is rehearsed"
    )]
    Outside {
        /// When.
        at: UnixMillis,
        /// Start of the rehearsal.
        from: UnixMillis,
        /// Its end.
        until: UnixMillis,
    },
}

/// A rehearsal that can begin.
#[derive(Debug)]
pub struct Stage {
    /// Name of the cluster.
    pub cluster: String,
    /// The rehearsal.
    pub rehearsal: Rehearsal,
    /// Factor the trace was multiplied by.
    pub scale: f64,
    /// What was done to make it fit, in sentences.
    pub notes: Vec<String>,
}

/// Puts everything together.
pub async fn stage(args: &Args, given: Given) -> Result<Stage, LoadError> {
    let Given {
        cluster,
        past,
        mut settings,
        measured,
        mut sales,
        others,
    } = given;
    let mut notes = Vec::new();
    if !others.is_empty() {
        let others = others.join(", ");
        notes.push(format!(
            "{others}: selects another cluster and was left out."
        ));
    }
    let mut traffic = traffic(args, &past, &mut notes).await?;
    notes.push(format!(
        "History is {} .. {}; {} .. {} is rehearsed.",
        traffic.start(),
        traffic.rehearsed_from(),
        traffic.rehearsed_from(),
        traffic.end()
    ));
    traffic = place(traffic, &sales, args, &mut notes);
    for injection in &args.inject {
        traffic = inject(args, *injection, traffic, &mut sales, &mut notes)?;
    }
    let declared_rps = settings.scaling.capacity_rps;
    settings.scaling.capacity_rps =
        world::capacity_rps(&args.world, &measured, declared_rps, &mut notes);
    let full_rps = f64::from(settings.scaling.replicas_max) * settings.scaling.capacity_rps;
    let scale = scale(args, &traffic, full_rps, &mut notes);
    let rehearsal = Rehearsal {
        traffic: traffic.scaled(scale),
        settings,
        sales,
        world: world::world(&args.world, &measured, &mut notes),
    };
    notes.extend(slower(&rehearsal));
    Ok(Stage {
        cluster,
        rehearsal,
        scale,
        notes,
    })
}

/// Says where a long rehearsal forecasts less often than the operator does.
fn slower(rehearsal: &Rehearsal) -> Option<String> {
    let settings = &rehearsal.settings.forecast;
    let (refresh_s, refit_s) = rehearsal.forecast_pace_s();
    let usual = refresh_s <= i64::from(settings.refresh_s.max(10))
        && refit_s <= i64::from(settings.refit_s.max(settings.refresh_s));
    (settings.active && !usual).then(|| {
        format!(
            "So long a rehearsal forecasts each {refresh_s} s and fits its model each {refit_s} s, where the operator does so each {} s and {} s; only floodgate loses by that.",
            settings.refresh_s, settings.refit_s
        )
    })
}

async fn traffic(args: &Args, past: &Past, notes: &mut Vec<String>) -> Result<Traffic, LoadError> {
    let (origin, recorded) = match (&args.from_prometheus, &args.trace) {
        (Some(url), _) => (url.clone(), history::read(url, args, past).await?),
        (None, Some(path)) => {
            let trace = floodgate_trace::read(path, args.unit)?;
            let samples = trace.samples().iter();
            let recorded = Recorded {
                step_s: trace.step_s(),
                samples: samples
                    .map(|sample| (sample.at.into(), sample.value))
                    .collect(),
                refused: 0,
            };
            (path.display().to_string(), recorded)
        }
        // The command line demands one of both.
        (None, None) => return Err(LoadError::Nothing),
    };
    if recorded.refused > 0 {
        notes.push(format!(
            "{} samples are no rate (negative, not finite or absurd) and count as missing.",
            recorded.refused
        ));
    }
    Traffic::new(recorded.step_s, &recorded.samples, HISTORY_S).map_err(|source| {
        LoadError::Traffic {
            file: origin,
            source,
        }
    })
}

/// Says which sales lie outside of the rehearsal; when all do, the trace is moved by whole weeks to
/// the first of them and the declared uplift is laid over it.
fn place(mut traffic: Traffic, sales: &[Sale], args: &Args, notes: &mut Vec<String>) -> Traffic {
    let phases = || sales.iter().flat_map(|sale| &sale.phases);
    let (from, until) = (traffic.rehearsed_from(), traffic.end());
    let inside = phases()
        .filter(|phase| from < phase.t0 && phase.t0 < until)
        .count();
    let outside = phases().count() - inside;
    let Some(first) = phases().map(|phase| phase.t0).min().filter(|_| outside > 0) else {
        return traffic;
    };
    if inside > 0 {
        notes.push(format!(
            "{outside} of {} phases lie outside of what is rehearsed and show nothing.",
            inside + outside
        ));
        return traffic;
    }
    // By whole weeks, so that weekdays stay; a trace too short for that by whole days.
    let unit_s = if until.seconds_since(from) > WEEK_S + DAY_S {
        WEEK_S
    } else {
        DAY_S
    };
    let target = until.plus_s(-DAY_S / 2);
    let moved_s = (first.seconds_since(target).div_euclid(unit_s) + 1) * unit_s;
    traffic = traffic.moved(moved_s);
    let (from, until) = (traffic.rehearsed_from(), traffic.end());
    if !(from < first && first < until) {
        notes.push("No sale lies in what is rehearsed; none is shown.".to_owned());
        return traffic.moved(-moved_s);
    }
    notes.push(format!(
        "Every sale lies outside of the trace: the trace was moved by {} days, so that {from} .. {until} is rehearsed.",
        moved_s / DAY_S
    ));
    if args.inject.is_empty() {
        notes.push("The declared uplift of each phase was laid over it.".to_owned());
        for phase in phases().filter(|phase| from < phase.t0 && phase.t0 < until) {
            traffic = traffic.with_surge(Surge {
                t0: phase.t0,
                factor: f64::from(phase.uplift_percent) / 100.0,
            });
        }
    }
    traffic
}

/// Lays an injected sale over the trace, and announces it.
fn inject(
    args: &Args,
    injection: Injection,
    traffic: Traffic,
    sales: &mut Vec<Sale>,
    notes: &mut Vec<String>,
) -> Result<Traffic, LoadError> {
    let (from, until) = (traffic.rehearsed_from(), traffic.end());
    let t0 = match injection.when {
        When::At(at) => at,
        When::TimeOfDay(time, offset) => on_a_day(time, offset, &traffic, sales),
    };
    if t0 <= from || t0 >= until {
        return Err(LoadError::Outside {
            at: t0,
            from,
            until,
        });
    }
    let surge = Surge {
        t0,
        factor: injection.factor,
    };
    let covered = sales.iter().flat_map(|sale| &sale.phases).any(|phase| {
        phase.t0 <= t0
            && t0 < phase.until
            && f64::from(phase.uplift_percent) >= 50.0 * injection.factor
    });
    let told = if covered {
        "a SaleEvent covers it"
    } else if args.unannounced {
        "nobody is told of it"
    } else {
        sales.push(announced(&surge, sales.len()));
        "announced to everybody who takes a calendar"
    };
    notes.push(format!(
        "A sale of {}x was injected at {t0}; {told}.",
        injection.factor
    ));
    Ok(traffic.with_surge(surge))
}

/// The time of day of a T0 that is announced, else of the day in the middle.
fn on_a_day(time: Time, offset: Offset, traffic: &Traffic, sales: &[Sale]) -> UnixMillis {
    let (from, until) = (traffic.rehearsed_from(), traffic.end());
    let civil = |at: UnixMillis| at.timestamp().map(|at| offset.to_datetime(at));
    let announced = sales
        .iter()
        .flat_map(|sale| &sale.phases)
        .map(|phase| phase.t0)
        .filter(|t0| from < *t0 && *t0 < until)
        .find(|t0| civil(*t0).is_some_and(|at| at.time() == time));
    let middle = from.plus_s(until.seconds_since(from) / 2);
    let on_middle = || {
        let date = civil(middle)?.date();
        let at = offset.to_timestamp(date.to_datetime(time)).ok()?;
        let at = if UnixMillis::from(at) < middle {
            at.saturating_add(SignedDuration::from_hours(24)).ok()?
        } else {
            at
        };
        Some(UnixMillis::from(at))
    };
    announced.or_else(on_middle).unwrap_or(middle)
}

/// The announcement a person would write who knows how such sales go.
fn announced(surge: &Surge, index: usize) -> Sale {
    let ends = PHASES
        .iter()
        .skip(1)
        .map(|(_, after_s, _)| surge.t0.plus_s(*after_s));
    let ends = ends.chain([surge.until()]);
    let phases = PHASES
        .iter()
        .zip(ends)
        .map(|((name, after_s, share), until)| SalePhase {
            name: (*name).to_owned(),
            t0: surge.t0.plus_s(*after_s),
            until,
            uplift_percent: ((1.0 + (surge.factor - 1.0) * share) * 100.0).ceil() as u32,
            confidence: Confidence::default(),
            planned_replicas: None,
            planned_later: Vec::new(),
        });
    Sale {
        name: format!("injected-{index}"),
        start: surge.t0,
        end: surge.until(),
        level_max: LEVEL_MAX_USUAL,
        phases: phases.collect(),
    }
}

fn scale(args: &Args, traffic: &Traffic, full_rps: f64, notes: &mut Vec<String>) -> f64 {
    let peak_rps = traffic.peak_rps();
    let wanted_rps = match args.scale_to_peak {
        Some(rps) => rps,
        None if args.as_recorded => return 1.0,
        None if (full_rps * FIT_SHARE_MIN..=full_rps).contains(&peak_rps) => return 1.0,
        None => full_rps * FIT_SHARE,
    };
    let scale = wanted_rps / peak_rps;
    notes.push(format!(
        "The load was multiplied by {scale:.4}, so that its peak of {peak_rps:.0} requests/s became {wanted_rps:.0}; the most replicas hold {full_rps:.0} at target utilisation."
    ));
    scale
}
