//! What happens when a shard goes away: promises P1, P7, P8 and faults F65, F68, F71, F72.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use payment_svc::cache::CacheConfig;
use payment_svc::config::ShardAddress;
use payment_svc::money::{Currency, MinorUnits};
use payment_svc::order::{NewPayment, PaymentOutcome};
use payment_svc::seed;
use payment_svc::store::connect;
use tokio::time::Instant;

use super::locker::Locker;
use super::servers::Postgres;
use super::shop::{self, BALANCE, Shop, eventually, payment, post, within};

/// Ends all sessions of the service.
async fn cut_all_sessions(url: &str) {
    let admin = connect::administer(url).await.unwrap();
    admin
        .client
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'payment-svc'",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn p7_a_connection_cut_under_a_payment_is_not_even_seen_by_the_client() {
    let shop = Arc::new(Shop::open().await);
    let locker = Locker::of(&shop, 1).await;
    let paying = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay(1, 10, "cut").await }
    });
    locker.until_waiting(1).await;
    locker.cut_waiting().await;
    drop(locker);
    let answer = paying.await.unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    assert!(!answer.replayed());
    assert_eq!(shop.balance(1).await, BALANCE - 10);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn f68_p7_commit_outcome_unknown_resolves_on_retry() {
    let shop = Arc::new(Shop::open().await);
    let locker = Locker::of(&shop, 2).await;
    let request = post("/v1/payments", "lost", payment(2, 10).to_string());
    let request = within(2_500, request);
    let paying = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.send(request).await }
    });
    locker.until_waiting(1).await;
    locker.cut_waiting().await;
    let answer = paying.await.unwrap();
    assert_eq!((answer.status, answer.code()), (503, "outcome_unknown"));
    assert_eq!(answer.body["retryable"], true);
    assert!(answer.body["charged"].is_null(), "nobody can say");
    assert!(answer.headers.contains_key("retry-after"));
    drop(locker);
    eventually("a retry is answered", async || {
        shop.pay(2, 10, "lost").await.status == 201
    })
    .await;
    let found = shop
        .get("/v1/payments?user_id=u-000002&idempotency_key=lost")
        .await;
    assert_eq!(found.status, 200);
    assert_eq!(shop.balance(2).await, BALANCE - 10);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn f72_p8_a_payment_whose_time_is_up_in_the_queue_is_refused_and_never_booked() {
    let shop = Arc::new(Shop::open().await);
    let url = shop.shard_url(3).to_owned();
    let on_same_shard: Vec<u32> = (4..=shop::PAYERS)
        .filter(|payer| shop.shard_url(*payer) == url)
        .take(3)
        .collect();
    let locker = Locker::of(&shop, 3).await;
    let mut stuck = Vec::new();
    for lane in 1..=2 {
        let paying = Arc::clone(&shop);
        stuck.push(tokio::spawn(async move {
            paying.pay(3, 10, &format!("stuck-{lane}")).await
        }));
        locker.until_waiting(lane).await;
    }
    let late = on_same_shard.iter().map(|payer| {
        let request = post("/v1/payments", "late", payment(*payer, 10).to_string());
        shop.send(within(500, request))
    });
    for answer in join_all(late).await {
        assert_eq!((answer.status, answer.code()), (503, "overloaded"));
        assert_eq!(answer.body["charged"], false);
        assert_eq!(answer.headers["x-pay-shed-reason"], "store");
    }
    drop(locker);
    for paying in stuck {
        paying.await.unwrap();
    }
    for payer in on_same_shard {
        assert_eq!(shop.pay(payer, 1, "after").await.status, 201);
        assert_eq!(shop.balance(payer).await, BALANCE - 1);
    }
}

#[tokio::test]
async fn p1_no_acknowledged_payment_is_lost_while_sessions_are_cut_again_and_again() {
    let shop = Arc::new(Shop::open().await);
    let urls = shop.urls.clone();
    let cutter = tokio::spawn(async move {
        for _ in 0..5 {
            for url in &urls {
                cut_all_sessions(url).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let payers = (1..=10_u32).map(|payer| {
        let shop = Arc::clone(&shop);
        async move {
            let mut acked = 0_i64;
            for n in 0..30 {
                let key = format!("pay-{n}");
                eventually("the payment is acknowledged", async || {
                    shop.pay(payer, 5, &key).await.status == 201
                })
                .await;
                acked += 5;
            }
            (payer, acked)
        }
    });
    let acked = join_all(payers).await;
    cutter.await.unwrap();
    for (payer, acked) in acked {
        assert_eq!(shop.balance(payer).await, BALANCE - acked);
    }
    shop.assert_books_balance().await;
}

/// A payment of 10 of the n-th payer, as the store takes it.
fn payment_of(payer: u32, idempotency_key: String) -> NewPayment {
    NewPayment {
        user_id: seed::user_id(payer),
        merchant_id: seed::merchant_id(1),
        amount: MinorUnits::new(10).unwrap(),
        currency: Currency::CNY,
        reference: None,
        idempotency_key,
    }
}

#[tokio::test]
async fn f65_a_shard_that_is_down_is_told_from_one_that_is_up_and_comes_back() {
    let lost = Postgres::start();
    let kept = super::servers::postgres().await.database().await;
    // Batches wait for their lock as long as this test needs to take the shard away under them.
    let gone = format!(
        "{}?options=-c%20lock_timeout%3D60000%20-c%20statement_timeout%3D60000",
        lost.url("payments")
    );
    let admin = connect::administer(&lost.url("postgres")).await.unwrap();
    admin
        .client
        .batch_execute("CREATE DATABASE payments")
        .await
        .unwrap();
    let mut connection = connect::administer(&gone).await.unwrap();
    payment_svc::migrate::migrate(&mut connection.client)
        .await
        .unwrap();
    let urls = vec![gone, kept];
    shop::seed(&urls).await;
    let shop = Shop::over(urls.clone(), CacheConfig::default()).await;
    let on = |index: usize| {
        (1..=shop::PAYERS)
            .find(|payer| shop.shard_url(*payer) == urls[index])
            .unwrap()
    };
    let (down, up) = (on(0), on(1));
    assert_eq!(shop.pay(down, 10, "before").await.status, 201);
    let shop = Arc::new(shop);
    let locker = Locker::of(&shop, down).await;
    let mut held = Vec::new();
    for lane in 1..=2 {
        let paying = Arc::clone(&shop);
        let payment = payment_of(down, format!("held-{lane}"));
        // More patient than any client: the shard may take its time to recover.
        let deadline = Instant::now() + Duration::from_mins(2);
        held.push(tokio::spawn(async move {
            paying.store.book(payment, deadline).await
        }));
        locker.until_waiting(lane).await;
    }
    lost.crash();
    drop(locker);
    eventually("the loss is noticed", async || {
        let request = post("/v1/payments", "while", payment(down, 10).to_string());
        let answer = shop.send(within(1_000, request)).await;
        answer.code() == "store_unavailable" && answer.body["charged"] == false
    })
    .await;
    assert!(
        held.iter().all(|paying| !paying.is_finished()),
        "noticed although both lanes still hold a batch"
    );
    let other = shop.pay(up, 10, "while").await;
    assert_eq!(other.status, 201, "the other shard goes on");
    lost.recover();
    eventually("the shard is used again", async || {
        shop.pay(down, 10, "while").await.status == 201
    })
    .await;
    for answer in join_all(held).await {
        let outcome = answer.unwrap();
        assert!(
            matches!(outcome, Ok(PaymentOutcome::Booked(_))),
            "sent again by its lane: {outcome:?}"
        );
    }
    assert!(shop.pay(down, 10, "before").await.replayed());
    assert_eq!(shop.balance(down).await, BALANCE - 40);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn one_payment_the_books_refuse_does_not_fail_the_others_of_its_batch() {
    let shop = Arc::new(Shop::open().await);
    let url = shop.shard_url(1).to_owned();
    let admin = connect::administer(&url).await.unwrap();
    admin
        .client
        .batch_execute("ALTER TABLE payments ADD CHECK (amount_minor <> 13)")
        .await
        .unwrap();
    let asks = (0..40_i64).map(|n| {
        let (shop, amount) = (&shop, if n == 20 { 13 } else { 1 });
        async move { (amount, shop.pay(1, amount, &format!("k-{n}")).await) }
    });
    for (amount, answer) in join_all(asks).await {
        if amount == 13 {
            assert_eq!((answer.status, answer.code()), (500, "internal"));
            assert_eq!(answer.body["charged"], false);
            assert!(
                !answer.body.to_string().contains("check"),
                "nothing of the database"
            );
        } else {
            assert_eq!(answer.status, 201, "{:?}", answer.body);
        }
    }
    assert_eq!(shop.balance(1).await, BALANCE - 39);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p7_a_look_up_waits_for_the_payment_that_is_still_at_work() {
    let shop = Arc::new(Shop::open().await);
    let locker = Locker::of(&shop, 5).await;
    let paying = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay(5, 10, "slow").await }
    });
    locker.until_waiting(1).await;
    let finding = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move {
            shop.get("/v1/payments?user_id=u-000005&idempotency_key=slow")
                .await
        }
    });
    eventually("both are at work", async || shop.gate.in_flight() == 2).await;
    drop(locker);
    let paid = paying.await.unwrap();
    let found = finding.await.unwrap();
    assert_eq!((found.status, &found.body), (200, &paid.body));
}

#[tokio::test]
async fn p8_a_look_up_is_not_answered_late_and_tells_nothing_of_charges() {
    let shop = Shop::open().await;
    let locker = Locker::of(&shop, 6).await;
    let path = "/v1/payments?user_id=u-000006&idempotency_key=any";
    let request = axum::http::Request::get(path)
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = shop.send(within(300, request)).await;
    assert_eq!((answer.status, answer.code()), (503, "overloaded"));
    assert!(answer.body["charged"].is_null(), "{}", answer.body);
    let cut_off = shop.get(path).await;
    assert_eq!(
        (cut_off.status, cut_off.code()),
        (503, "store_unavailable"),
        "the shard itself gives the lock up"
    );
    assert!(cut_off.body["charged"].is_null(), "{}", cut_off.body);
    drop(locker);
}

#[tokio::test]
async fn a_replica_that_is_gone_is_answered_for_by_the_primary() {
    let postgres = super::servers::postgres().await;
    let urls = vec![postgres.database().await];
    shop::seed(&urls).await;
    let address = ShardAddress {
        primary: urls[0].clone(),
        replica: Some("postgres://payments@127.0.0.1:1/gone".to_owned()),
    };
    let shop = Shop::over_addresses(vec![address], CacheConfig::default()).await;
    let account = shop.get("/v1/accounts/u-000001").await;
    assert_eq!(
        (account.status, account.body["balance_minor"].as_i64()),
        (200, Some(BALANCE))
    );
}

#[tokio::test]
async fn accounts_are_shown_from_the_replica_and_payments_decided_on_the_primary() {
    let postgres = super::servers::postgres().await;
    let (primary, replica) = (postgres.database().await, postgres.database().await);
    shop::seed(std::slice::from_ref(&primary)).await;
    shop::seed(std::slice::from_ref(&replica)).await;
    let address = ShardAddress {
        primary,
        replica: Some(replica),
    };
    let shop = Shop::over_addresses(vec![address], CacheConfig::default()).await;
    assert_eq!(shop.pay(1, BALANCE, "all").await.status, 201);
    let shown = shop.get("/v1/accounts/u-000001").await;
    assert_eq!(
        shown.body["balance_minor"], BALANCE,
        "the stand-in replica lags for ever"
    );
    assert_eq!(
        shop.pay(1, 1, "one more").await.status,
        402,
        "no balance is checked on a replica"
    );
}
