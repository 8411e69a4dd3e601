//! The level floor of the fleet, decided in the same step as the replicas.
//!
//! A level is armed before the queue forms: when what is predicted inside the lead time is more
//! than the pods that will be warm by then can hold, or when half of the pods took it by
//! themselves. It is left one level at a time, when the projected load would fit for long enough.
//! Without a valid load it may rise and never falls.

use floodgate_forecast::UnixMillis;
use floodgate_words::{Level, Reason};

use crate::{
    decision::LevelDecision,
    memory::{LevelMemory, Memory},
    sale::phases,
    situation::Situation,
};

/// A level entered again within this many seconds of being left doubles its dwell.
const REENTRY_S: i64 = 300;
/// Longest dwell that doubling leads to, seconds; a longer hold time of the spec stands.
const DWELL_S_MAX: i64 = 300;

/// The tightest moment inside the lead time.
#[derive(Clone, Copy)]
struct Pressure {
    load_rps: f64,
    capacity_rps: f64,
}

impl Pressure {
    fn percent(self) -> f64 {
        if self.load_rps <= 0.0 {
            0.0
        } else {
            self.load_rps / self.capacity_rps * 100.0
        }
    }
}

/// Decides the level floor and records it in `memory`.
pub(crate) fn decide(situation: &Situation<'_>, memory: &mut Memory) -> LevelDecision {
    let before = memory.level.floor;
    let pressure = pressure(situation, memory);
    let (automatic, reason) = match pressure {
        Some(pressure) => automatic(situation, memory, pressure),
        None => silent(situation, memory),
    };
    let overrides = &situation.overrides;
    let paused = overrides
        .pause
        .is_some_and(|pause| pause.value.stops_degradation());
    let (kept, reason) = if paused && automatic != before {
        (before, Reason::DegradationPaused)
    } else {
        (automatic, reason)
    };
    memory.level.floor = kept;
    // A demand beside a pause stands above what is kept, and not above what the pause keeps away.
    let (floor, reason) = match overrides.degrade_floor {
        Some(word) if word.value > kept => (word.value, Reason::LevelFloorOverride),
        _ => (kept, reason),
    };
    let pin = overrides.degrade_pin.map(|word| word.value);
    LevelDecision {
        floor: pin.unwrap_or(floor),
        pin,
        reason: if pin.is_some() {
            Reason::LevelPinned
        } else {
            reason
        },
        load_rps: pressure
            .filter(|_| situation.load.is_ok())
            .map(|pressure| pressure.load_rps),
        capacity_rps: pressure.map_or(0.0, |pressure| pressure.capacity_rps),
    }
}

/// Without a moment to weigh nothing is left; what half of the pods say still counts.
fn silent(situation: &Situation<'_>, memory: &mut Memory) -> (Level, Reason) {
    let before = memory.level.floor;
    let of_pods = situation.input.health.majority_level();
    if of_pods > before {
        enter(situation.input.now, &mut memory.level, of_pods);
        return (of_pods, Reason::PodsDegraded);
    }
    (before, Reason::LevelHeld)
}

fn automatic(
    situation: &Situation<'_>,
    memory: &mut Memory,
    pressure: Pressure,
) -> (Level, Reason) {
    let input = situation.input;
    let before = memory.level.floor;
    let percent = pressure.percent();
    let levels = Level::ALL.into_iter().skip(1);
    let entered = levels
        .zip(&input.degradation.levels)
        .filter(|(_, threshold)| percent > f64::from(threshold.enter_percent))
        .map(|(level, _)| level)
        .max()
        .unwrap_or_default();
    let of_pods = input.health.majority_level();
    let demanded = entered.max(of_pods);
    if demanded > Level::Normal && demanded >= before {
        enter(input.now, &mut memory.level, demanded);
        let most = f64::from(input.scaling.replicas_max.max(input.scaling.replicas_min));
        let above = pressure.load_rps > most * input.scaling.full_rps();
        let reason = if of_pods > entered {
            Reason::PodsDegraded
        } else if above {
            Reason::LoadAboveMaximum
        } else {
            Reason::WarmCapacityShort
        };
        return (demanded, reason);
    }
    if before == Level::Normal {
        memory.level.fits_since = [None; 4];
        return (Level::Normal, Reason::LoadFits);
    }
    if !situation.may_lower() {
        memory.level.fits_since = [None; 4];
        return (before, Reason::LevelHeld);
    }
    leave(input.now, &mut memory.level, percent, &input.degradation)
}

/// Enters a level, or stays in it. A level that is entered again soon after it was left is left
/// more slowly each time, because its load comes back as soon as it is served again.
fn enter(now: UnixMillis, level: &mut LevelMemory, entered: Level) {
    let climbed = usize::from(level.floor.index())..usize::from(entered.index());
    for index in climbed {
        let soon = level.left_at[index].is_some_and(|left| now.seconds_since(left) < REENTRY_S);
        level.doublings[index] = if soon {
            level.doublings[index].saturating_add(1)
        } else {
            0
        };
    }
    level.fits_since = [None; 4];
}

/// Leaves one level when the load has fitted for the dwell of that level.
///
/// Each level's dwell counts from when the load began to fit it, whichever level is in force: a load
/// that has been low for a minute needs no proof of that a second time for every level below.
///
/// The load is what clients offer, refused requests included, at the tightest moment inside the
/// lead time, and the capacity that of pods that serve everything: so it is the load that would
/// have to fit after the level's work is on again, and not what is left while it is off.
fn leave(
    now: UnixMillis,
    level: &mut LevelMemory,
    percent: f64,
    policy: &crate::DegradationPolicy,
) -> (Level, Reason) {
    let before = level.floor;
    let index = usize::from(before.index().saturating_sub(1));
    for (since, threshold) in level.fits_since.iter_mut().zip(&policy.levels) {
        let fits = percent <= f64::from(threshold.exit_percent);
        *since = fits.then(|| since.unwrap_or(now));
    }
    let Some(since) = level.fits_since[index] else {
        return (before, Reason::WarmCapacityShort);
    };
    // One level in an instant, or a decision made again in it would be another one.
    if level
        .left_at
        .get(index + 1)
        .is_some_and(|left| *left == Some(now))
    {
        return (before, Reason::LoadFits);
    }
    let hold_s = i64::from(policy.levels[index].hold_s.max(1));
    let dwell_s = (hold_s << level.doublings[index].min(16)).min(DWELL_S_MAX.max(hold_s));
    if now.seconds_since(since) < dwell_s {
        return (before, Reason::LevelDwell);
    }
    level.left_at[index] = Some(now);
    level.fits_since[index] = None;
    (before.milder(), Reason::LoadFits)
}

/// The moment inside the lead time at which load is highest against the pods warm by then.
///
/// Moments without a single warm pod do not count: nobody serves then, so there is nobody to
/// degrade, and a fleet that just starts must not start degraded. `None` when no moment counts.
fn pressure(situation: &Situation<'_>, memory: &Memory) -> Option<Pressure> {
    let input = situation.input;
    if !input.scaling.has_capacity() {
        return None;
    }
    let full_rps = input.scaling.full_rps();
    let mut moments = vec![input.now];
    moments.extend(memory.orders_due(situation).map(|(due, _)| due));
    moments.extend(
        phases(&input.sales)
            .map(|(_, phase)| phase.t0)
            .filter(|t0| *t0 > input.now && *t0 <= situation.horizon),
    );
    moments.sort_unstable();
    let ends = moments.iter().skip(1).copied().chain([situation.horizon]);
    let mut worst: Option<Pressure> = None;
    for (from, until) in moments.iter().copied().zip(ends) {
        let pods = memory.warm_at(situation, from);
        if pods == 0 {
            continue;
        }
        let span = Pressure {
            load_rps: predicted_rps(situation, memory, from, until),
            capacity_rps: f64::from(pods) * full_rps,
        };
        if worst.is_none_or(|worst| span.percent() > worst.percent()) {
            worst = Some(span);
        }
    }
    worst
}

/// Load expected in `[from, until]`, requests/s: what is measured, the median of a trusted
/// forecast, and the sale phases that run then. The median and not the upper quantile, because
/// degrading on a wide interval would take from people what the fleet could have served; for the
/// same reason the present rate and not the largest of the last minute.
fn predicted_rps(
    situation: &Situation<'_>,
    memory: &Memory,
    from: UnixMillis,
    until: UnixMillis,
) -> f64 {
    let measured_rps = situation.load.ok().map(|load| load.present_rps());
    let forecast_rps = situation
        .trusted_path()
        .and_then(|path| path.p50_rps_max(from, until))
        .map(|p50_rps| p50_rps.min(situation.forecast_rps_max()));
    let sale_rps = phases(&situation.input.sales)
        .filter(|(_, phase)| phase.t0 >= situation.input.now && phase.runs_at(from))
        .filter_map(|(sale, phase)| {
            let baseline = memory.baseline_of(sale, phase)?;
            Some(baseline.median_rps(phase, from, until))
        });
    measured_rps
        .into_iter()
        .chain(forecast_rps)
        .chain(sale_rps)
        .fold(0.0, f64::max)
}
