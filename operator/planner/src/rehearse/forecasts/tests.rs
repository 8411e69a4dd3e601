//! Paths of a rehearsal fare as those of the operator do.

use super::*;
use crate::{
    input::Scaling,
    intake::Trust,
    level::DegradationPolicy,
    load::LoadLimits,
    rehearse::{rehearsal::Settings, traffic::Traffic, world::World},
};

const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// Beginning of the rehearsed part, seconds.
const HISTORY_S: i64 = 86_400;

/// A rehearsal of a steady load.
fn steady(rps: f64, error_percent_max: u32) -> Rehearsal {
    let samples = (0..2 * 1_440).map(|minute| (START.plus_s(60 * minute), Some(rps)));
    let samples: Vec<_> = samples.collect();
    Rehearsal {
        traffic: Traffic::new(60, &samples, HISTORY_S).unwrap(),
        settings: Settings {
            scaling: Scaling::default(),
            load_limits: LoadLimits::default(),
            degradation: DegradationPolicy::default(),
            forecast: ForecastSettings {
                active: true,
                quantile_percent: 95,
                margin_s: 60,
                refresh_s: 60,
                refit_s: 900,
                error_percent_max,
                history_days: 14,
            },
            lead_s: 15..=600,
        },
        sales: Vec::new(),
        world: World::default(),
    }
}

/// An hour of paths that say `p50_rps`, and a tenth more as their upper quantile.
fn lived(rehearsal: &Rehearsal, p50_rps: f64) -> Vec<ForecastSnapshot> {
    let snapshot = |minute: i64| {
        let at = START.plus_s(HISTORY_S + 60 * minute);
        ForecastSnapshot {
            at,
            path: Arc::new(ForecastPath::flat(at, 60, 60, p50_rps, 1.1 * p50_rps).unwrap()),
            is_long: false,
            state: ForecastState::Fitted,
            history_hours: 48,
            peak_rps: 200.0,
            naive_rps: Some(rehearsal.traffic.rate_at(at)),
            live: LiveFigures::default(),
        }
    };
    let mut snapshots: Vec<_> = (0..60).map(snapshot).collect();
    keep_promises(rehearsal, 60, &mut snapshots);
    snapshots
}

/// Whether the forecast may bid at the first and at the last of them.
fn trust(error_percent_max: u32, p50_rps: f64) -> (Trust, Trust) {
    let rehearsal = steady(100.0, error_percent_max);
    let snapshots = lived(&rehearsal, p50_rps);
    let at = |snapshot: &ForecastSnapshot| {
        let facts = snapshot.facts(&rehearsal.settings.forecast);
        facts.trust(snapshot.at)
    };
    (at(&snapshots[0]), at(&snapshots[59]))
}

#[test]
fn a_band_that_the_load_leaves_is_widened() {
    let snapshots = lived(&steady(130.0, 40), 100.0);
    let upper_rps = |snapshot: &ForecastSnapshot| {
        let path = &snapshot.path;
        path.upper_rps_max(snapshot.at, snapshot.at).unwrap()
    };
    assert!((upper_rps(&snapshots[0]) - 110.0).abs() < 1e-9);
    let last = upper_rps(&snapshots[59]);
    assert!(last > 115.0, "{last}");
}

#[test]
fn a_forecast_that_seasonal_naive_beats_does_not_bid() {
    assert_eq!(trust(60, 50.0), (Trust::Trusted, Trust::WorseThanNaive));
    assert_eq!(trust(40, 50.0), (Trust::Trusted, Trust::ErrorAboveGate));
    assert_eq!(trust(40, 100.0), (Trust::Trusted, Trust::Trusted));
}

#[test]
fn a_path_grows_old_while_the_history_cannot_be_read() {
    let rehearsal = steady(100.0, 40);
    let snapshots = lived(&rehearsal, 100.0);
    let facts = snapshots[59].facts(&rehearsal.settings.forecast);
    let lost = ForecastState::HistoryUnavailable(LoadFault::Unavailable);
    let lost = ForecastFacts {
        state: &lost,
        ..facts
    };
    assert_eq!(lost.trust(snapshots[59].at.plus_s(1_800)), Trust::Trusted);
    let late = snapshots[59].at.plus_s(1_801);
    assert_eq!(lost.trust(late), Trust::HistoryUnavailable);
}
