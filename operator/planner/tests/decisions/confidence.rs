//! The chance constraint of a sale phase.

use floodgate_planner::{Baseline, Confidence, ForecastPath, LeadTime, Scaling, sale_plan};

use crate::fleet::{NOW, sale};

#[test]
fn the_chance_of_a_phase_moves_its_plan() {
    // Tenfold of 100 req/s, p95 120 req/s.
    let path = ForecastPath::flat(NOW, 60, 120, 100.0, 120.0).unwrap();
    let planned_rps = |quantile_percent, uplift_error_percent| {
        let mut event = sale("flash", NOW.plus_s(600), 120, 1_000);
        event.phases[0].confidence = Confidence {
            quantile_percent,
            uplift_error_percent,
        };
        let baseline = Baseline {
            path: Some(&path),
            measured_rps: None,
            observed_peak_rps: None,
        };
        let plan = sale_plan(&event, baseline, &Scaling::default(), &LeadTime::default());
        plan.phases[0].expected_rps.unwrap_or(f64::NAN)
    };
    let check = |chance: (Option<u8>, u32), from_rps: f64, to_rps: f64| {
        let found = planned_rps(chance.0, chance.1);
        assert!((from_rps..=to_rps).contains(&found), "{chance:?}: {found}");
    };
    check((None, 0), 1_199.999, 1_200.001);
    check((Some(50), 0), 999.999, 1_000.001);
    check((Some(99), 0), 1_280.0, 1_320.0);
    check((Some(50), 30), 999.999, 1_000.001);
    // Two independent errors do not simply add up: by themselves they are factors 1.2 and 1.35.
    check((None, 20), 1_360.0, 1_200.0 * 1.35 - 1.0);
    check((None, 30), 1_500.0, 1_200.0 * 1.54 - 1.0);
}
