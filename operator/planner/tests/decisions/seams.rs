//! Where a sale meets something else: another phase, another sale, a pause.

use floodgate_planner::{Confidence, Override, PlanInput, Sale, SalePhase, UnixMillis, plan};
use floodgate_words::{Pause, Reason};

use crate::fleet::{Fleet, NOW, input, sale, word};

const T0: UnixMillis = UnixMillis(NOW.0 + 600_000);
/// Length of each of the two windows that touch.
const LENGTH_S: i64 = 600;
const SEAM: UnixMillis = UnixMillis(T0.0 + LENGTH_S * 1_000);

/// Two windows that touch, as two phases of one sale.
fn two_phases(first: u32, second: u32) -> Vec<Sale> {
    let mut event = sale("flash", T0, LENGTH_S, first);
    event.end = SEAM.plus_s(LENGTH_S);
    event.phases.push(SalePhase {
        name: "second".to_owned(),
        t0: SEAM,
        until: SEAM.plus_s(LENGTH_S),
        uplift_percent: second,
        confidence: Confidence::default(),
        planned_replicas: None,
        planned_later: Vec::new(),
    });
    vec![event]
}

/// The same as two sales.
fn two_sales(first: u32, second: u32) -> Vec<Sale> {
    vec![
        sale("one", T0, LENGTH_S, first),
        sale("two", SEAM, LENGTH_S, second),
    ]
}

/// Pods of 50 requests/s for 40 requests/s at an uplift in percent.
fn pods(uplift: u32) -> u32 {
    (40 * uplift).div_ceil(100 * 50)
}

/// Decides each second over both windows, whose load comes where `comes`; the plan alone carries the
/// pods otherwise.
fn check_seam(sales: Vec<Sale>, first: u32, second: u32, comes: bool) {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.sales = sales;
    let (horizon_s, window_s) = (
        fleet.input.lead_time.horizon_s(),
        i64::from(fleet.input.scaling.scale_down_stabilisation_s),
    );
    let mut counts: Vec<u32> = Vec::new();
    for second_of_day in 1..=600 + 2 * LENGTH_S {
        let now = NOW.plus_s(second_of_day);
        let uplift = match now {
            now if now < T0 => 100,
            now if now < SEAM => first,
            _ => second,
        };
        let load_rps = 40.0 * f64::from(if comes { uplift } else { 100 }) / 100.0;
        let decision = fleet.tick(1, load_rps);
        let least = match now {
            now if now < T0 => 2,
            now if (SEAM.plus_s(-horizon_s)..SEAM.plus_s(window_s - 1)).contains(&now) => {
                pods(first.max(second))
            }
            now if now < SEAM => pods(first),
            now if now < SEAM.plus_s(LENGTH_S) => pods(second),
            _ => 2,
        };
        assert!(
            decision.replicas >= least,
            "{first}/{second}, {second_of_day} s: {} of {least}: {}",
            decision.replicas,
            decision.explain
        );
        counts.push(decision.replicas);
    }
    let falls = counts.windows(2).position(|pair| pair[1] < pair[0]);
    let after = falls.map_or(&[][..], |at| &counts[at..]);
    assert!(
        after.is_sorted_by(|one, next| one >= next),
        "{first}/{second}: a dip: {counts:?}"
    );
    assert_eq!(counts.iter().max(), Some(&pods(first.max(second))));
}

#[test]
fn f23_no_dip_before_at_or_after_the_seam_of_two_windows() {
    for (first, second) in [
        (500, 600),
        (600, 500),
        (500, 500),
        (1_000, 300),
        (300, 1_000),
    ] {
        for comes in [true, false] {
            check_seam(two_phases(first, second), first, second, comes);
            check_seam(two_sales(first, second), first, second, comes);
        }
    }
}

/// Four pods, and a sale in half a minute that asks for eight, under a pause.
fn paused_before_a_sale(pause: Override<Pause>) -> PlanInput {
    let mut input = input(4, 40.0);
    input.sales = vec![sale("flash", NOW.plus_s(30), 120, 1_000)];
    input.overrides.pause = Some(pause);
    input
}

#[test]
fn b17_a_pause_over_a_sale_keeps_what_stands_and_names_the_conflict() {
    let mut input = paused_before_a_sale(word(Pause::Scaling, NOW.plus_s(3_600)));
    let decision = plan(&input);
    assert_eq!(
        (decision.replicas, decision.reason()),
        (4, Reason::SalePaused)
    );
    assert_eq!(decision.replicas_wanted, 8);
    assert_eq!(decision.notes, [Reason::Paused, Reason::SalePaused]);
    let told =
        "Keep 4 replicas: the sale asks for 8 (400.0 req/s) [flash/main]; SalePaused makes it 4;";
    assert!(decision.explain.starts_with(told), "{}", decision.explain);
    // A floor below the sale raises over the pause, and the sale is still not served.
    input.overrides.floor = Some(word(6, NOW.plus_s(3_600)));
    let floored = plan(&input);
    assert_eq!(
        (floored.replicas, floored.reason()),
        (6, Reason::OverrideConflict)
    );
    assert!(floored.notes.contains(&Reason::SalePaused));
    // Nothing collides where what stands serves the sale, and nothing once the pause has lapsed.
    input.overrides.floor = None;
    input.replicas.desired = Some(9);
    assert_eq!(plan(&input).notes, [Reason::Paused]);
    let lapsed = plan(&paused_before_a_sale(word(Pause::Scaling, NOW)));
    assert_eq!((lapsed.replicas, lapsed.notes.len()), (8, 0));
}

#[test]
fn b17_a_published_plan_that_a_pause_keeps_from_coming_true_is_named_too() {
    let mut input = paused_before_a_sale(word(Pause::All, NOW.plus_s(3_600)));
    // The bid alone asks for no more than what stands; the plan was made with another baseline.
    input.sales[0].phases[0].uplift_percent = 100;
    input.memory = plan(&input).memory;
    input.sales[0].phases[0].planned_replicas = Some(7);
    let decision = plan(&input);
    assert_eq!(decision.replicas, 4);
    assert!(decision.notes.contains(&Reason::SalePaused));
}
