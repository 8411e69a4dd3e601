//! The promises S2, S3, S4, S7 and S9, and the laws of the function itself, over arbitrary input.

use floodgate_planner::{
    BidSource, Caps, Decision, ForecastInput, HoldCause, LevelDecision, Load, LoadReading, Memory,
    Overrides, PlanInput, Reason, UnixMillis, plan,
};
use proptest::prelude::*;

use crate::fleet::{Fleet, NOW, input, reading};
use crate::strategies::{invalid_load, overrides, raising_overrides, situation, valid_load};

/// Cases of every property here.
const CASES: u32 = 10_000;

fn any_load() -> impl Strategy<Value = Load> {
    prop_oneof![3 => valid_load(), 1 => invalid_load()]
}

/// The same situation with nothing remembered, so that the present count starts every period.
fn without_history(input: &PlanInput) -> PlanInput {
    PlanInput {
        memory: Memory::default(),
        ..input.clone()
    }
}

/// Changes of direction within any window of `window_s`, at most.
fn reversals_per_window(counts: &[(UnixMillis, u32)], window_s: i64) -> usize {
    let mut moves: Vec<(UnixMillis, bool)> = Vec::new();
    for pair in counts.windows(2) {
        let [(_, before), (at, after)] = [pair[0], pair[1]];
        if before != after {
            moves.push((at, after > before));
        }
    }
    let turns: Vec<UnixMillis> = moves
        .windows(2)
        .filter(|pair| pair[0].1 != pair[1].1)
        .map(|pair| pair[1].0)
        .collect();
    let within = |from: &UnixMillis| {
        turns
            .iter()
            .filter(|at| (0..window_s).contains(&at.seconds_since(*from)))
            .count()
    };
    turns.iter().map(within).max().unwrap_or(0)
}

fn chain_is_whole(decision: &Decision) -> Result<(), TestCaseError> {
    let mut number = decision.replicas_wanted;
    for guard in &decision.guards {
        prop_assert_eq!(guard.from, number, "a gap before {}", guard.reason);
        prop_assert_ne!(guard.from, guard.to, "{} changed nothing", guard.reason);
        number = guard.to;
    }
    prop_assert_eq!(number, decision.replicas, "a change without a guard");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s2_without_a_valid_load_nothing_is_lowered(
        input in situation(invalid_load(), raising_overrides()),
        floor in 0_u8..5,
    ) {
        let level = floodgate_planner::Level::from_index(floor);
        let input = PlanInput { memory: input.memory.clone().with_level(level), ..input };
        let decision = plan(&input);
        prop_assert!(decision.load_fault.is_some());
        prop_assert!(Some(decision.replicas) >= input.replicas.desired, "{}", decision.explain);
        prop_assert!(decision.level.floor >= level, "{}", decision.explain);
    }

    #[test]
    fn s3_every_target_is_within_the_bounds(input in situation(any_load(), overrides())) {
        let decision = plan(&input);
        let bounds = input.scaling.replicas_min..=input.scaling.replicas_max;
        prop_assert!(bounds.contains(&decision.replicas), "{}", decision.explain);
    }

    #[test]
    fn s3_every_change_is_within_its_step(
        input in situation(any_load(), raising_overrides()),
    ) {
        let mut input = without_history(&input);
        // A floor beside a pause is an SRE's word and jumps.
        input.overrides.pause = None;
        let decision = plan(&input);
        let before = input.replicas.desired.unwrap();
        if let Some(step) = input.scaling.scale_down_step {
            prop_assert!(decision.replicas >= before.saturating_sub(step.pods_of(before)));
        }
        if let Some(step) = input.scaling.scale_up_step {
            let start = before.min(input.replicas.warm);
            let most = before.max(start.saturating_add(step.pods_of(start)));
            prop_assert!(decision.replicas <= most, "{}", decision.explain);
        }
    }

    #[test]
    fn s4_after_a_restart_a_takeover_or_a_lost_history_nothing_is_lowered(
        input in situation(any_load(), raising_overrides()),
        cause in prop::sample::select(
            vec![HoldCause::Restart, HoldCause::Takeover, HoldCause::HistoryLost]
        ),
        later_s in 0_i64..600,
        load_rps in 0.0..100.0_f64,
    ) {
        let held = Memory::held(cause);
        let mut fleet = Fleet::new(PlanInput { memory: held, caps: Caps::default(), ..input });
        let before = fleet.input.replicas.desired.unwrap();
        let first = fleet.decide(NOW, fleet.input.load);
        prop_assert!(first.replicas >= before, "{}", first.explain);
        // Nor as soon as the first fresh load has come: a whole window must have passed.
        let window_s = i64::from(fleet.input.scaling.scale_down_stabilisation_s);
        if later_s < window_s {
            let later = fleet.tick(later_s, load_rps);
            prop_assert!(later.replicas >= before, "{}", later.explain);
        }
    }

    #[test]
    fn s9_an_override_lapses_exactly_at_its_end(
        input in situation(any_load(), overrides()),
        until_ms in 1_i64..100_000,
    ) {
        let until = UnixMillis(NOW.0 + until_ms);
        let mut input = PlanInput { now: until, ..input };
        let Overrides { pin, floor, by_hand: _, ceiling, degrade_floor, degrade_pin, pause } = &mut input.overrides;
        for word in [pin, floor, ceiling].into_iter().flatten() {
            word.until = until;
        }
        for word in [degrade_floor, degrade_pin].into_iter().flatten() {
            word.until = until;
        }
        if let Some(word) = pause {
            word.until = until;
        }
        let free = PlanInput { overrides: Overrides::default(), ..input.clone() };
        prop_assert_eq!(plan(&input), plan(&free));
        let pin = input.overrides.pin.as_ref().map(|word| word.value);
        input.now = UnixMillis(until.0 - 1);
        let held = plan(&input);
        prop_assert_eq!(pin.is_some(), held.winner == BidSource::Override && pin == Some(held.replicas_wanted)
            && held.bids.iter().any(|bid| bid.reason == Reason::ReplicasPinned));
        let wakes_for_it = input.overrides == Overrides::default() || held.next_wake <= until;
        prop_assert!(wakes_for_it, "sleeps past the lapse");
    }

    #[test]
    fn more_load_never_gives_fewer_pods(
        input in situation(valid_load(), overrides()),
        less_rps in 0.0..3_000.0_f64,
        more in 1.0..3.0_f64,
    ) {
        let with = |load_rps: f64| PlanInput { load: reading(NOW, load_rps), ..input.clone() };
        let (less, more) = (plan(&with(less_rps)), plan(&with(less_rps * more)));
        prop_assert!(less.replicas <= more.replicas, "{}\n{}", less.explain, more.explain);
    }

    #[test]
    fn a_burst_only_adds(input in situation(valid_load(), overrides()), rate in 0.0..3_000.0_f64) {
        let with = |burst_rps| {
            let load = LoadReading { rate_rps_max: rate, burst_rps, observed_at: NOW };
            PlanInput { load: Load::Reading(load), ..input.clone() }
        };
        let plain = plan(&with(None));
        for burst in [0.0, rate / 2.0, rate * 2.0] {
            prop_assert!(plan(&with(Some(burst))).replicas >= plain.replicas);
        }
    }

    #[test]
    fn the_forecast_only_adds(input in situation(any_load(), overrides())) {
        // Sales multiply a baseline, which a forecast may rightly put lower than the present load.
        let input = PlanInput { sales: Vec::new(), ..input };
        let missing = ForecastInput::Missing(Reason::ForecastUnavailable);
        let without = plan(&PlanInput { forecast: missing, ..input.clone() });
        prop_assert!(plan(&input).replicas >= without.replicas);
    }

    #[test]
    fn deciding_again_in_the_same_instant_changes_nothing(
        input in situation(any_load(), overrides()),
        exists in prop::bool::weighted(0.9),
    ) {
        let mut input = input;
        if !exists {
            input.replicas = floodgate_planner::ReplicaState::default();
        }
        let first = plan(&input);
        prop_assert_eq!(&first, &plan(&input), "not deterministic");
        input.replicas.desired = Some(first.replicas);
        input.memory = first.memory.clone();
        for _ in 0..2 {
            let again = plan(&input);
            prop_assert_eq!(again.replicas, first.replicas, "{}\n{}", first.explain, again.explain);
            // The reason may tell that the change has been made.
            let level = LevelDecision { reason: first.level.reason, ..again.level };
            prop_assert_eq!(level, first.level, "{}\n{}", first.explain, again.explain);
            input.memory = again.memory;
        }
    }

    #[test]
    fn every_change_of_the_winning_number_carries_a_guard(
        input in situation(any_load(), overrides()),
    ) {
        let decision = plan(&input);
        chain_is_whole(&decision)?;
        let competing = decision.bids.iter().filter(|bid| bid.muted.is_none());
        let highest = competing.filter_map(|bid| bid.replicas).max();
        let pinned = decision.bids.iter().any(|bid| bid.reason == Reason::ReplicasPinned);
        prop_assert!(pinned || highest.is_none_or(|most| most == decision.replicas_wanted));
        prop_assert!(decision.next_wake > input.now);
    }

    #[test]
    fn a_raise_that_is_taken_back_never_goes_below_what_stood_or_is_demanded(
        input in situation(valid_load(), raising_overrides()),
        ready in 0_u32..40,
        failed_permille in 0_u32..1_000,
    ) {
        let before = input.replicas.desired.unwrap();
        let mut fleet = Fleet::new(PlanInput { memory: Memory::default(), ..input });
        fleet.input.health.failed_permille = Some(0);
        fleet.tick(1, 0.0);
        let raised = fleet.tick(1, 100_000.0).replicas;
        let stays = ready.min(raised);
        fleet.input.health.failed_permille = Some(failed_permille);
        for _ in 0..20 {
            let now = fleet.input.now.plus_s(10);
            let decision = fleet.decide(now, reading(now, 100_000.0));
            prop_assert!(decision.replicas >= before.min(raised), "{}", decision.explain);
            let demanded = decision
                .bids
                .iter()
                .filter(|bid| matches!(bid.source, BidSource::Sale | BidSource::Override))
                .filter_map(|bid| bid.replicas)
                .max()
                .unwrap_or(0);
            // A cap of the cluster, a limit on rising or a pause may keep it from there.
            let held = decision.guards.iter().any(|guard| matches!(
                guard.reason,
                Reason::QuotaExceeded | Reason::PodsUnschedulable | Reason::ScaleUpStep
                    | Reason::Paused | Reason::AtMaximum
            ));
            prop_assert!(held || decision.replicas >= demanded, "{}", decision.explain);
            fleet.input.replicas.ready = stays;
            fleet.input.replicas.warm = stays;
        }
    }

    #[test]
    fn any_nonsense_gives_a_decision(
        input in situation(any_load(), overrides()),
        capacity in prop_oneof![
            Just(f64::NAN), Just(0.0), Just(-1.0), Just(f64::INFINITY), Just(1e-300), Just(1e300)
        ],
        now_ms in prop::sample::select(vec![i64::MIN, -1, 0, NOW.0, i64::MAX]),
        utilisation in any::<u32>(),
        inverted in any::<bool>(),
    ) {
        let mut input = PlanInput { now: UnixMillis(now_ms), ..input };
        input.scaling.capacity_rps = capacity;
        input.scaling.target_utilisation_percent = utilisation;
        if inverted {
            input.scaling.replicas_max = 0;
        }
        let decision = plan(&input);
        chain_is_whole(&decision)?;
        let max = input.scaling.replicas_max.max(input.scaling.replicas_min);
        prop_assert!((input.scaling.replicas_min..=max).contains(&decision.replicas));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s7_flapping_load_reverses_at_most_once_per_window(
        base_rps in 50.0..1_500.0_f64,
        swing in 0.05..0.9_f64,
        period_ticks in 2_usize..30,
        noise in prop::collection::vec(-0.02..0.02_f64, 120),
    ) {
        let mut fleet = Fleet::new(input(2, base_rps));
        let mut counts = Vec::new();
        for (tick, noise) in noise.into_iter().enumerate() {
            let high = tick % period_ticks < period_ticks / 2;
            let factor = if high { 1.0 + swing } else { 1.0 - swing };
            let decision = fleet.tick(10, base_rps * factor * (1.0 + noise));
            counts.push((decision.at, decision.replicas));
        }
        let window_s = i64::from(fleet.input.scaling.scale_down_stabilisation_s);
        let reversals = reversals_per_window(&counts, window_s);
        prop_assert!(reversals <= 1, "{reversals} reversals: {counts:?}");
    }
}
