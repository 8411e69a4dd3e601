//! What one question to the gate costs, alone on a core.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use axum::response::IntoResponse;
use floodgate_contract::{Class, Level, Policy};
use payment_svc::gate::{Ask, Clock, Gate, GateConfig};
use payment_svc::metrics::Metrics;

const ROUNDS: u32 = 200_000;

/// Prints the time to let one in and out again, and the time to refuse one, answer included.
pub fn print() {
    let gate = Gate::new(&GateConfig::default(), Metrics::new(1), Clock::system());
    let admit_ns = time_ns(&gate, Class::Critical);
    let survive = Policy {
        version: 1,
        floor: Level::Survive,
        pin: None,
        quotas_rps: [None; 4],
        lease_s: 600,
        reason: String::new(),
    };
    gate.put_policy(survive).expect("the first policy");
    let refuse_ns = time_ns(&gate, Class::Critical);
    println!("gate: let in and out {admit_ns:.0} ns, refuse with answer {refuse_ns:.0} ns");
}

fn time_ns(gate: &Arc<Gate>, class: Class) -> f64 {
    let start = Instant::now();
    for user in 0..ROUNDS {
        match gate.admit(&Ask::new(class, u64::from(user))) {
            Ok(permit) => permit.finish(201),
            Err(refusal) => drop(black_box(refusal.into_response())),
        }
    }
    start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
}
