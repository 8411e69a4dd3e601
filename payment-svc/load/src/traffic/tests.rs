use std::collections::HashMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn plan(users: u32, skew: f64, seed: u64) -> ValidPlan {
    let mut plan = Plan::constant("http://127.0.0.1:1".parse().unwrap(), 1000.0, 30.0);
    (plan.users, plan.user_skew, plan.seed) = (users, skew, seed);
    plan.validate(Timestamp::now()).unwrap()
}

fn known_payment() -> RecentPayments {
    let recent = RecentPayments::default();
    for number in 0..100_000 {
        let (id, user) = (format!("pay_{number}"), user_id(1));
        recent.add(Payment {
            id,
            user,
            amount_minor: 1,
        });
    }
    recent
}

#[test]
fn the_mix_is_about_what_was_asked_for() {
    let traffic = Traffic::new(&plan(1000, 0.8, 1), known_payment()).unwrap();
    let mut shares: HashMap<&str, f64> = HashMap::new();
    let intents: Vec<Intent> = traffic.collect();
    for intent in &intents {
        let kind = match intent.action {
            Action::Create { .. } => "create",
            Action::ReadPayment(_) => "payment_read",
            Action::Refund { .. } => "refund",
            _ => "account_read",
        };
        *shares.entry(kind).or_default() += 100.0 / intents.len() as f64;
    }
    for (kind, percent) in [
        ("create", 60.0),
        ("payment_read", 20.0),
        ("refund", 5.0),
        ("account_read", 15.0),
    ] {
        assert!((shares[kind] - percent).abs() < 1.5, "{kind}: {shares:?}");
    }
}

#[test]
fn the_hottest_user_has_the_share_that_zipf_gives_it() {
    let traffic = Traffic::new(&plan(100, 1.0, 5), RecentPayments::default()).unwrap();
    let users: Vec<String> = traffic
        .filter_map(|intent| match intent.action {
            Action::Create { user, .. } => Some(user),
            _ => None,
        })
        .collect();
    let share = |number| {
        let name = user_id(number);
        users.iter().filter(|user| **user == name).count() as f64 / users.len() as f64
    };
    let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
    for rank in [1, 2, 10] {
        let expected = 1.0 / f64::from(rank) / harmonic;
        assert!(
            (share(rank) / expected - 1.0).abs() < 0.15,
            "{rank} {}",
            share(rank)
        );
    }
}

#[test]
fn the_same_seed_asks_for_the_same_things() {
    let traffic = |seed| {
        let traffic = Traffic::new(&plan(1000, 0.8, seed), RecentPayments::default()).unwrap();
        traffic.take(1000).collect::<Vec<Intent>>()
    };
    assert_eq!(traffic(3), traffic(3));
    assert_ne!(traffic(3), traffic(4));
}

#[test]
fn a_payment_is_refunded_once_and_never_beyond_its_amount() {
    let recent = RecentPayments::default();
    for amount_minor in [1, 2, 99] {
        let id = format!("pay_{amount_minor}");
        recent.add(Payment {
            id,
            user: user_id(1),
            amount_minor,
        });
    }
    let traffic = Traffic::new(&plan(10, 0.0, 1), recent).unwrap();
    let mut refunded = Vec::new();
    for intent in traffic {
        if let Action::Refund {
            payment,
            amount_minor,
        } = intent.action
        {
            assert!((1..=payment.amount_minor).contains(&amount_minor));
            assert!(!refunded.contains(&payment.id));
            refunded.push(payment.id);
        }
    }
    assert_eq!(refunded.len(), 3);
}

#[test]
fn what_was_due_before_a_late_start_is_left_out() {
    let mut traffic = Traffic::new(&plan(10, 0.0, 1), RecentPayments::default()).unwrap();
    traffic.skip_until(Duration::from_secs(29));
    let first = traffic.next().unwrap();
    assert!(first.at >= Duration::from_secs(29));
    assert_eq!(first.n, 0);
}

proptest! {
    #[test]
    fn users_merchants_and_amounts_stay_in_bounds(
        users in 1_u32..100_000, skew in 0.0..2.0, seed in any::<u64>(),
    ) {
        let traffic = Traffic::new(&plan(users, skew, seed), RecentPayments::default()).unwrap();
        for intent in traffic.take(300) {
            if let Action::Create { user, merchant, amount_minor } = intent.action {
                let number: u32 = user.strip_prefix("u-").unwrap().parse().unwrap();
                prop_assert!((1..=users).contains(&number));
                let number: u32 = merchant.strip_prefix("m-").unwrap().parse().unwrap();
                prop_assert!((1..=100).contains(&number));
                prop_assert!((100..=20_000).contains(&amount_minor));
            }
        }
    }
}
