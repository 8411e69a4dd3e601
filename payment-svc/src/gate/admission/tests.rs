//! The controller in virtual time, against a server with a CPU quota, and its properties.

mod server;

use std::time::Duration;

use proptest::prelude::*;

use self::server::{Load, Report, Server};
use super::super::arrivals::POSITIONS;
use super::*;

/// A pod with 100m, whose requests cost 0.4 ms: 250 of them in a second.
const CAPACITY_RPS: f64 = 250.0;

fn throttled(seed: u64) -> Server {
    Server {
        quota: Duration::from_millis(10),
        period: Duration::from_millis(100),
        target: Duration::from_millis(55),
        tick: Duration::from_millis(200),
        request: Duration::from_micros(400),
        refusal: Duration::from_micros(20),
        store: Duration::from_millis(5),
        stolen: Duration::ZERO,
        seed,
    }
}

fn whole_core(seed: u64) -> Server {
    Server {
        quota: Duration::from_millis(100),
        target: Duration::from_millis(10),
        tick: Duration::from_millis(100),
        ..throttled(seed)
    }
}

fn at_load(server: &Server, capacity_rps: f64, load: f64) -> Report {
    let base = Load {
        rps: 0.5 * capacity_rps,
        for_s: 10.0,
    };
    let step = Load {
        rps: load * capacity_rps,
        for_s: 20.0,
    };
    server.run(&[base, step])
}

#[test]
fn below_capacity_a_throttled_pod_refuses_nothing() {
    for seed in 0..4 {
        for load in [0.3, 0.6, 0.8] {
            let report = at_load(&throttled(seed), CAPACITY_RPS, load);
            assert!(report.refused_share() < 0.002, "{load}x: {report:?}");
        }
    }
}

#[test]
fn g1_past_capacity_goodput_stays_at_capacity_under_a_quota() {
    for seed in 0..4 {
        for (load, least) in [
            (1.2, 0.88),
            (2.0, 0.88),
            (3.0, 0.85),
            (5.0, 0.75),
            (10.0, 0.45),
        ] {
            let report = at_load(&throttled(seed), CAPACITY_RPS, load);
            let goodput = report.good_rps() / CAPACITY_RPS;
            println!("quota {load}x seed {seed}: {goodput:.3} {report:?}");
            assert!(goodput >= least, "{load}x: {goodput} {report:?}");
        }
    }
}

#[test]
fn g1_past_capacity_goodput_stays_at_capacity_on_a_whole_core() {
    for seed in 0..2 {
        for (load, least) in [(1.2, 0.88), (2.0, 0.88), (5.0, 0.75)] {
            let report = at_load(&whole_core(seed), 2_500.0, load);
            let goodput = report.good_rps() / 2_500.0;
            println!("core {load}x seed {seed}: {goodput:.3} {report:?}");
            assert!(goodput >= least, "{load}x: {goodput} {report:?}");
        }
    }
}

#[test]
fn g2_the_important_classes_hardly_notice_twice_the_capacity() {
    for seed in 0..4 {
        let report = at_load(&throttled(seed), CAPACITY_RPS, 2.0);
        let share = report.class_success();
        assert!(share[0] >= 0.97 && share[1] >= 0.93, "{report:?}");
        assert!(share[0] + 0.01 >= share[1] && share[1] >= share[2] && share[2] >= share[3]);
    }
}

#[test]
fn a_machine_that_stalls_now_and_then_costs_what_it_steals_and_not_more() {
    for seed in 0..4 {
        let mut server = throttled(seed);
        server.stolen = Duration::from_millis(150);
        let report = at_load(&server, CAPACITY_RPS, 2.0);
        let goodput = report.good_rps() / CAPACITY_RPS;
        println!("stolen seed {seed}: {goodput:.3} {report:?}");
        assert!(goodput >= 0.80, "{goodput} {report:?}");
        let report = at_load(&server, CAPACITY_RPS, 0.6);
        println!("stolen 0.6 seed {seed}: {report:?}");
        assert!(report.refused_share() < 0.005, "{report:?}");
    }
}

#[test]
fn g5_after_the_surge_everything_is_in_again_within_seconds() {
    let load = |share, for_s| Load {
        rps: share * CAPACITY_RPS,
        for_s,
    };
    let report = throttled(1).run(&[load(0.6, 5.0), load(10.0, 10.0), load(0.6, 10.0)]);
    assert!(report.refused_in_last_s(5.0) == 0, "{report:?}");
}

#[test]
fn g8_a_slow_store_at_sixty_percent_is_no_reason_to_refuse() {
    let mut server = throttled(2);
    server.store = Duration::from_millis(200);
    let report = at_load(&server, CAPACITY_RPS, 0.6);
    assert!(report.refused_share() < 0.005, "{report:?}");
}

fn window(counts: &[u32], wait_ms: u64, completions: u32, cpu_share: f64) -> Window<'_> {
    Window {
        dt: Duration::from_millis(100),
        wait: Duration::from_millis(wait_ms),
        store_ratio: 0.0,
        completions,
        latency: Duration::from_millis(10) * completions,
        in_flight: 4,
        cpu_share,
        arrivals: counts,
    }
}

#[test]
fn lateness_that_is_not_the_pods_own_closes_nothing() {
    let counts = vec![1; POSITIONS];
    let mut admission = Admission::new(Duration::from_millis(10), Duration::ZERO);
    for _ in 0..100 {
        let setting = admission.tick(&window(&counts, 500, 500, 0.2));
        assert_eq!(setting.shed_from(), None, "a neighbour has the core");
    }
    let own = window(&counts, 500, 500, 0.9);
    let first = admission.tick(&own).shed_from();
    assert_eq!(first, None, "one late tick is a stall");
    let second = admission.tick(&own).shed_from();
    assert!(second.is_some(), "two are a queue");
}

proptest! {
    #[test]
    fn whatever_happens_the_cursor_stays_open_a_little_and_the_order_of_classes_holds(
        ticks in prop::collection::vec((0u32..50, 0u64..2_000, 0u32..400, 0.0f64..1.5), 1..80)
    ) {
        let mut admission = Admission::new(Duration::from_millis(10), Duration::ZERO);
        for (arrived, wait_ms, completions, cpu_share) in ticks {
            let counts: Vec<u32> = (0..POSITIONS).map(|at| arrived * u32::from(at % 7 == 0)).collect();
            let setting = admission.tick(&window(&counts, wait_ms, completions, cpu_share));
            prop_assert!(setting.cursor >= CURSOR_FLOOR && setting.cursor <= POSITIONS as u32);
            prop_assert!(f64::from(setting.limit) >= LIMIT_FLOOR && setting.limit <= LIMIT_OPEN);
            prop_assert!(setting.queue_ratio >= 0.0);
            let share = |class: usize| {
                let from = (class * SUB_LEVELS) as u32;
                setting.cursor.saturating_sub(from).min(SUB_LEVELS as u32)
            };
            prop_assert!((0..3).all(|class| share(class) >= share(class + 1)));
        }
    }
}
