//! Rows B38 to B49 of the bad-input table: what each gets, and that nothing was done.

use axum::body::Body;
use axum::http::Request;
use floodgate_contract::Class;
use serde_json::{Value, json};

use super::shop::{BALANCE, Shop, TIMEOUT_MS_MAX, payment, post, within};

async fn refused(shop: &Shop, request: Request<Body>) -> (u16, String) {
    let answer = shop.send(request).await;
    assert!(answer.headers.contains_key("x-request-id"));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    for member in [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
        "retryable",
    ] {
        assert!(
            !answer.body[member].is_null(),
            "{member} of {}",
            answer.body
        );
    }
    (answer.status, answer.code().to_owned())
}

async fn refused_body(shop: &Shop, body: impl Into<Body>) -> (u16, String) {
    refused(shop, post("/v1/payments", "k", body)).await
}

fn with(member: &str, value: Value) -> String {
    let mut body = payment(1, 10);
    body[member] = value;
    body.to_string()
}

fn case(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn b38_b41_the_key_must_be_there_once_and_well_formed() {
    let shop = Shop::open().await;
    let ask = || Request::post("/v1/payments").header("content-type", "application/json");
    let body = || Body::from(payment(1, 10).to_string());
    let required = case(400, "idempotency_key_required");
    assert_eq!(refused(&shop, ask().body(body()).unwrap()).await, required);
    let twice = ask()
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    assert_eq!(refused(&shop, twice.body(body()).unwrap()).await, required);
    for key in ["", " ", "k\u{e9}y", "a\tb", &"k".repeat(256)] {
        let request = ask().header("idempotency-key", key).body(body()).unwrap();
        assert_eq!(
            refused(&shop, request).await,
            case(400, "idempotency_key_invalid"),
            "{key:?}"
        );
    }
    assert_eq!(shop.pay(1, 10, &"k".repeat(255)).await.status, 201);
    assert_eq!(shop.balance(1).await, BALANCE - 10);
}

#[tokio::test]
async fn b42_amounts_are_integers_in_minor_units_within_bounds() {
    let shop = Shop::open().await;
    for amount in [
        "0",
        "-1",
        "1e3",
        "10.5",
        "10.0",
        "\"10\"",
        "null",
        "true",
        "[10]",
        "{}",
        "1e400",
        "9223372036854775808",
        "9007199254740993",
        "1000000000000",
        "-0",
        "01",
    ] {
        let text = with("amount_minor", json!("AMOUNT")).replace("\"AMOUNT\"", amount);
        let (status, code) = refused_body(&shop, text).await;
        let expected = if amount == "01" {
            "body_invalid"
        } else {
            "amount_invalid"
        };
        assert_eq!(code, expected, "{amount}");
        assert_eq!(status, if amount == "01" { 400 } else { 422 }, "{amount}");
    }
    assert_eq!(shop.balance(1).await, BALANCE);
}

#[tokio::test]
async fn b43_currencies_are_iso_codes_that_are_supported() {
    let shop = Shop::open().await;
    for currency in [json!("usd"), json!("XXX"), json!(""), json!("CNY ")] {
        let answer = refused_body(&shop, with("currency", currency.clone())).await;
        assert_eq!(answer, case(422, "currency_unsupported"), "{currency}");
    }
    let answer = refused_body(&shop, with("currency", json!(156))).await;
    assert_eq!(answer, case(422, "field_invalid"));
}

#[tokio::test]
async fn b44_a_card_number_anywhere_is_refused_and_never_echoed() {
    const CARD: &str = "4242424242424242";
    let shop = Shop::open().await;
    let hidden = with("reference", json!("ESCAPED")).replace("ESCAPED", "\\u0034242424242424242");
    let mut as_name = payment(1, 10);
    as_name[CARD] = json!(1);
    let mut as_number = payment(1, 10);
    as_number["amount_minor"] = json!(4_242_424_242_424_242_i64);
    for body in [
        with("reference", json!(CARD)),
        with("reference", json!("card 4242 4242 4242 4242")),
        with("user_id", json!(CARD)),
        as_name.to_string(),
        as_number.to_string(),
        hidden,
    ] {
        let answer = shop.send(post("/v1/payments", "k", body.clone())).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "pan_not_accepted"),
            "{body}"
        );
        assert!(!answer.body.to_string().contains(CARD));
    }
    let as_key = shop.pay(1, 10, CARD).await;
    assert_eq!(as_key.code(), "pan_not_accepted");
    for path in [
        format!("/v1/accounts/{CARD}"),
        CARD.chars()
            .fold("/v1/accounts/".to_owned(), |path, digit| {
                format!("{path}%{:02X}", u32::from(digit))
            }),
        "/v1/payments?user_id=u-000001&idempotency_key=4242+4242+4242+4242".to_owned(),
        "/v1/payments?user_id=u-000001&idempotency_key=4242%204242%204242%204242".to_owned(),
        "/v1/payments?user_id=%34242424242424242&idempotency_key=k".to_owned(),
    ] {
        let answer = shop.get(&path).await;
        assert_eq!(answer.code(), "pan_not_accepted", "{path}");
        assert!(answer.body["charged"].is_null(), "a read charges nobody");
    }
    let mut request = post("/v1/payments", "k", payment(1, 10).to_string());
    request
        .headers_mut()
        .insert("x-request-id", CARD.parse().unwrap());
    let answer = shop.send(request).await;
    assert_eq!(answer.status, 201);
    assert_ne!(
        answer.headers["x-request-id"], CARD,
        "a card number is no request id"
    );
    for url in &shop.urls {
        for table in [
            "payments",
            "idempotency_keys",
            "outbox",
            "entries",
            "accounts",
        ] {
            let sql = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{CARD}%'");
            assert_eq!(super::shop::number(url, &sql, &[]).await, 0, "{table}");
        }
    }
}

#[tokio::test]
async fn b45_a_body_that_is_not_one_json_object_is_400() {
    let shop = Shop::open().await;
    let good = payment(1, 10).to_string();
    let twice = good.replacen('{', "{\"currency\":\"EUR\",", 1);
    for body in [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("{good}x"),
        format!("{good}{good}"),
        format!("\u{feff}{good}"),
        good.replace("10", "NaN"),
        twice,
        "[".repeat(10_000),
        format!(
            "{{\"reference\":{}{}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        ),
    ] {
        let shown: String = body.chars().take(60).collect();
        assert_eq!(
            refused_body(&shop, body).await,
            case(400, "body_invalid"),
            "{shown}"
        );
    }
    let not_utf8 = vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
    assert_eq!(
        refused_body(&shop, not_utf8).await,
        case(400, "body_invalid")
    );
}

#[tokio::test]
async fn b46_members_are_known_present_and_of_their_type() {
    let shop = Shop::open().await;
    let answer = refused_body(&shop, with("amount", json!(10))).await;
    assert_eq!(answer, case(422, "unknown_field"));
    for member in ["user_id", "merchant_id", "amount_minor", "currency"] {
        let mut body = payment(1, 10);
        body.as_object_mut().unwrap().remove(member);
        let answer = shop.post("/v1/payments", "k", &body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "field_required"),
            "{member}"
        );
        assert_eq!(answer.body["param"], member);
    }
    for (member, value) in [
        ("user_id", json!(1)),
        ("user_id", json!("")),
        ("user_id", json!("a/b")),
        ("merchant_id", json!("m\u{202e}1")),
        ("reference", json!({})),
        ("reference", json!("a\u{0}b")),
        ("reference", json!("a\r\nb")),
        ("reference", json!("x".repeat(129))),
    ] {
        let answer = refused_body(&shop, with(member, value.clone())).await;
        assert_eq!(answer, case(422, "field_invalid"), "{member} {value}");
    }
    assert_eq!(shop.balance(1).await, BALANCE);
}

#[tokio::test]
async fn b47_only_plain_json_in_utf_8_is_taken() {
    let shop = Shop::open().await;
    let ask = |kind: Option<&str>, encoding: Option<&str>| {
        let mut request = Request::post("/v1/payments").header("idempotency-key", "k");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let body = Body::from(payment(1, 10).to_string());
        within(TIMEOUT_MS_MAX, request.body(body).unwrap())
    };
    for (kind, encoding) in [
        (None, None),
        (Some("text/plain"), None),
        (Some("application/json; charset=utf-16"), None),
        (Some("application/json"), Some("gzip")),
    ] {
        let answer = refused(&shop, ask(kind, encoding)).await;
        assert_eq!(
            answer,
            case(415, "content_type_unsupported"),
            "{kind:?} {encoding:?}"
        );
    }
    let accepted = shop
        .send(ask(Some("application/json; charset=UTF-8"), None))
        .await;
    assert_eq!(accepted.status, 201);
}

#[tokio::test]
async fn b48_bodies_and_uris_have_a_greatest_length() {
    let shop = Shop::open().await;
    let large = with("reference", json!("x".repeat(16 * 1_024)));
    let mut declared = post("/v1/payments", "k", large.clone());
    declared
        .headers_mut()
        .insert("content-length", large.len().into());
    assert_eq!(refused(&shop, declared).await, case(413, "body_too_large"));
    assert_eq!(
        refused_body(&shop, large).await,
        case(413, "body_too_large")
    );
    let long = format!("/v1/accounts/{}", "u".repeat(3_000));
    let request = Request::get(long).body(Body::empty()).unwrap();
    assert_eq!(refused(&shop, request).await, case(414, "uri_too_long"));
}

#[tokio::test]
async fn f81_a_body_that_never_ends_is_given_up_and_holds_no_place_behind_the_gate() {
    let shop = Shop::open().await;
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let slow = post("/v1/payments", "slow", Body::from_stream(never));
    let slow = refused(&shop, slow);
    let (answer, ()) = tokio::join!(slow, async {
        assert_eq!(shop.pay(1, 10, "quick").await.status, 201);
    });
    assert_eq!(answer, case(408, "body_too_slow"));
    let counts = shop.metrics.class_counts()[Class::Critical.index()];
    assert_eq!((counts.offered, counts.admitted), (1, 1));
}

#[tokio::test]
async fn b49_b56_ids_that_name_nothing_are_404() {
    let shop = Shop::open().await;
    for (path, code) in [
        ("/v1/payments/pay_0000", "payment_unknown"),
        (
            "/v1/payments/pay_00010190d3b5a7c87d3e9f00112233445566",
            "payment_unknown",
        ),
        (
            "/v1/payments/%27%3B%20DROP%20TABLE%20payments%3B--",
            "payment_unknown",
        ),
        ("/v1/payments/..%2F..%2Fetc%2Fpasswd", "payment_unknown"),
        ("/v1/accounts/u-999999", "user_unknown"),
        ("/v1/accounts/opening-CNY", "user_unknown"),
        ("/v1/accounts/m-0001", "user_unknown"),
        ("/v1/merchants/u-000001", "merchant_unknown"),
        ("/v1/merchants/a%0d%0ab", "merchant_unknown"),
        ("/v1/accounts/%FF", "route_unknown"),
        ("/v1/payments/%C3%28/refunds", "route_unknown"),
        ("/v2/payments", "route_unknown"),
        ("/", "route_unknown"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(refused(&shop, request).await, case(404, code), "{path}");
    }
}

#[tokio::test]
async fn b57_a_method_the_path_does_not_take_is_405_with_allow() {
    let shop = Shop::open().await;
    for (method, path) in [
        ("DELETE", "/v1/payments"),
        ("PUT", "/v1/payments/pay_x"),
        ("GET", "/v1/payments/pay_x/refunds"),
        ("OPTIONS", "/v1/accounts/u-1"),
        ("TRACE", "/v1/payments"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let answer = shop.send(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (405, "method_not_allowed"),
            "{method} {path}"
        );
        assert!(answer.headers.contains_key("allow"), "{method} {path}");
    }
}

#[tokio::test]
async fn headers_that_mean_something_are_checked_and_ids_handed_back() {
    let shop = Shop::open().await;
    for timeout in ["0", "-1", "1.5", "15001", "soon"] {
        let mut request = post("/v1/payments", "k", payment(1, 10).to_string());
        request
            .headers_mut()
            .insert("x-request-timeout-ms", timeout.parse().unwrap());
        assert_eq!(
            refused(&shop, request).await,
            case(400, "timeout_invalid"),
            "{timeout}"
        );
    }
    let request = Request::get("/v1/accounts/u-000001")
        .header("x-request-id", "trace.1-a_B")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        shop.send(request).await.headers["x-request-id"],
        "trace.1-a_B"
    );
    for query in [
        "",
        "?user_id=u-1",
        "?user_id=u-1&idempotency_key=k&x=1",
        "?user_id=u-1&idempotency_key=",
    ] {
        let request = Request::get(format!("/v1/payments{query}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            refused(&shop, request).await,
            case(400, "query_invalid"),
            "{query}"
        );
    }
}
