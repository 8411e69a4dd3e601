//! Sales: warm before T0, no dip at a seam, nothing lost when something breaks in the middle.

use floodgate_planner::{
    Baseline, BidSource, Decision, ForecastPath, HoldCause, LeadTime, Load, LoadFault, Memory,
    Scaling, UnixMillis, plan, sale_plan,
};
use floodgate_words::Reason;

use crate::fleet::{Fleet, NOW, flat_forecast, input, sale};

const T0: UnixMillis = UnixMillis(NOW.0 + 600_000);

/// Runs a cluster with 40 req/s from `NOW`, tenfold from T0 for two minutes, in steps of 10 s.
fn sale_day(fleet: &mut Fleet, seconds: i64) -> Vec<Decision> {
    let runs = |now: UnixMillis| (T0..T0.plus_s(120)).contains(&now);
    (0..seconds / 10)
        .map(|_| {
            let load_rps = if runs(fleet.input.now.plus_s(10)) {
                400.0
            } else {
                40.0
            };
            fleet.tick(10, load_rps)
        })
        .collect()
}

#[test]
fn s1_pods_are_warm_before_t0_and_not_much_earlier() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.forecast = flat_forecast(NOW, 40.0, 44.0);
    fleet.input.sales = vec![sale("flash", T0, 120, 1_000)];
    let early = sale_day(&mut fleet, 500);
    assert!(
        early.iter().all(|decision| decision.replicas == 2),
        "raised too early"
    );
    let near = sale_day(&mut fleet, 100);
    let first = near.iter().find(|decision| decision.replicas > 2).unwrap();
    assert_eq!(
        (first.replicas, first.winner),
        (9, BidSource::Sale),
        "{}",
        first.explain
    );
    assert_eq!(first.reason(), Reason::SalePrescale);
    assert_eq!(first.at, T0.plus_s(-fleet.input.lead_time.horizon_s()));
    assert_eq!((fleet.input.now, fleet.input.replicas.warm), (T0, 9));
    let levels: Vec<u8> = near
        .iter()
        .map(|decision| decision.level.floor.index())
        .collect();
    assert!(
        levels.iter().all(|level| *level == 0),
        "degraded before T0: {levels:?}"
    );
}

#[test]
fn the_load_of_the_sale_is_not_taken_for_its_baseline() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.sales = vec![sale("flash", T0, 120, 1_000)];
    let decisions = sale_day(&mut fleet, 730);
    let most = decisions.iter().map(|decision| decision.replicas).max();
    assert_eq!(most, Some(8), "ten times the tenfold load");
}

#[test]
fn s2_a_sale_raises_while_the_load_is_missing() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.forecast = flat_forecast(NOW, 40.0, 44.0);
    fleet.input.sales = vec![sale("flash", T0, 120, 1_000)];
    let decision = fleet.decide(T0.plus_s(-60), Load::Missing(LoadFault::Unavailable));
    assert_eq!((decision.replicas, decision.winner), (9, BidSource::Sale));
    let after = fleet.decide(T0.plus_s(1_000), Load::Missing(LoadFault::Unavailable));
    assert_eq!(
        after.replicas, 9,
        "the sale is over, and nobody knows the load"
    );
}

#[test]
fn s4_a_restart_in_mid_sale_keeps_the_published_plan() {
    let mut fleet = Fleet::new(input(9, 400.0));
    fleet.input.now = T0.plus_s(30);
    fleet.input.sales = vec![sale("flash", T0, 3_600, 1_000)];
    fleet.input.sales[0].phases[0].planned_replicas = Some(9);
    fleet.input.memory = Memory::held(HoldCause::Restart);
    for _ in 0..300 {
        // Traffic dies down in the middle; the plan stands.
        let decision = fleet.tick(10, 60.0);
        assert_eq!(decision.replicas, 9, "{}", decision.explain);
    }
}

#[test]
fn the_sale_window_keeps_the_plan_that_was_published() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.sales = vec![sale("flash", T0, 120, 500)];
    let _ = sale_day(&mut fleet, 570);
    // Published after the pre-scale began, with more than the baseline of that moment gives.
    fleet.input.sales[0].phases[0].planned_replicas = Some(11);
    let decision = fleet.tick(10, 40.0);
    assert_eq!(
        (decision.replicas, decision.reason()),
        (11, Reason::SaleWindow)
    );
}

#[test]
fn f17_a_forecast_that_collapses_before_a_sale_is_not_its_baseline() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.forecast = flat_forecast(NOW, 0.0, 0.1);
    fleet.input.sales = vec![sale("flash", T0, 120, 1_000)];
    let _ = sale_day(&mut fleet, 600);
    assert_eq!((fleet.input.now, fleet.input.replicas.warm), (T0, 8));
}

#[test]
fn f20_overlapping_sales_take_the_larger_and_past_ones_nothing() {
    let mut input = input(2, 40.0);
    input.sales = vec![
        sale("small", NOW.plus_s(30), 600, 300),
        sale("large", NOW.plus_s(60), 600, 1_000),
        sale("past", NOW.plus_s(-600), 600, 10_000),
        sale("far", NOW.plus_s(86_400), 600, 20_000),
    ];
    let decision = plan(&input);
    let bid = decision
        .bids
        .iter()
        .find(|bid| bid.source == BidSource::Sale)
        .unwrap();
    assert_eq!((decision.replicas, bid.detail.as_str()), (8, "large/main"));
}

#[test]
fn the_planner_wakes_at_every_edge_of_a_phase() {
    let mut input = input(2, 40.0);
    input.lead_time.interval_s = 3_600;
    input.sales = vec![sale("flash", NOW.plus_s(10_000), 60, 1_000)];
    let lead_s = input.lead_time.horizon_s();
    let mut edges = Vec::new();
    for _ in 0..8 {
        let decision = plan(&input);
        edges.push(decision.next_wake.seconds_since(NOW));
        input.memory = decision.memory;
        input.now = decision.next_wake;
    }
    for edge in [10_000 - lead_s, 10_000, 10_060] {
        assert!(edges.contains(&edge), "{edge} not in {edges:?}");
    }
}

#[test]
fn a_sale_without_any_baseline_says_so() {
    let mut input = input(2, 40.0);
    input.load = Load::Missing(LoadFault::NoData);
    input.sales = vec![sale("flash", NOW.plus_s(30), 600, 1_000)];
    let decision = plan(&input);
    assert!(
        decision
            .bids
            .iter()
            .any(|bid| bid.reason == Reason::SaleBaselineUnknown)
    );
    assert_eq!(decision.replicas, 2);
}

#[test]
fn a_plan_ahead_names_replicas_shortage_and_the_start_of_the_raise() {
    let scaling = Scaling {
        replicas_min: 2,
        replicas_max: 12,
        ..Scaling::default()
    };
    let lead_time = LeadTime::default();
    let measured = |measured_rps| Baseline {
        path: None,
        measured_rps,
        observed_peak_rps: None,
    };
    let plan_at = |uplift, baseline| {
        sale_plan(
            &sale("flash", T0, 120, uplift),
            baseline,
            &scaling,
            &lead_time,
        )
    };
    let tenfold = plan_at(1_000, measured(Some(40.0)));
    assert_eq!((tenfold.replicas, tenfold.replicas_short), (Some(8), 0));
    assert_eq!(tenfold.prescale_at, Some(T0.plus_s(-lead_time.horizon_s())));
    let thirtyfold = plan_at(3_000, measured(Some(40.0)));
    assert_eq!(
        (thirtyfold.replicas, thirtyfold.replicas_short),
        (Some(12), 12)
    );
    assert_eq!(plan_at(1_000, measured(None)).replicas, None);
    assert_eq!(plan_at(1_000, measured(Some(f64::NAN))).replicas, None);
}

#[test]
fn a_plan_for_next_week_takes_the_time_of_day_that_the_forecast_knows() {
    let day: Vec<f64> = (0..288)
        .map(|step| if step == 120 { 90.0 } else { 30.0 })
        .collect();
    let path = ForecastPath::new(NOW, 300, 95, "day".to_owned(), day.clone(), day).unwrap();
    let planned = |offset_s| {
        let sale = sale("flash", NOW.plus_s(offset_s), 600, 1_000);
        let baseline = Baseline {
            path: Some(&path),
            measured_rps: Some(10.0),
            observed_peak_rps: None,
        };
        let plan = sale_plan(&sale, baseline, &Scaling::default(), &LeadTime::default());
        plan.phases[0].replicas_needed
    };
    assert_eq!(
        (planned(36_000), planned(7 * 86_400 + 36_000)),
        (Some(18), Some(18))
    );
    assert_eq!(planned(7 * 86_400), Some(6));
}

#[test]
fn idempotence_holds_when_one_of_two_sales_has_no_baseline_of_its_own() {
    let mut input = input(2, 40.0);
    input.replicas.warm = 0;
    input.load = Load::Missing(LoadFault::Unavailable);
    let path = ForecastPath::flat(NOW.plus_s(30), 10, 6, 900.0, 1_000.0).unwrap();
    input.forecast = floodgate_planner::ForecastInput::Path {
        path: std::sync::Arc::new(path),
        trust: floodgate_planner::ForecastTrust::Trusted,
        observed_peak_rps: None,
    };
    // The first runs where the path says nothing, the second comes where it does.
    input.sales = vec![
        sale("first", NOW.plus_s(-20), 25, 1_000),
        sale("second", NOW.plus_s(35), 20, 100),
    ];
    let first = plan(&input);
    input.replicas.desired = Some(first.replicas);
    input.memory = first.memory.clone();
    let second = plan(&input);
    assert_eq!(second.replicas, first.replicas);
    assert_eq!(second.level.floor, first.level.floor);
    assert_eq!(second.bids[2], first.bids[2]);
}

#[test]
fn f55_s10_a_sale_that_is_deleted_while_it_runs_drops_nobody_who_came() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.forecast = flat_forecast(NOW, 40.0, 44.0);
    fleet.input.sales = vec![sale("flash", T0, 120, 1_000)];
    sale_day(&mut fleet, 640);
    fleet.input.sales.clear();
    for _ in 0..120 {
        let decision = fleet.tick(10, 400.0);
        assert!(decision.replicas >= 8, "{}", decision.explain);
    }
}

#[test]
fn f55_an_edit_in_mid_sale_is_followed_step_by_step() {
    let mut fleet = Fleet::new(input(2, 40.0));
    fleet.input.forecast = flat_forecast(NOW, 40.0, 44.0);
    fleet.input.sales = vec![sale("flash", T0, 3_600, 1_000)];
    sale_day(&mut fleet, 640);
    fleet.input.sales = vec![sale("flash", T0, 3_600, 200)];
    let mut counts = vec![fleet.input.replicas.desired.unwrap()];
    for _ in 0..120 {
        counts.push(fleet.tick(10, 40.0).replicas);
    }
    assert_eq!(counts[..30], [9; 30], "a whole window must pass");
    assert!(
        counts.windows(2).all(|pair| pair[0] - pair[1] <= 1),
        "{counts:?}"
    );
    assert_eq!(counts.last(), Some(&2));
}
