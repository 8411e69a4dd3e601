//! Refunds: promise P5 and row B51; bug 2 of the peers (a refund repeated).

use futures::future::join_all;
use serde_json::json;

use super::shop::{BALANCE, Shop};

#[tokio::test]
async fn a_refund_gives_money_back_and_shows_on_the_payment() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 500, "buy").await;
    let refund = shop.refund(&paid.id(), 200, "back").await;
    assert_eq!(refund.status, 201, "{:?}", refund.body);
    assert_eq!(refund.body["payment_id"], paid.body["id"]);
    assert_eq!(refund.body["currency"], "CNY");
    assert_eq!(shop.balance(1).await, BALANCE - 300);
    let read = shop.get(&format!("/v1/payments/{}", paid.id())).await;
    assert_eq!(read.body["refunded_minor"], 200);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p2_a_refund_sent_again_gets_the_same_answer_and_moves_no_money() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 500, "buy").await;
    let first = shop.refund(&paid.id(), 200, "back").await;
    let again = shop.refund(&paid.id(), 200, "back").await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert!(again.replayed());
    let other = shop.refund(&paid.id(), 201, "back").await;
    assert_eq!(
        (other.status, other.code()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(shop.balance(1).await, BALANCE - 300);
}

#[tokio::test]
async fn b39_a_key_of_a_payment_is_not_a_key_for_its_refund() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 500, "buy").await;
    let refused = shop.refund(&paid.id(), 500, "buy").await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "idempotency_key_reused")
    );
}

#[tokio::test]
async fn b51_parallel_refunds_never_pass_the_amount() {
    let shop = Shop::open().await;
    let paid = shop.pay(2, 1_000, "buy").await;
    let asks = (0..20).map(|n| {
        let (shop, id) = (&shop, paid.id());
        async move { shop.refund(&id, 150, &format!("back-{n}")).await }
    });
    let answers = join_all(asks).await;
    let booked = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(booked, 6, "6 x 150 of 1000");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            (answer.status, answer.code()),
            (422, "refund_exceeds_payment")
        );
    }
    assert_eq!(shop.balance(2).await, BALANCE - 100);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn parallel_twins_of_one_refund_have_one_effect() {
    let shop = Shop::open().await;
    let paid = shop.pay(3, 1_000, "buy").await;
    let asks = (0..20).map(|_| {
        let (shop, id) = (&shop, paid.id());
        async move { shop.refund(&id, 100, "back").await }
    });
    let answers = join_all(asks).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    assert_eq!(shop.balance(3).await, BALANCE - 900);
}

#[tokio::test]
async fn payments_and_refunds_of_the_same_accounts_do_not_deadlock() {
    let shop = Shop::open().await;
    let paid = join_all((0..8).map(|n| {
        let shop = &shop;
        async move { shop.pay(4 + n % 4, 100, &format!("buy-{n}")).await.id() }
    }))
    .await;
    let asks = (0..80_u32).map(|n| {
        let (shop, id) = (&shop, &paid[(n % 8) as usize]);
        async move {
            if n.is_multiple_of(2) {
                shop.pay(4 + n % 4, 1, &format!("more-{n}")).await.status
            } else {
                shop.refund(id, 1, &format!("back-{n}")).await.status
            }
        }
    });
    assert!(join_all(asks).await.iter().all(|status| *status == 201));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn b49_a_refund_of_no_payment_is_404() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 5, "buy").await.id();
    let unknown = format!("{}0", &paid[..paid.len() - 1]);
    for id in ["pay_x", "..%2f", unknown.as_str()] {
        let answer = shop.refund(id, 1, "back").await;
        if id == unknown && answer.status == 201 {
            continue; // The last digit was a zero already.
        }
        assert_eq!(
            (answer.status, answer.code()),
            (404, "payment_unknown"),
            "{id}"
        );
    }
}

#[tokio::test]
async fn b46_a_refund_takes_nothing_but_its_amount() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 5, "buy").await.id();
    let path = format!("/v1/payments/{paid}/refunds");
    let answer = shop
        .post(&path, "back", &json!({ "amount_minor": 1, "reason": "x" }))
        .await;
    assert_eq!((answer.status, answer.code()), (422, "unknown_field"));
    let answer = shop.post(&path, "back", &json!({})).await;
    assert_eq!((answer.status, answer.code()), (422, "field_required"));
}
