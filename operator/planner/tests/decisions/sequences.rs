//! The promises S2, S3, S4 and S7 over many decisions in a row.

use floodgate_planner::{
    BidSource, Caps, Decision, Direction, HoldCause, Load, Memory, Overrides, PlanInput, Scaling,
    UnixMillis,
};
use floodgate_words::Level;
use proptest::option;
use proptest::prelude::*;

use crate::fleet::{Fleet, NOW, flat_forecast, input, sale, word};
use crate::promises::{CASES, any_load};
use crate::strategies::{invalid_load, raising_overrides, situation};

/// A reading as it would be `later_s` seconds later.
fn later(load: Load, later_s: i64) -> Load {
    match load {
        Load::Reading(mut reading) => {
            reading.observed_at = reading.observed_at.plus_s(later_s);
            Load::Reading(reading)
        }
        missing @ Load::Missing(_) => missing,
    }
}

/// Seconds until the next decision, and the load that it finds.
fn ticks(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(i64, f64)>> {
    let load_rps = prop_oneof![0.0..150.0_f64, 0.0..3_000.0_f64];
    prop::collection::vec((1_i64..40, load_rps), count)
}

/// What stood, and from when on.
type Counts = Vec<(UnixMillis, u32)>;

/// Counts that stood at some moment of the `period_s` seconds before `at`.
fn stood(counts: &Counts, at: UnixMillis, period_s: u32) -> impl Iterator<Item = u32> {
    let cutoff = at.plus_s(-i64::from(period_s.max(1)));
    let ended = counts
        .iter()
        .skip(1)
        .filter(move |(next, _)| *next <= cutoff);
    counts.iter().skip(ended.count()).map(|(_, pods)| *pods)
}

/// Whether a new count keeps to both limits, over the sliding period of each.
fn keeps_to_the_rate(
    scaling: &Scaling,
    counts: &Counts,
    decision: &Decision,
) -> Result<(), TestCaseError> {
    let before = counts.last().map_or(0, |(_, pods)| *pods);
    if let Some(step) = scaling.scale_down_step {
        let most = stood(counts, decision.at, step.period_s).max().unwrap_or(0);
        let least = most.saturating_sub(step.pods_of(most)).min(before);
        prop_assert!(
            decision.replicas >= least,
            "{counts:?}\n{}",
            decision.explain
        );
    }
    if let Some(step) = scaling.scale_up_step {
        let least = stood(counts, decision.at, step.period_s).min().unwrap_or(0);
        let most = least.saturating_add(step.pods_of(least)).max(before);
        prop_assert!(
            decision.replicas <= most,
            "{counts:?}\n{}",
            decision.explain
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s2_no_sequence_of_good_and_bad_signals_lowers_while_they_are_bad(
        input in situation(any_load(), raising_overrides()),
        ticks in prop::collection::vec((1_i64..40, any_load(), any::<bool>()), 10..30),
        bad_capacity in prop::sample::select(vec![f64::NAN, f64::INFINITY, 0.0, -1.0]),
    ) {
        // A level that a word of an SRE imposed goes when that lapses, whatever the load.
        let overrides = Overrides { degrade_floor: None, ..input.overrides.clone() };
        let mut fleet = Fleet::new(PlanInput { overrides, ..input });
        let capacity_rps = fleet.input.scaling.capacity_rps;
        let most = fleet.input.scaling.replicas_max;
        let mut level = Level::Normal;
        for (gap_s, load, good_capacity) in ticks {
            let before = fleet.input.replicas.desired.unwrap().min(most);
            let now = fleet.input.now.plus_s(gap_s);
            fleet.input.scaling.capacity_rps = if good_capacity { capacity_rps } else { bad_capacity };
            let decision = fleet.decide(now, later(load, now.seconds_since(NOW)));
            if decision.load_fault.is_some() || !good_capacity {
                prop_assert!(decision.replicas >= before, "{}", decision.explain);
                prop_assert!(decision.level.floor >= level, "{}", decision.explain);
            }
            level = decision.level.floor;
        }
    }

    #[test]
    fn s3_over_any_period_replicas_move_no_further_than_the_limit(
        input in situation(any_load(), raising_overrides()),
        ticks in ticks(20..60),
        window_s in 0_u32..90,
        lowered in option::of((0_usize..20, 1_u32..20)),
    ) {
        let mut fleet = Fleet::new(PlanInput { memory: Memory::default(), ..input });
        // A floor beside a pause is an SRE's word and jumps, and so does what the minimum demands.
        fleet.input.overrides.pause = None;
        let scaling = &mut fleet.input.scaling;
        scaling.scale_down_stabilisation_s = window_s;
        let start = fleet.input.replicas.desired.unwrap().max(scaling.replicas_min);
        fleet.input.replicas.desired = Some(start);
        let mut counts = vec![(fleet.input.now, start)];
        for (index, (gap_s, load_rps)) in ticks.into_iter().enumerate() {
            let scaling = &mut fleet.input.scaling;
            if let Some((_, most)) = lowered.filter(|(at, _)| *at == index) {
                scaling.replicas_max = scaling.replicas_min.max(most);
            }
            let most = scaling.replicas_max;
            let decision = fleet.tick(gap_s, load_rps);
            keeps_to_the_rate(&fleet.input.scaling, &counts, &decision)?;
            let before = counts.last().map_or(0, |(_, pods)| *pods);
            prop_assert!(decision.replicas <= most.max(before), "{}", decision.explain);
            counts.push((decision.at, decision.replicas));
        }
    }

    #[test]
    fn s4_after_a_restart_a_takeover_or_a_lost_history_nothing_is_lowered_for_a_window(
        input in situation(any_load(), raising_overrides()),
        cause in prop::sample::select(
            vec![HoldCause::Restart, HoldCause::Takeover, HoldCause::HistoryLost]
        ),
        warm in any::<bool>(),
        level in prop::sample::select(Level::ALL.to_vec()),
        blind in prop::collection::vec((1_i64..40, invalid_load()), 0..6),
        fresh in ticks(1..20),
    ) {
        // Warm: a memory of other decisions, which knows nothing of what stands now.
        let memory = if warm { input.memory.clone().hold(cause) } else { Memory::held(cause) };
        let overrides = Overrides { degrade_floor: None, ..input.overrides.clone() };
        let memory = memory.with_level(level);
        let caps = Caps::default();
        let mut fleet = Fleet::new(PlanInput { memory, overrides, caps, ..input });
        fleet.input.health.failed_permille = None;
        let most = fleet.input.scaling.replicas_max;
        let before = fleet.input.replicas.desired.unwrap();
        for (gap_s, load) in blind {
            let now = fleet.input.now.plus_s(gap_s);
            let decision = fleet.decide(now, later(load, now.seconds_since(NOW)));
            prop_assert!(decision.replicas >= before.min(most), "{}", decision.explain);
            prop_assert!(decision.level.floor >= level, "{}", decision.explain);
            let hold = decision.bids.iter().find(|bid| bid.source == BidSource::Hold).unwrap();
            prop_assert!(hold.replicas >= Some(before.min(most)), "the hold was let go");
        }
        // Nor once a fresh load has come: a whole window must pass, and the hold time of the level.
        let window_s = i64::from(fleet.input.scaling.scale_down_stabilisation_s);
        let mut first = None;
        for (gap_s, load_rps) in fresh {
            let decision = fleet.tick(gap_s, load_rps);
            let age_s = decision.at.seconds_since(*first.get_or_insert(decision.at));
            if age_s < window_s.max(1) {
                prop_assert!(decision.replicas >= before.min(most), "{}", decision.explain);
            }
            if age_s < 30 {
                prop_assert!(decision.level.floor >= level, "{}", decision.explain);
            }
        }
    }
}

/// Changes of direction, each with its instant and the direction that it turned to.
fn turns(counts: &Counts) -> Vec<(UnixMillis, Direction)> {
    let mut turns = Vec::new();
    let mut last = None;
    for pair in counts.windows(2) {
        let [(_, before), (at, after)] = [pair[0], pair[1]];
        let direction = match after.cmp(&before) {
            std::cmp::Ordering::Greater => Direction::Up,
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Less => Direction::Down,
        };
        if last.is_some_and(|last| last != direction) {
            turns.push((at, direction));
        }
        last = Some(direction);
    }
    turns
}

/// Whether replicas turn to fewer at most once in any window, and never less than a window after they
/// were raised last.
///
/// More load is answered at once, also right after a decrease; so a window may hold one turn to more
/// beside the one to fewer, and a decision that knows no future cannot do better.
fn reverses_seldom(counts: &Counts, window_s: i64) -> Result<(), TestCaseError> {
    let mut raised = None;
    for pair in counts.windows(2) {
        let [(_, before), (at, after)] = [pair[0], pair[1]];
        if after > before {
            raised = Some(at);
        } else if let (true, Some(raised)) = (after < before, raised) {
            prop_assert!(at.seconds_since(raised) >= window_s, "{at:?}: {counts:?}");
        }
    }
    let turns = turns(counts);
    for direction in [Direction::Up, Direction::Down] {
        let same: Vec<UnixMillis> = turns
            .iter()
            .filter(|(_, to)| *to == direction)
            .map(|(at, _)| *at)
            .collect();
        let apart = same
            .windows(2)
            .all(|pair| pair[1].seconds_since(pair[0]) >= window_s);
        prop_assert!(apart, "{direction:?} twice in a window: {counts:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s7_replicas_turn_to_fewer_at_most_once_per_window(
        base_rps in 50.0..1_200.0_f64,
        swing in 0.05..0.9_f64,
        window_s in 30_u32..150,
        // From two decisions to three windows.
        period in 0.0..1.0_f64,
        noise in prop::collection::vec(-0.02..0.02_f64, 100),
        forecast in option::of(0.2..2.0_f64),
        event in option::of((0_i64..900, 10_i64..400, 100_u32..1_000)),
        floor in option::of((2_u32..40, 10_i64..900)),
        limited in any::<bool>(),
    ) {
        let mut fleet = Fleet::new(input(2, base_rps));
        fleet.input.scaling.scale_down_stabilisation_s = window_s;
        if !limited {
            fleet.input.scaling.scale_down_step = None;
        }
        fleet.input.forecast = forecast.map_or(
            fleet.input.forecast.clone(),
            |share| flat_forecast(NOW, base_rps * share, base_rps * share * 1.2),
        );
        fleet.input.sales = event
            .map(|(from_s, length_s, uplift)| sale("flash", NOW.plus_s(from_s), length_s, uplift))
            .into_iter()
            .collect();
        fleet.input.overrides.floor = floor.map(|(pods, for_s)| word(pods, NOW.plus_s(for_s)));
        let period_s = 20 + (period * f64::from(3 * window_s - 20)) as i64;
        let mut counts = vec![(NOW, 2)];
        for noise in noise {
            let age_s = fleet.input.now.seconds_since(NOW) + 10;
            let high = age_s % period_s < period_s / 2;
            let factor = if high { 1.0 + swing } else { 1.0 - swing };
            let decision = fleet.tick(10, base_rps * factor * (1.0 + noise));
            counts.push((decision.at, decision.replicas));
        }
        reverses_seldom(&counts, i64::from(window_s))?;
    }

    #[test]
    fn s7_a_load_that_flaps_within_the_window_turns_nothing(
        base_rps in 50.0..1_500.0_f64,
        swing in 0.05..0.9_f64,
        period_ticks in 2_usize..12,
        noise in prop::collection::vec(-0.02..0.02_f64, 60),
    ) {
        let mut fleet = Fleet::new(input(2, base_rps));
        fleet.input.scaling.scale_down_stabilisation_s = 120;
        let mut counts = vec![(NOW, 2)];
        for (tick, noise) in noise.into_iter().enumerate() {
            let high = tick % period_ticks < period_ticks / 2;
            let factor = if high { 1.0 + swing } else { 1.0 - swing };
            let decision = fleet.tick(10, base_rps * factor * (1.0 + noise));
            counts.push((decision.at, decision.replicas));
        }
        prop_assert_eq!(turns(&counts), vec![], "{:?}", counts);
    }
}
