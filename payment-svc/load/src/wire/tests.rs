use std::time::Duration;

use super::*;

fn dialect() -> Dialect {
    Dialect {
        key_prefix: "load-1-".to_owned(),
        currency: "CNY".to_owned(),
    }
}

fn intent(action: Action) -> Intent {
    Intent {
        n: 7,
        at: Duration::ZERO,
        action,
    }
}

fn create() -> Intent {
    let (user, merchant) = ("u-000001".to_owned(), "m-0001".to_owned());
    intent(Action::Create {
        user,
        merchant,
        amount_minor: 100,
    })
}

fn payment() -> Payment {
    Payment {
        id: "pay_1".to_owned(),
        user: "u-000001".to_owned(),
        amount_minor: 100,
    }
}

fn judge(intent: &Intent, status: u16, body: &str) -> Verdict {
    let status = StatusCode::from_u16(status).unwrap();
    let body = body.to_owned().into();
    dialect().judge(
        intent,
        &Answer {
            status,
            retry_after: None,
            body,
        },
    )
}

const CREATED: &str = r#"{"id":"pay_1","status":"succeeded","user_id":"u-000001",
    "merchant_id":"m-0001","amount_minor":100,"currency":"CNY","refunded_minor":0}"#;

#[test]
fn every_request_goes_to_its_route_and_money_carries_its_key() {
    let merchant = "m-0001".to_owned();
    let user = "u-000001".to_owned();
    for (action, method, path) in [
        (create().action, "POST", "/v1/payments"),
        (
            Action::Refund {
                payment: payment(),
                amount_minor: 5,
            },
            "POST",
            "/v1/payments/pay_1/refunds",
        ),
        (Action::ReadPayment(payment()), "GET", "/v1/payments/pay_1"),
        (
            Action::ReadAccount { user: user.clone() },
            "GET",
            "/v1/accounts/u-000001",
        ),
        (
            Action::ReadMerchant { merchant },
            "GET",
            "/v1/merchants/m-0001",
        ),
        (
            Action::LookUp {
                user,
                lost: 3,
                amount_minor: 5,
            },
            "GET",
            "/v1/payments?user_id=u-000001&idempotency_key=load-1-3",
        ),
    ] {
        let money = action.moves_money();
        let request = dialect().request(&intent(action)).unwrap();
        assert_eq!(request.method(), method);
        assert_eq!(request.uri(), path);
        let key = request
            .headers()
            .get(IDEMPOTENCY_KEY)
            .map(|key| key.to_str().unwrap());
        assert_eq!(key, money.then_some("load-1-7"));
    }
}

#[test]
fn an_answer_is_acknowledged_only_when_it_says_what_was_asked() {
    assert_eq!(
        judge(&create(), 201, CREATED),
        Verdict::Acked(Some(payment()))
    );
    for (right, wrong) in [
        ("\"amount_minor\":100", "\"amount_minor\":101"),
        ("u-000001", "u-000002"),
        ("m-0001", "m-0002"),
        ("CNY", "USD"),
        ("succeeded", "failed"),
        ("{", "["),
    ] {
        let verdict = judge(&create(), 201, &CREATED.replacen(right, wrong, 1));
        let code = "bad_answer".to_owned();
        assert_eq!(
            verdict,
            Verdict::Failed {
                code,
                effect: Effect::Unknown,
                again: false
            }
        );
    }
}

#[test]
fn a_refusal_is_harmless_only_when_it_says_so() {
    for status in [429, 503] {
        let says = judge(
            &create(),
            status,
            r#"{"code":"overloaded","charged":false}"#,
        );
        assert_eq!(says, Verdict::Shed(Effect::Absent));
        assert_eq!(judge(&create(), status, ""), Verdict::Shed(Effect::Unknown));
        let read = intent(Action::ReadPayment(payment()));
        assert_eq!(judge(&read, status, ""), Verdict::Shed(Effect::Absent));
    }
}

#[test]
fn errors_keep_their_code_and_only_doubtful_ones_are_tried_again() {
    for (status, body, code, effect, again) in [
        (404, "not json", "http_404", Effect::Absent, false),
        (
            409,
            r#"{"code":"idempotency_in_progress"}"#,
            "idempotency_in_progress",
            Effect::Unknown,
            true,
        ),
        (
            409,
            r#"{"code":"state_conflict"}"#,
            "state_conflict",
            Effect::Absent,
            false,
        ),
        (500, "", "http_500", Effect::Unknown, true),
    ] {
        let code = code.to_owned();
        assert_eq!(
            judge(&create(), status, body),
            Verdict::Failed {
                code,
                effect,
                again
            }
        );
    }
}

#[test]
fn p7_a_refusal_for_lack_of_funds_is_final_for_its_key() {
    let body = r#"{"code":"insufficient_funds","charged":false}"#;
    let code = "insufficient_funds".to_owned();
    assert_eq!(judge(&create(), 402, body), Verdict::Declined { code });
}

#[test]
fn a_look_up_is_answered_by_the_payment_or_by_its_absence() {
    let user = "u-000001".to_owned();
    let look_up = intent(Action::LookUp {
        user,
        lost: 3,
        amount_minor: 100,
    });
    assert_eq!(
        judge(&look_up, 200, CREATED),
        Verdict::Acked(Some(payment()))
    );
    assert_eq!(judge(&look_up, 404, ""), Verdict::Acked(None));
    let code = "insufficient_funds".to_owned();
    let declined = judge(&look_up, 402, r#"{"code":"insufficient_funds"}"#);
    assert_eq!(declined, Verdict::Declined { code });
}
