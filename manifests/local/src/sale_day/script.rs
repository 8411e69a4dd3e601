//! The script of the day: what happens at which second, and the load that goes with it.
//!
//! Second 0 is the start of the base load. The outage of Prometheus lies over the moment at which
//! the pre-scale has to begin, because that is where missing data would hurt most.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::curve::Curve;

/// T0: the tenfold step.
pub const T0_S: f64 = 80.0;
/// The second wave, beyond what max replicas hold.
pub const OVERLOAD_S: f64 = T0_S + 120.0;
/// Back to the base load.
pub const AFTER_S: f64 = OVERLOAD_S + 50.0;
/// End of the load.
pub const END_S: f64 = AFTER_S + 95.0;

/// The override is annotated, to lapse [`OVERRIDE_FOR_S`] later.
pub const OVERRIDE_AT_S: f64 = 4.0;
/// How long the override is to last, seconds.
pub const OVERRIDE_FOR_S: f64 = 18.0;
/// Replicas the override asks for at least: above the base, below the plan.
pub const OVERRIDE_REPLICAS: u32 = 4;
/// Prometheus is stopped.
pub const OUTAGE_AT_S: f64 = 26.0;
/// Prometheus is started again, 30 s later.
pub const OUTAGE_END_S: f64 = OUTAGE_AT_S + 30.0;
/// The operator's leading pod is killed.
pub const OPERATOR_KILL_S: f64 = T0_S + 30.0;
/// A payment pod is killed.
pub const PAYMENT_KILL_S: f64 = T0_S + 75.0;

/// Load of the step as a multiple of the base.
const STEP_FACTOR: f64 = 10.0;
/// Load of the second wave as a multiple of the base: more than twice what max replicas hold.
const OVERLOAD_FACTOR: f64 = 30.0;
/// Distance of two points of the base load, seconds.
const POINT_S: f64 = 15.0;

/// Users that pay.
pub const USERS: u32 = 50_000;
/// Merchants that are paid.
pub const MERCHANTS: u32 = 200;
/// How long a client waits for one answer, milliseconds.
const DEADLINE_MS: u32 = 2_000;

/// The phases in order: name, first second, second after the last.
pub const PHASES: [(&str, f64, f64); 4] = [
    ("before", 0.0, T0_S),
    ("sale", T0_S, OVERLOAD_S),
    ("overload", OVERLOAD_S, AFTER_S),
    ("after", AFTER_S, END_S),
];

/// The phase a second belongs to.
pub fn phase(t_s: f64) -> &'static str {
    PHASES
        .into_iter()
        .find(|(_, from_s, to_s)| (*from_s..*to_s).contains(&t_s))
        .map_or("", |(name, _, _)| name)
}

/// Load at a second, requests/s.
fn rate_rps(curve: &Curve, t_s: f64) -> f64 {
    let factor = match phase(t_s) {
        "sale" => STEP_FACTOR,
        "overload" => OVERLOAD_FACTOR,
        _ => 1.0,
    };
    curve.live_rps(t_s) * factor
}

/// The plan file of the load generator.
pub fn load_plan(curve: &Curve, target: &str, start: Timestamp, seed: u64) -> Value {
    let regular = (0..)
        .map(|index| f64::from(index) * POINT_S)
        .take_while(|t_s| *t_s < END_S);
    let mut times: Vec<f64> = regular.chain(PHASES.map(|(_, from_s, _)| from_s)).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let rate: Vec<Value> = times
        .into_iter()
        .map(|t_s| json!({ "t_s": t_s, "rps": rate_rps(curve, t_s), "ramp": "step" }))
        .collect();
    let phases =
        PHASES.map(|(name, from_s, to_s)| json!({ "name": name, "from_s": from_s, "to_s": to_s }));
    json!({
        "target": target,
        "start": start.to_string(),
        "end_s": END_S,
        "users": USERS,
        "merchants": MERCHANTS,
        "seed": seed,
        "deadline_ms": DEADLINE_MS,
        "phases": phases,
        "rate": rate,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{AFTER_S, OUTAGE_END_S, OVERLOAD_S, OVERRIDE_AT_S, OVERRIDE_FOR_S, T0_S};
    use super::{END_S, load_plan, phase, rate_rps};
    use crate::sale_day::curve::Curve;

    #[test]
    fn the_load_steps_up_at_t0_and_again_for_the_second_wave() {
        let curve = Curve::synthetic(1_795_219_200, 0, 1);
        let plan = load_plan(&curve, "http://198.19.0.1:80", Timestamp::UNIX_EPOCH, 7);
        let at = |t_s: f64| {
            let points = plan["rate"].as_array().unwrap();
            points.iter().find(|p| p["t_s"] == t_s).unwrap()["rps"]
                .as_f64()
                .unwrap()
        };
        assert!((30.0..50.0).contains(&at(0.0)));
        assert!((300.0..500.0).contains(&at(T0_S)));
        assert!(at(OVERLOAD_S) > 2.0 * at(T0_S));
        assert!((at(AFTER_S) - rate_rps(&curve, AFTER_S)).abs() < 1e-9 && at(AFTER_S) < 50.0);
        assert_eq!(plan["phases"].as_array().unwrap().len(), 4);
        assert_eq!(plan["start"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn the_plan_is_one_the_load_generator_takes() {
        let now = Timestamp::now();
        let curve = Curve::synthetic(now.as_second(), 0, 1);
        let plan = load_plan(&curve, "http://198.19.0.1:80", now, 7).to_string();
        let plan = payment_load::plan::Plan::parse(&plan).unwrap();
        let valid = plan.validate(now).unwrap();
        assert!(valid.curve().peak_rps() > 900.0);
    }

    #[test]
    fn every_second_has_one_phase() {
        assert_eq!(phase(0.0), "before");
        assert_eq!(phase(T0_S), "sale");
        assert_eq!(phase(END_S), "");
        assert_eq!(phase(f64::NAN), "");
    }

    #[test]
    fn the_override_has_lapsed_before_data_goes_missing_and_data_is_back_before_t0() {
        const { assert!(OVERRIDE_AT_S + OVERRIDE_FOR_S < super::OUTAGE_AT_S) };
        const { assert!(OUTAGE_END_S < T0_S) };
    }
}
