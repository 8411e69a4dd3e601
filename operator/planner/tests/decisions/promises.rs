//! The promises S2, S3 and S9 of one decision, and the laws of the function itself, over arbitrary
//! input. What is promised over time is in `sequences`.

use floodgate_planner::{
    BidSource, Caps, Decision, ForecastInput, LevelDecision, Load, LoadReading, Memory, Override,
    Overrides, PlanInput, UnixMillis, plan,
};
use floodgate_words::{Level, Pause, Reason};
use proptest::prelude::*;

use crate::fleet::{Fleet, NOW, reading};
use crate::strategies::{invalid_load, overrides, raising_overrides, situation, valid_load};

/// Cases of every property.
pub const CASES: u32 = 10_000;

pub fn any_load() -> impl Strategy<Value = Load> {
    prop_oneof![3 => valid_load(), 1 => invalid_load()]
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

/// What a word says.
fn value<T: Copy>(word: Option<&Override<T>>) -> Option<T> {
    word.map(|word| word.value)
}

/// Whether every override of the replicas, all of which hold, shows in the decision.
fn every_count_holds(input: &PlanInput, decision: &Decision) -> Result<(), TestCaseError> {
    let explain = &decision.explain;
    let words = &input.overrides;
    let (pin, floor) = (value(words.pin.as_ref()), value(words.floor.as_ref()));
    let (by_hand, ceiling) = (value(words.by_hand.as_ref()), value(words.ceiling.as_ref()));
    let (min, max) = (input.scaling.replicas_min, input.scaling.replicas_max);
    let before = input.replicas.desired.unwrap_or(0);
    let mut bids = decision.bids.iter();
    let bid = bids.find(|bid| bid.source == BidSource::Override);
    let told = bid.and_then(|bid| bid.replicas);
    prop_assert_eq!(told, pin.or(floor.max(by_hand)), "{}", explain);
    if let Some(pin) = pin {
        let won = (decision.winner, decision.replicas_wanted);
        prop_assert_eq!(won, (BidSource::Override, pin), "{}", explain);
    }
    if let Some(ceiling) = ceiling {
        prop_assert!(decision.replicas <= ceiling.max(min), "{}", explain);
    }
    let within = |pods: u32| pods.min(ceiling.unwrap_or(u32::MAX)).min(max).max(min);
    let paused = value(words.pause.as_ref()).is_some_and(Pause::stops_scaling);
    if paused && before <= max {
        // An SRE's pin or floor above what is paused is the one word that still raises.
        let stays = pin.max(floor).map_or(before, |word| word.max(before));
        prop_assert_eq!(decision.replicas, within(stays), "{}", explain);
    } else if let Some(word) = pin.max(floor).filter(|_| pin.is_some()) {
        // From above a lowered maximum the way down to it may take longer.
        prop_assert!(decision.replicas >= within(word), "{}", explain);
        prop_assert!(
            before > max || decision.replicas == within(word),
            "{}",
            explain
        );
    } else if input.scaling.scale_up_step.is_none() && input.caps == Caps::default() {
        let word = floor.max(by_hand).unwrap_or(0);
        prop_assert!(decision.replicas >= within(word), "{}", explain);
    }
    Ok(())
}

/// Whether every override of the level, all of which hold, shows in the decision; `before` is the
/// level floor that the fleet had.
fn every_level_holds(
    input: &PlanInput,
    before: Level,
    decision: &Decision,
) -> Result<(), TestCaseError> {
    let words = &input.overrides;
    let (level, explain) = (decision.level, &decision.explain);
    let paused = value(words.pause.as_ref()).is_some_and(Pause::stops_degradation);
    if let Some(pin) = value(words.degrade_pin.as_ref()) {
        prop_assert_eq!((level.pin, level.floor), (Some(pin), pin), "{}", explain);
    } else if let Some(floor) = value(words.degrade_floor.as_ref()) {
        prop_assert!(level.floor >= floor, "{}", explain);
        prop_assert!(!paused || level.floor == floor.max(before), "{}", explain);
    } else if paused {
        prop_assert_eq!(level.floor, before, "{}", explain);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s2_without_a_valid_load_nothing_is_lowered(
        input in situation(invalid_load(), raising_overrides()),
        level in prop::sample::select(Level::ALL.to_vec()),
    ) {
        let input = PlanInput { memory: input.memory.clone().with_level(level), ..input };
        let decision = plan(&input);
        prop_assert!(decision.load_fault.is_some());
        // Above the maximum it may fall towards that, which is the spec's word and no missing load.
        let standing = input.replicas.desired.unwrap().min(input.scaling.replicas_max);
        prop_assert!(decision.replicas >= standing, "{}", decision.explain);
        prop_assert!(decision.level.floor >= level, "{}", decision.explain);
    }

    #[test]
    fn s2_s3_full_nodes_cap_a_raise_and_never_lower(
        input in situation(any_load(), overrides()),
        room in 0_u32..60,
    ) {
        let with = |room| {
            let caps = Caps { node_replicas_max: room, ..input.caps };
            plan(&PlanInput { caps, ..input.clone() })
        };
        let (free, capped) = (with(None), with(Some(room)));
        let stands = input.replicas.desired.unwrap();
        prop_assert!(capped.replicas <= free.replicas, "{}", capped.explain);
        prop_assert!(capped.replicas >= free.replicas.min(stands), "{}", capped.explain);
        // What is above the room stood already, or a person or the least count demands it.
        let demanded = capped.guards.iter().any(|guard| matches!(
            guard.reason, Reason::OverrideConflict | Reason::AtMinimum | Reason::Paused
        ));
        let pinned = capped.bids.iter().any(|bid| bid.reason == Reason::ReplicasPinned);
        prop_assert!(
            demanded || pinned || capped.replicas <= room.max(stands),
            "{}", capped.explain
        );
        let named = capped.guards.iter().any(|guard| guard.reason == Reason::NodesFull);
        prop_assert!(named || capped.replicas == free.replicas, "{}", capped.explain);
    }

    #[test]
    fn s3_every_target_is_within_the_bounds_or_falls_towards_them(
        input in situation(any_load(), overrides()),
    ) {
        let decision = plan(&input);
        let before = input.replicas.desired.unwrap();
        let most = input.scaling.replicas_max;
        prop_assert!(decision.replicas >= input.scaling.replicas_min, "{}", decision.explain);
        prop_assert!(decision.replicas <= most.max(before), "{}", decision.explain);
    }

    #[test]
    fn s9_an_override_lapses_exactly_at_its_end(
        input in situation(any_load(), overrides()),
        until_ms in 1_i64..100_000,
        level in prop::sample::select(Level::ALL.to_vec()),
    ) {
        let until = UnixMillis(NOW.0 + until_ms);
        let memory = input.memory.clone().with_level(level);
        let mut input = PlanInput { now: until, memory, ..input };
        let Overrides { pin, floor, by_hand, ceiling, degrade_floor, degrade_pin, pause } = &mut input.overrides;
        for word in [pin, floor, by_hand, ceiling].into_iter().flatten() {
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
        input.now = UnixMillis(until.0 - 1);
        let held = plan(&input);
        every_count_holds(&input, &held)?;
        every_level_holds(&input, level, &held)?;
        let wakes_for_it = input.overrides == Overrides::default() || held.next_wake <= until;
        prop_assert!(wakes_for_it, "sleeps past the lapse");
    }

    #[test]
    fn more_load_never_gives_fewer_pods_nor_a_milder_level(
        input in situation(valid_load(), overrides()),
        less_rps in 0.0..3_000.0_f64,
        more in 1.0..3.0_f64,
    ) {
        let with = |load_rps: f64| PlanInput { load: reading(NOW, load_rps), ..input.clone() };
        let (less, more) = (plan(&with(less_rps)), plan(&with(less_rps * more)));
        prop_assert!(less.replicas <= more.replicas, "{}\n{}", less.explain, more.explain);
        prop_assert!(less.level.floor <= more.level.floor, "{}\n{}", less.explain, more.explain);
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
            let standing = before.min(raised).min(fleet.input.scaling.replicas_max);
            prop_assert!(decision.replicas >= standing, "{}", decision.explain);
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
                Reason::QuotaExceeded | Reason::NodesFull | Reason::PodsUnschedulable
                    | Reason::ScaleUpStep | Reason::Paused | Reason::SalePaused
                    | Reason::AtMaximum
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
        let most = max.max(input.replicas.desired.unwrap_or(0));
        prop_assert!((input.scaling.replicas_min..=most).contains(&decision.replicas));
    }
}
