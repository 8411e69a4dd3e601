//! Promises P1 to P4 and P7 on payments.

use std::sync::Arc;

use floodgate_contract::Class;
use futures::future::join_all;
use payment_svc::seed;
use payment_svc::store::connect;
use serde_json::json;

use super::shop::{BALANCE, Shop, eventually, payment, post, within};

#[tokio::test]
async fn a_payment_moves_money_once_and_is_read_back() {
    let shop = Shop::open().await;
    let paid = shop.pay(1, 350, "coffee").await;
    assert_eq!(paid.status, 201, "{:?}", paid.body);
    assert_eq!(paid.body["status"], "succeeded");
    assert_eq!(paid.body["refunded_minor"], 0);
    assert!(!paid.replayed());
    let read = shop.get(&format!("/v1/payments/{}", paid.id())).await;
    assert_eq!((read.status, &read.body), (200, &paid.body));
    let account = shop.get("/v1/accounts/u-000001").await;
    assert_eq!(account.body["balance_minor"], BALANCE - 350);
    let merchant = shop.get("/v1/merchants/m-0001").await;
    assert_eq!(merchant.body["balance_minor"], 350);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p2_a_key_sent_again_gets_the_same_answer_and_moves_no_money() {
    let shop = Shop::open().await;
    let first = shop.pay(2, 100, "once").await;
    let again = shop.pay(2, 100, "once").await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert!(again.replayed());
    assert_eq!(shop.balance(2).await, BALANCE - 100);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p2_a_replay_after_a_refund_is_still_the_first_answer() {
    let shop = Shop::open().await;
    let first = shop.pay(2, 100, "once").await;
    assert_eq!(shop.refund(&first.id(), 40, "back").await.status, 201);
    assert_eq!(shop.pay(2, 100, "once").await.body, first.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_hundred_parallel_twins_have_one_effect() {
    let shop = Shop::open().await;
    let other_pod = Shop::over(
        shop.urls.clone(),
        payment_svc::cache::CacheConfig::default(),
    )
    .await;
    let twins = (0..100).map(|n| {
        let pod = if n % 2 == 0 { &shop } else { &other_pod };
        pod.send(post("/v1/payments", "twin", payment(3, 70).to_string()))
    });
    let answers = join_all(twins).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        assert_eq!(answer.body, answers[0].body);
    }
    let first = answers.iter().filter(|answer| !answer.replayed()).count();
    assert_eq!(first, 1, "exactly one answer is no replay");
    assert_eq!(shop.balance(3).await, BALANCE - 70);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn b39_key_reused_with_other_body_is_422() {
    let shop = Shop::open().await;
    assert_eq!(shop.pay(4, 100, "k").await.status, 201);
    let reused = shop.pay(4, 101, "k").await;
    assert_eq!(
        (reused.status, reused.code()),
        (422, "idempotency_key_reused")
    );
    let spaced = format!(
        "{{ \"currency\" : \"CNY\", \"amount_minor\":100,\n\"merchant_id\":\"m-0001\", \"user_id\":\"{}\" }}",
        seed::user_id(4)
    );
    let same_meaning = shop.send(post("/v1/payments", "k", spaced)).await;
    assert_eq!(
        same_meaning.status, 201,
        "order and white space do not count"
    );
    assert!(same_meaning.replayed());
    assert_eq!(shop.balance(4).await, BALANCE - 100);
}

#[tokio::test]
async fn a_key_belongs_to_its_payer() {
    let shop = Shop::open().await;
    for payer in 1..=6 {
        assert_eq!(shop.pay(payer, 10, "same").await.status, 201);
        assert_eq!(shop.balance(payer).await, BALANCE - 10);
    }
}

#[tokio::test]
async fn p4_a_balance_never_goes_below_zero_however_many_ask_at_once() {
    let shop = Shop::open().await;
    let asks = (0..30).map(|n| {
        let shop = &shop;
        async move { shop.pay(5, 1_000, &format!("rush-{n}")).await.status }
    });
    let statuses = join_all(asks).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 402).count(), 20);
    assert_eq!(shop.balance(5).await, 0);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_declined_payment_does_not_decline_a_smaller_one_of_the_same_batch() {
    let shop = Shop::open().await;
    let asks = [9_000, 5_000, 1_000].map(|amount| {
        let shop = &shop;
        async move {
            (
                amount,
                shop.pay(6, amount, &format!("pay-{amount}")).await.status,
            )
        }
    });
    let mut booked: Vec<i64> = join_all(asks)
        .await
        .into_iter()
        .filter_map(|(amount, status)| (status == 201).then_some(amount))
        .collect();
    booked.sort_unstable();
    assert!(
        booked == [1_000, 9_000] || booked == [1_000, 5_000],
        "{booked:?}"
    );
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p7_a_refusal_for_lack_of_funds_is_final_for_its_key() {
    let shop = Shop::open().await;
    let big = shop.pay(7, BALANCE + 1, "big").await;
    assert_eq!((big.status, big.code()), (402, "insufficient_funds"));
    assert_eq!(big.body["charged"], false);
    let again = shop.pay(7, BALANCE + 1, "big").await;
    assert_eq!((again.status, again.replayed()), (402, true));
    let found = shop
        .get("/v1/payments?user_id=u-000007&idempotency_key=big")
        .await;
    assert_eq!(found.status, 402);
    let other = shop.pay(7, 1, "big").await;
    assert_eq!(
        (other.status, other.code()),
        (422, "idempotency_key_reused")
    );
}

#[tokio::test]
async fn p7_a_payment_is_found_by_its_key_and_only_by_its_payer() {
    let shop = Shop::open().await;
    let paid = shop.pay(8, 42, "lost answer").await;
    let path = |user| format!("/v1/payments?user_id={user}&idempotency_key=lost%20answer");
    let found = shop.get(&path("u-000008")).await;
    assert_eq!((found.status, &found.body), (200, &paid.body));
    for user in ["u-000009", "nobody"] {
        let absent = shop.get(&path(user)).await;
        assert_eq!((absent.status, absent.code()), (404, "not_found"), "{user}");
    }
}

#[tokio::test]
async fn unknown_payers_and_merchants_are_404_and_leave_the_key_free() {
    let shop = Shop::open().await;
    let mut body = payment(9, 10);
    body["merchant_id"] = json!("m-9999");
    let refused = shop.post("/v1/payments", "free", &body).await;
    assert_eq!((refused.status, refused.code()), (404, "merchant_unknown"));
    body["user_id"] = json!("u-999999");
    let refused = shop.post("/v1/payments", "free", &body).await;
    assert_eq!((refused.status, refused.code()), (404, "user_unknown"));
    assert_eq!(shop.pay(9, 10, "free").await.status, 201);
}

#[tokio::test]
async fn b43_a_supported_currency_that_is_not_the_accounts_is_422() {
    let shop = Shop::open().await;
    let mut body = payment(10, 10);
    body["currency"] = json!("EUR");
    let refused = shop.post("/v1/payments", "k", &body).await;
    assert_eq!((refused.status, refused.code()), (422, "currency_mismatch"));
    assert_eq!(shop.pay(10, 10, "k").await.status, 201);
}

#[tokio::test]
async fn b40_a_twin_whose_time_is_up_is_told_that_the_first_is_at_work() {
    let shop = Arc::new(Shop::open().await);
    let locker = Locker::of(&shop, 11).await;
    let first = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay(11, 10, "twin").await }
    });
    locker.until_waiting(1).await;
    let twin = post("/v1/payments", "twin", payment(11, 10).to_string());
    let twin = shop.send(within(300, twin)).await;
    assert_eq!((twin.status, twin.code()), (409, "idempotency_in_progress"));
    assert!(twin.headers.contains_key("retry-after"));
    drop(locker);
    assert_eq!(first.await.unwrap().status, 201);
    assert_eq!(shop.pay(11, 10, "twin").await.status, 201);
    assert_eq!(shop.balance(11).await, BALANCE - 10);
}

#[tokio::test]
async fn offered_load_counts_the_same_key_of_two_payers_twice() {
    let shop = Shop::open().await;
    for payer in [12, 13, 12] {
        assert_eq!(shop.pay(payer, 10, "order-1").await.status, 201);
    }
    let counts = shop.metrics.class_counts()[Class::Critical.index()];
    assert_eq!(counts.offered, 2, "the third is the first one sent again");
    let again = shop.metrics.class_counts()[Class::CriticalPlus.index()];
    assert_eq!(
        (counts.admitted, again.admitted),
        (2, 1),
        "only a payer's own recorded key goes before all else"
    );
}

#[tokio::test]
async fn an_outcome_this_binary_does_not_know_is_told_as_unknown() {
    let shop = Shop::open().await;
    let paid = shop.pay(14, 10, "before").await.id();
    let books = connect::administer(shop.shard_url(14)).await.unwrap();
    books.client.batch_execute(BOOKS_OF_TOMORROW).await.unwrap();
    let payment = shop.pay(14, 10, "after").await;
    let refund = shop.refund(&paid, 10, "back").await;
    for answer in [payment, refund] {
        assert_eq!((answer.status, answer.code()), (503, "outcome_unknown"));
        assert!(answer.body["charged"].is_null(), "nobody can say");
    }
}

/// Functions of a later schema, that hold a payment or refund for review.
const BOOKS_OF_TOMORROW: &str = "
    CREATE OR REPLACE FUNCTION book_payments(
        p_ids text[], p_users text[], p_merchants text[], p_stripes smallint[], p_amounts bigint[],
        p_currencies text[], p_references text[], p_keys text[], p_hashes bytea[]
    ) RETURNS TABLE (ord integer, outcome text, payment_id text, created_us bigint, replayed boolean)
    LANGUAGE sql AS $$ SELECT 1, 'held_for_review', p_ids[1], 0::bigint, false $$;
    CREATE OR REPLACE FUNCTION book_refund(
        p_id text, p_payment text, p_amount bigint, p_key text, p_hash bytea
    ) RETURNS TABLE (outcome text, refund_id text, currency text, created_us bigint,
                     replayed boolean, refundable bigint, user_id text, merchant_id text)
    LANGUAGE sql AS $$ SELECT 'held_for_review', p_id, 'CNY', 0::bigint, false, 0::bigint, '', '' $$;
";

/// Holds the row of a payer's account until it is dropped, and sees over the same connection who
/// waits for it.
pub struct Locker(connect::Connection);

impl Locker {
    /// Locks the account of the n-th payer.
    pub async fn of(shop: &Shop, payer: u32) -> Self {
        let connection = connect::administer(shop.shard_url(payer)).await.unwrap();
        connection
            .client
            .batch_execute(&format!(
                "BEGIN; SELECT 1 FROM accounts WHERE id = '{}' FOR UPDATE",
                seed::user_id(payer)
            ))
            .await
            .unwrap();
        Self(connection)
    }

    /// Waits until so many sessions of the database wait for a lock.
    pub async fn until_waiting(&self, sessions: i64) {
        eventually("sessions wait for the lock", async || {
            self.count("SELECT count(*) FROM pg_stat_activity WHERE ")
                .await
                >= sessions
        })
        .await;
    }

    /// Ends the sessions that wait for a lock, as a cut connection would.
    pub async fn cut_waiting(&self) {
        self.count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ")
            .await;
    }

    async fn count(&self, what: &str) -> i64 {
        // Within a transaction the view stands still until its snapshot is dropped.
        let client = &self.0.client;
        client
            .batch_execute("SELECT pg_stat_clear_snapshot()")
            .await
            .unwrap();
        let waiting = "datname = current_database() AND wait_event_type = 'Lock'";
        let row = client.query_one(&format!("{what}{waiting}"), &[]).await;
        row.unwrap().get(0)
    }
}
