//! What a decision leaves behind for others to read.

use floodgate_planner::Memory;

use crate::fleet::{Fleet, input};

#[test]
fn memory_survives_a_round_trip_through_json_and_stays_small() {
    let mut fleet = Fleet::new(input(4, 150.0));
    for tick in 0..2_000 {
        let load_rps = 200.0 + 1_500.0 * f64::from(tick * 7_919 % 1_000) / 1_000.0;
        let _ = fleet.tick(1, load_rps);
    }
    let text = serde_json::to_string(&fleet.input.memory).unwrap();
    assert!(text.len() < 16_384, "{} bytes", text.len());
    let read: Memory = serde_json::from_str(&text).unwrap();
    assert_eq!(read, fleet.input.memory);
}
