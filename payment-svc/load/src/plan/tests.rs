use std::time::Duration;

use super::*;

const SMALLEST: &str = r#"{
    "target": "http://127.0.0.1:8080", "users": 10, "merchants": 2,
    "phases": [{"name": "before", "from_s": 0, "to_s": 60}],
    "rate": [{"t_s": 0, "rps": 40}]
}"#;

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn refusal(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = Plan::parse(SMALLEST).unwrap();
    change(&mut plan);
    let line = plan.validate(now()).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn the_smallest_plan_has_good_defaults_and_ends_with_its_last_phase() {
    let plan = Plan::parse(SMALLEST).unwrap().validate(now()).unwrap();
    assert!((plan.curve().total() - 2400.0).abs() < 1e-9);
    assert_eq!(plan.deadline(), Duration::from_secs(2));
    assert_eq!(plan.plan().currency, "CNY");
}

#[test]
fn a_plan_comes_back_from_its_own_json() {
    let plan = Plan::constant("http://198.19.1.2:80".parse().unwrap(), 5.0, 3.0);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(Plan::parse(&text).unwrap(), plan);
}

#[test]
fn a_plan_with_a_typo_or_a_foreign_target_names_the_place() {
    let typo = SMALLEST.replace("\"users\"", "\"user\"");
    let line = Plan::parse(&typo).unwrap_err().to_string();
    assert!(
        line.contains("unknown field `user`") && line.contains("line 2"),
        "{line}"
    );
    let foreign = SMALLEST.replace("127.0.0.1", "93.184.216.34");
    let line = Plan::parse(&foreign).unwrap_err().to_string();
    assert!(line.contains("load is sent nowhere else"), "{line}");
    assert!(Plan::parse("{").is_err());
}

#[test]
fn a_plan_past_the_cap_is_refused() {
    let line = refusal(|plan| plan.rate = vec![RatePoint::step(0.0, 1e6)]);
    assert!(line.contains("must be at most"), "{line}");
    let line = refusal(|plan| plan.end_s = Some(1e6));
    assert!(line.contains("must be at most"), "{line}");
    let line = refusal(|plan| {
        plan.rate = vec![RatePoint::step(0.0, 5000.0)];
        plan.end_s = Some(3600.0);
    });
    assert!(line.contains("18000000 requests"), "{line}");
}

type Change = fn(&mut Plan);

#[test]
fn fields_out_of_bounds_are_refused_by_name() {
    let cases: [(&str, Change); 10] = [
        ("users", |plan| plan.users = 0),
        ("merchants", |plan| plan.merchants = u32::MAX),
        ("deadline_ms", |plan| plan.deadline_ms = 0),
        ("in_flight_max", |plan| plan.in_flight_max = 1_000_000),
        ("user_skew", |plan| plan.user_skew = f64::NAN),
        ("merchant_skew", |plan| plan.merchant_skew = 2.5),
        ("mix", |plan| {
            plan.mix = Mix {
                create: 0,
                payment_read: 0,
                refund: 0,
                account_read: 0,
            };
        }),
        ("currency", |plan| plan.currency = "yuan".to_owned()),
        ("end_s", |plan| plan.phases.clear()),
        ("phases", |plan| plan.phases[0].to_s = f64::NAN),
    ];
    for (name, change) in cases {
        let line = refusal(change);
        assert!(line.starts_with(&format!("`{name}` must be ")), "{line}");
    }
}

#[test]
fn phases_that_overlap_are_refused() {
    let line = refusal(|plan| {
        plan.phases.push(Phase {
            name: "sale".to_owned(),
            from_s: 59.0,
            to_s: 90.0,
        });
    });
    assert!(line.contains("`sale`"), "{line}");
}

#[test]
fn a_start_long_ago_or_far_ahead_is_refused() {
    for start in [
        "2026-11-21T04:58:00Z",
        "2026-11-21T07:00:00Z",
        "9999-01-01T00:00:00Z",
    ] {
        let line = refusal(|plan| plan.start = Some(start.parse().unwrap()));
        assert!(line.starts_with("`start` must be"), "{line}");
    }
}

#[test]
fn a_rate_that_makes_no_curve_is_refused() {
    let line = refusal(|plan| plan.rate.clear());
    assert_eq!(line, "the rate curve must have at least one point");
    let line = refusal(|plan| plan.rate[0].rps = -1.0);
    assert!(line.starts_with("point 0"), "{line}");
}
