//! The ladder in virtual time.

use proptest::prelude::*;

use super::*;

const TICK: Duration = Duration::from_millis(100);

fn calm() -> Signals {
    Signals::default()
}

fn busy(cpu_share: f64) -> Signals {
    Signals {
        cpu_share,
        cpu_demand: cpu_share,
        ..calm()
    }
}

fn shedding(from: Class) -> Signals {
    Signals {
        shed_from: Some(from),
        ..busy(1.0)
    }
}

/// A ladder and the time it has come to.
struct Climb {
    ladder: Ladder,
    now: Duration,
}

impl Climb {
    fn new() -> Self {
        Self {
            ladder: Ladder::default(),
            now: Duration::ZERO,
        }
    }

    /// Holds the signals for a time; returns the level at its end.
    fn hold(&mut self, signals: &Signals, time: Duration) -> Level {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.ladder.tick(self.now, signals);
        }
        self.ladder.level().0
    }

    fn hold_s(&mut self, signals: &Signals, seconds: u64) -> Level {
        self.hold(signals, Duration::from_secs(seconds))
    }
}

#[test]
fn g18_each_signal_raises_its_level_within_its_hold_time_and_names_itself() {
    let cases = [
        (busy(0.85), Level::Guard, "cpu"),
        (
            Signals {
                queue_ratio: 0.9,
                ..calm()
            },
            Level::Guard,
            "queue_delay",
        ),
        (
            Signals {
                memory_share: 0.85,
                ..calm()
            },
            Level::Guard,
            "memory",
        ),
        (busy(0.95), Level::Reduce, "cpu"),
        (
            Signals {
                shed_from: Some(Class::Sheddable),
                ..calm()
            },
            Level::Reduce,
            "cursor",
        ),
        (shedding(Class::SheddablePlus), Level::Protect, "cursor"),
        (shedding(Class::Critical), Level::Protect, "cursor"),
        (
            Signals {
                store_ratio: 1.5,
                ..calm()
            },
            Level::Protect,
            "store",
        ),
        (
            Signals {
                memory_share: 0.95,
                ..calm()
            },
            Level::Survive,
            "memory",
        ),
        (
            Signals {
                writer_lost: true,
                ..calm()
            },
            Level::Survive,
            "writer_lost",
        ),
    ];
    for (signals, level, trigger) in cases {
        let mut climb = Climb::new();
        climb.hold(&signals, Duration::from_millis(1_500));
        assert_eq!(climb.ladder.level(), (level, trigger));
    }
}

#[test]
fn a_spike_shorter_than_the_hold_time_changes_nothing() {
    let mut climb = Climb::new();
    for _ in 0..50 {
        climb.hold(&busy(0.99), Duration::from_millis(700));
        assert_eq!(climb.hold(&busy(0.5), TICK), Level::Normal);
    }
}

#[test]
fn the_gate_itself_failing_to_hold_for_seconds_is_survive() {
    let lost = Signals {
        gate_lost: true,
        queue_ratio: 6.0,
        ..shedding(Class::CriticalPlus)
    };
    let mut climb = Climb::new();
    assert_eq!(
        climb.hold(&lost, Duration::from_millis(2_500)),
        Level::Protect
    );
    assert_eq!(climb.hold_s(&lost, 1), Level::Survive);
}

#[test]
fn the_way_down_is_one_level_at_a_time_and_slow() {
    let mut climb = Climb::new();
    climb.hold_s(&shedding(Class::SheddablePlus), 2);
    let mut seen = vec![Level::Protect];
    for _ in 0..1_200 {
        let level = climb.hold(&calm(), TICK);
        if seen.last() != Some(&level) {
            seen.push(level);
        }
    }
    assert_eq!(
        seen,
        [Level::Protect, Level::Reduce, Level::Guard, Level::Normal]
    );
    assert_eq!(climb.ladder.level(), (Level::Normal, ""));
}

#[test]
fn a_level_is_not_left_while_refused_work_would_bring_it_back() {
    let mut climb = Climb::new();
    climb.hold_s(&shedding(Class::Sheddable), 2);
    let relieved = Signals {
        cpu_demand: 1.1,
        ..busy(0.55)
    };
    assert_eq!(
        climb.hold_s(&relieved, 600),
        Level::Reduce,
        "load is low only by refusing"
    );
}

#[test]
fn a_level_entered_again_soon_is_held_twice_as_long() {
    let mut climb = Climb::new();
    let stay_s = |climb: &mut Climb| {
        climb.hold_s(&busy(0.85), 2);
        let mut seconds = 0;
        while climb.hold_s(&calm(), 1) != Level::Normal {
            seconds += 1;
        }
        seconds
    };
    let stays: Vec<u64> = (0..6).map(|_| stay_s(&mut climb)).collect();
    assert!((28..=31).contains(&stays[0]), "{stays:?}");
    assert!((57..=61).contains(&stays[1]), "{stays:?}");
    assert!(stays[5] <= 300 && stays[5] > 250, "{stays:?}");
    climb.hold_s(&calm(), 301);
    assert!(
        stay_s(&mut climb) <= 31,
        "after a quiet time the first stay is short again"
    );
}

#[test]
fn g6_a_slow_ramp_over_eighty_percent_and_back_changes_the_level_rarely() {
    let mut climb = Climb::new();
    let mut changes = 0;
    let mut last = Level::Normal;
    for step in 0..1_200i32 {
        let share = 1.0 - f64::from((step - 600).abs()) / 600.0 * 0.4;
        let noise = if step % 3 == 0 { 0.03 } else { -0.02 };
        let level = climb.hold(&busy(share + noise), TICK);
        changes += i32::from(level != last);
        last = level;
    }
    assert!(changes <= 4, "{changes} changes in 120 s");
}

proptest! {
    #[test]
    fn the_level_falls_by_one_at_most_and_never_without_a_dwell(
        steps in prop::collection::vec((0.0f64..1.2, 0.0f64..7.0, 0usize..6, 1u64..400), 1..60)
    ) {
        let mut ladder = Ladder::default();
        let mut now = Duration::ZERO;
        let mut last = (Level::Normal, Duration::ZERO);
        for (cpu, queue, shed, ticks) in steps {
            let signals = Signals {
                queue_ratio: queue,
                shed_from: Class::ALL.get(shed).copied(),
                gate_lost: shed == 0 && queue >= 5.0,
                ..busy(cpu)
            };
            for _ in 0..ticks {
                now += TICK;
                let (level, _) = ladder.tick(now, &signals);
                if level < last.0 {
                    prop_assert_eq!(level.index() + 1, last.0.index());
                    prop_assert!(now.saturating_sub(last.1) >= DWELL);
                }
                if level != last.0 {
                    last = (level, now);
                }
            }
        }
    }
}
