//! A made-up sale day that keeps every promise, for the tests of verdict and page.

use floodgate_words::Level;

use super::report::{Decision, Event, Fault, Machine, Money, Override, Phase, Report, Row, Sale};

/// 310 s of a good day, with the gaps real ones have.
pub fn good_day() -> Report {
    let phase = |offered: u64, shed: u64, p99_ms: f64| Phase {
        offered,
        acked: offered - shed,
        shed,
        failed: 0,
        success_ratio_critical: Some(1.0 - shed as f64 / (20.0 * offered as f64)),
        p50_ms: Some(4.2),
        p99_ms: Some(p99_ms),
        goodput_rps: Some((offered - shed) as f64 / 120.0),
    };
    let mut report = Report {
        machine: Machine {
            started_at: "2026-11-10T23:58:17+08:00".to_owned(),
            duration_s: 310.0,
            cpus: 2,
            memory_mib: 24_000,
            kernel: "6.18.0".to_owned(),
            history: "synthetic".to_owned(),
            seed: 11,
        },
        before: phase(3_600, 0, 18.0),
        sale: Sale {
            phase: phase(48_000, 12, 74.3),
            planned_replicas: Some(9),
            ready_at_t0: Some(9),
            warm_at_t0: Some(9),
            base_replicas: Some(2),
            prescaled_before_t0_s: Some(38.0),
        },
        overload: Phase { goodput_rps: Some(571.0), ..phase(60_000, 31_000, 640.0) },
        after: phase(2_000, 0, 21.0),
        money: Money {
            acked: Some(58_213),
            recorded: Some(58_213),
            lost: Some(0),
            doubled: Some(0),
            imbalance_minor: Some(0),
            audit_passed: Some(true),
            complaint: String::new(),
        },
        faults: vec![
            fault("Prometheus stopped for 30 s", 40.0, 30.0, 9),
            fault("operator pod killed", 125.0, 9.0, 9),
            fault("payment pod killed", 165.0, 6.0, 9),
        ],
        sre_override: Override {
            annotation: "floodgate.dev/floor-replicas=4".to_owned(),
            set_at_s: Some(6.0),
            until: "2026-11-10T23:58:43+08:00".to_owned(),
            won_at_s: Some(8.0),
            won: true,
            lapsed_at_s: Some(27.0),
        },
        events: events(),
        decisions: vec![Decision {
            at_s: 8.0,
            desired: Some(4),
            source: "override".to_owned(),
            level: Some(Level::Normal),
            explain: "override bids 4 (floor-replicas by <sre>: payday & rain); reactive bids 1; no guard changed it".to_owned(),
        }],
        timeline: (0..310).map(|second| row(f64::from(second))).collect(),
        refusals_without_retry_after: Some(0),
        ..Report::default()
    };
    super::verdict::judge(&mut report);
    report
}

fn fault(name: &str, at_s: f64, healed_after_s: f64, replicas: u32) -> Fault {
    Fault {
        name: name.to_owned(),
        at_s,
        healed_at_s: Some(at_s + healed_after_s),
        replicas_before: Some(replicas),
        replicas_min: Some(replicas),
        replicas_after: Some(replicas),
        ready_before: Some(replicas),
        ready_min: Some(replicas - 1),
        ready_after: Some(replicas),
        shrank: false,
    }
}

fn events() -> Vec<Event> {
    [
        (6.0, "floor-replicas=4 annotated for 20 s"),
        (27.0, "the override lapsed by itself"),
        (40.0, "Prometheus stopped"),
        (70.0, "Prometheus started"),
        (90.0, "T0: tenfold load"),
        (125.0, "operator pod killed"),
        (165.0, "payment pod killed"),
        (210.0, "overload wave"),
        (260.0, "back to base load"),
    ]
    .map(|(at_s, label)| Event {
        at_s,
        label: label.to_owned(),
    })
    .into()
}

fn row(t_s: f64) -> Row {
    let wobble = (t_s * 1.7).sin() * 0.06 + (t_s * 0.37).cos() * 0.03 + 1.0;
    let (phase, offered_rps, desired) = match t_s {
        t if t < 8.0 => ("before", 40.0, 2),
        t if t < 50.0 => ("before", 40.0, 4),
        t if t < 90.0 => ("before", 40.0, 9),
        t if t < 210.0 => ("sale", 400.0, 9),
        t if t < 260.0 => ("overload", 1_200.0, 12),
        _ => ("after", 40.0, 12),
    };
    let offered_rps = offered_rps * wobble;
    let acked_rps = offered_rps.min(570.0 * wobble);
    let overloaded = phase == "overload";
    let dead_operator = (125.0..134.0).contains(&t_s);
    let killed = (165.0..171.0).contains(&t_s);
    let starting = (50.0..54.0).contains(&t_s);
    let ready = if starting {
        4
    } else {
        desired - u32::from(killed)
    };
    Row {
        t_s,
        time: String::new(),
        phase: phase.to_owned(),
        offered_rps: Some(offered_rps),
        acked_rps: Some(acked_rps),
        shed_rps: Some(offered_rps - acked_rps),
        failed_rps: Some(0.0),
        p50_ms: Some(4.0 * wobble),
        p99_ms: Some(
            if overloaded {
                640.0
            } else if t_s < 92.0 {
                16.0
            } else {
                70.0
            } * wobble,
        ),
        forecast_p50_rps: (!dead_operator).then_some(41.0 + t_s / 40.0),
        forecast_upper_rps: (!dead_operator).then_some(58.0 + t_s / 40.0),
        desired: (!dead_operator).then_some(desired),
        replicas: Some(desired),
        ready: Some(ready),
        warm: Some(if (54.0..57.0).contains(&t_s) {
            6
        } else {
            ready
        }),
        level: Some(match t_s {
            t if (211.0..214.0).contains(&t) => Level::Guard,
            t if (214.0..263.0).contains(&t) => Level::Protect,
            t if (263.0..268.0).contains(&t) => Level::Guard,
            _ => Level::Normal,
        }),
        signals_fresh: Some(!(45.0..72.0).contains(&t_s)),
        ..Row::default()
    }
}
