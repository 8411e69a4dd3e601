//! What the generator does against a bank with faults.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use payment_load::plan::{Phase, Plan};
use payment_load::report::{EndedBy, SecondLine, Summary};
use payment_load::run::{RunOptions, run};
use tokio_util::sync::CancellationToken;

use crate::bank::{Bank, Faults};

/// Time from now to the start of a run, so that a busy machine has no backlog at its first second.
const LEAD: Duration = Duration::from_secs(2);

async fn carry_out(mut plan: Plan) -> (Summary, Vec<SecondLine>) {
    plan.start = Some(Timestamp::now() + LEAD);
    let plan = plan.validate(Timestamp::now()).unwrap();
    let mut seconds = Vec::new();
    let summary = run(plan, RunOptions::default(), |second| {
        seconds.push(second.clone());
    })
    .await;
    (summary.unwrap(), seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_bank_answers_everything_that_was_planned() {
    let bank = Bank::open(Faults::default(), None).await;
    let plan = Plan::constant(bank.target, 200.0, 2.0);
    let planned = plan.clone().validate(Timestamp::now()).unwrap();
    let arrivals = planned.curve().arrivals(plan.spacing, plan.seed).count() as u64;
    let (summary, seconds) = carry_out(plan).await;
    assert_eq!(summary.total.counts.offered, arrivals);
    assert_eq!(summary.total.counts.acked, arrivals, "{:?}", summary.errors);
    assert_eq!(summary.total.success_ratio_critical, Some(1.0));
    assert_eq!(summary.ended_by, EndedBy::Plan);
    assert_eq!(
        seconds
            .iter()
            .map(|second| second.counts.acked)
            .sum::<u64>(),
        arrivals
    );
    assert_eq!(bank.seen.requests.load(Ordering::Relaxed), arrivals);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_carries_at_most_eight_requests() {
    let bank = Bank::open(Faults::default(), None).await;
    carry_out(Plan::constant(bank.target, 200.0, 2.0)).await;
    let connections = bank.seen.by_connection.lock().unwrap();
    assert!(
        connections.values().all(|requests| *requests <= 8),
        "{connections:?}"
    );
    let requests: u64 = connections.values().sum();
    assert!(
        requests / connections.len() as u64 >= 3,
        "they are reused: {connections:?}"
    );
}

/// A closed loop would have sent a handful of requests during the stall and seen a good p99.
#[tokio::test(flavor = "multi_thread")]
async fn a_stall_of_one_second_shows_in_p99_and_holds_nothing_back() {
    let stall = Some((LEAD + Duration::from_secs(1), Duration::from_secs(1)));
    let bank = Bank::open(
        Faults {
            stall,
            ..Faults::default()
        },
        None,
    )
    .await;
    let mut plan = Plan::constant(bank.target, 200.0, 4.0);
    plan.deadline_ms = 10_000;
    plan.phases = vec![
        Phase {
            name: "stall".to_owned(),
            from_s: 0.5,
            to_s: 2.5,
        },
        Phase {
            name: "after".to_owned(),
            from_s: 3.0,
            to_s: 4.0,
        },
    ];
    let (summary, _) = carry_out(plan).await;
    let [stall, after] = summary.phases.as_slice() else {
        panic!("{summary:?}")
    };
    assert!((300..=500).contains(&stall.counts.offered), "{stall:?}");
    assert_eq!(stall.counts.acked, stall.counts.offered);
    assert!(stall.p99_ms.unwrap() > 850.0, "{stall:?}");
    assert!(
        after.p50_ms.unwrap() < stall.p99_ms.unwrap() / 4.0,
        "{after:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_end_as_shed_within_the_retry_budget() {
    let faults = Faults {
        refuse_every: Some(2),
        retry_after: Some("1"),
        ..Faults::default()
    };
    let bank = Bank::open(faults, None).await;
    let (summary, _) = carry_out(Plan::constant(bank.target, 200.0, 3.0)).await;
    let counts = summary.total.counts;
    assert!(counts.shed > counts.offered / 4, "{counts:?}");
    assert_eq!(
        counts.acked + counts.shed,
        counts.offered,
        "{:?}",
        summary.errors
    );
    assert_eq!(summary.refusals_without_retry_after, 0);
    assert!(summary.retries > 0 && summary.retries_withheld > 0);
    assert!(
        summary.retries <= counts.offered / 10 + 21,
        "{}",
        summary.retries
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_without_retry_after_is_counted() {
    for retry_after in [None, Some("soon")] {
        let faults = Faults {
            refuse_every: Some(1),
            retry_after,
            ..Faults::default()
        };
        let bank = Bank::open(faults, None).await;
        let (summary, _) = carry_out(Plan::constant(bank.target, 50.0, 1.0)).await;
        assert_eq!(summary.total.counts.shed, summary.total.counts.offered);
        let refusals = summary.total.counts.offered + summary.retries;
        assert_eq!(summary.refusals_without_retry_after, refusals);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_in_flight_fail_here_and_are_not_dropped() {
    let faults = Faults {
        delay: Duration::from_millis(500),
        ..Faults::default()
    };
    let bank = Bank::open(faults, None).await;
    let mut plan = Plan::constant(bank.target, 100.0, 2.0);
    plan.in_flight_max = 10;
    let (summary, seconds) = carry_out(plan).await;
    let counts = summary.total.counts;
    assert!(summary.client_overruns > counts.offered / 2, "{summary:?}");
    assert_eq!(summary.errors["client_overrun"], summary.client_overruns);
    assert_eq!(counts.acked + counts.failed, counts.offered);
    assert!(seconds.iter().all(|second| second.in_flight <= 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_with_the_same_key_and_body() {
    let faults = Faults {
        lose_answer_every: Some(10),
        ..Faults::default()
    };
    let bank = Bank::open(faults, None).await;
    let (summary, _) = carry_out(Plan::constant(bank.target, 200.0, 2.0)).await;
    assert_eq!(
        summary.total.counts.acked, summary.total.counts.offered,
        "{:?}",
        summary.errors
    );
    assert!(summary.retries > 0);
    let keys = bank.seen.by_key.lock().unwrap();
    assert!(keys.values().any(|attempts| attempts.len() > 1));
    for (key, attempts) in &*keys {
        assert!(attempts.iter().all(|body| *body == attempts[0]), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_never_answers_leaves_everything_unknown_within_a_bound() {
    let faults = Faults {
        delay: Duration::from_mins(10),
        ..Faults::default()
    };
    let bank = Bank::open(faults, None).await;
    let mut plan = Plan::constant(bank.target, 50.0, 1.0);
    plan.deadline_ms = 200;
    let (summary, _) = carry_out(plan).await;
    let counts = summary.total.counts;
    assert_eq!(counts.unknown, counts.offered, "{:?}", summary.errors);
    assert_eq!(summary.errors["timeout"], counts.offered);
    // Every lost create was asked for by its key.
    assert!(summary.total.classes["critical_plus"].offered > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_target_is_a_failure_and_nothing_is_unknown() {
    let bank = Bank::open(Faults::default(), None).await;
    let target = bank.target;
    drop(bank);
    let (summary, _) = carry_out(Plan::constant(target, 50.0, 1.0)).await;
    let counts = summary.total.counts;
    assert_eq!(
        (counts.failed, counts.unknown),
        (counts.offered, 0),
        "{:?}",
        summary.errors
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_waits_for_what_it_sent() {
    let faults = Faults {
        delay: Duration::from_millis(300),
        ..Faults::default()
    };
    let bank = Bank::open(faults, None).await;
    let plan = Plan::constant(bank.target, 100.0, 3600.0)
        .validate(Timestamp::now())
        .unwrap();
    let stop = CancellationToken::new();
    let options = RunOptions {
        journal: None,
        stop: stop.clone(),
    };
    let summary = run(plan, options, |second| {
        if second.t_s == 1 {
            stop.cancel();
        }
    });
    let summary = summary.await.unwrap();
    assert_eq!(summary.ended_by, EndedBy::Signal);
    assert_eq!(summary.total.counts.acked, summary.total.counts.offered);
    assert!(summary.total.to_s < 60.0);
}
