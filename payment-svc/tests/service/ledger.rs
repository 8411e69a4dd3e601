//! Migrations, seeds, and what the tables themselves refuse.

use std::sync::OnceLock;

use futures::future::join_all;
use payment_svc::migrate::{MigrateError, migrate};
use payment_svc::store::connect;
use proptest::prelude::*;

use super::servers;
use super::shop::{BALANCE, PAYERS, Shop, number, seed};

#[tokio::test]
async fn migrations_are_applied_once_however_many_pods_start() {
    let postgres = servers::postgres().await;
    let admin = connect::administer(&postgres.url("postgres"))
        .await
        .unwrap();
    admin
        .client
        .batch_execute("CREATE DATABASE empty_shard")
        .await
        .unwrap();
    let url = postgres.url("empty_shard");
    let pods = (0..4).map(|_| async {
        let mut connection = connect::administer(&url).await.unwrap();
        migrate(&mut connection.client).await.unwrap()
    });
    let applied = join_all(pods).await;
    assert_eq!(applied.iter().sum::<usize>(), 3, "{applied:?}");
    assert_eq!(
        number(&url, "SELECT count(*) FROM schema_migrations", &[]).await,
        3
    );
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_applied_is_refused() {
    let url = servers::postgres().await.database().await;
    let mut connection = connect::administer(&url).await.unwrap();
    assert_eq!(migrate(&mut connection.client).await.unwrap(), 0);
    connection
        .client
        .batch_execute("UPDATE schema_migrations SET checksum = '\\x00' WHERE version = 2")
        .await
        .unwrap();
    let error = migrate(&mut connection.client).await.unwrap_err();
    assert!(
        matches!(error, MigrateError::Changed { version: 2, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn f84_a_schema_ahead_of_the_binary_is_accepted() {
    let url = servers::postgres().await.database().await;
    let mut connection = connect::administer(&url).await.unwrap();
    connection
        .client
        .batch_execute("INSERT INTO schema_migrations VALUES (999, 'later', '\\x00')")
        .await
        .unwrap();
    assert_eq!(migrate(&mut connection.client).await.unwrap(), 0);
}

#[tokio::test]
async fn seeding_twice_changes_nothing_and_balances() {
    let shop = Shop::open().await;
    assert_eq!(shop.pay(1, 10, "k").await.status, 201);
    seed(&shop.urls).await;
    assert_eq!(shop.balance(1).await, BALANCE - 10);
    let mut users = 0;
    for url in &shop.urls {
        users += number(
            url,
            "SELECT count(*) FROM accounts WHERE kind = 'user'",
            &[],
        )
        .await;
    }
    assert_eq!(users, i64::from(PAYERS));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn p3_entries_cannot_be_changed_or_deleted() {
    let shop = Shop::open().await;
    assert_eq!(shop.pay(1, 10, "k").await.status, 201);
    let connection = connect::administer(shop.shard_url(1)).await.unwrap();
    for sql in [
        "UPDATE entries SET amount_minor = 1",
        "DELETE FROM entries",
        "TRUNCATE entries",
    ] {
        assert!(connection.client.batch_execute(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn p4_the_table_itself_refuses_an_overdraft_and_an_excess_refund() {
    let shop = Shop::open().await;
    assert_eq!(shop.pay(1, 10, "k").await.status, 201);
    let connection = connect::administer(shop.shard_url(1)).await.unwrap();
    for sql in [
        "UPDATE accounts SET balance_minor = -1 WHERE id = 'u-000001'",
        "UPDATE payments SET refunded_minor = amount_minor + 1",
        "UPDATE payments SET refunded_minor = -1",
    ] {
        assert!(connection.client.batch_execute(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn p2_one_key_twice_in_one_batch_has_one_effect() {
    let shop = Shop::open().await;
    let connection = connect::administer(shop.shard_url(1)).await.unwrap();
    let rows = connection
        .client
        .query(
            "SELECT ord, outcome, payment_id, replayed FROM book_payments(
                ARRAY['pay_a', 'pay_b', 'pay_c'], array_fill('u-000001'::text, ARRAY[3]),
                array_fill('m-0001'::text, ARRAY[3]), array_fill(0::smallint, ARRAY[3]),
                ARRAY[5, 5, 6]::bigint[], array_fill('CNY'::text, ARRAY[3]),
                array_fill(NULL::text, ARRAY[3]), array_fill('k'::text, ARRAY[3]),
                ARRAY[sha256('x'), sha256('x'), sha256('y')])",
            &[],
        )
        .await
        .unwrap();
    let recorded: Vec<(i32, String, String, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    assert_eq!(
        recorded[0],
        (1, "booked".to_owned(), "pay_a".to_owned(), false)
    );
    assert_eq!(
        recorded[1],
        (2, "booked".to_owned(), "pay_a".to_owned(), true)
    );
    assert_eq!(recorded[2].1, "key_reused");
    assert_eq!(shop.balance(1).await, BALANCE - 5);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_empty_batch_books_nothing() {
    let shop = Shop::open().await;
    let sql =
        "SELECT count(*) FROM book_payments('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";
    assert_eq!(number(shop.shard_url(1), sql, &[]).await, 0);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Pay {
        payer: u32,
        amount_minor: i64,
        key: u8,
    },
    Refund {
        of: usize,
        amount_minor: i64,
        key: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=4_u32, 1..=6_000_i64, 0..20_u8)
            .prop_map(|(payer, amount_minor, key)| Step::Pay { payer, amount_minor, key }),
        1 => (0..10_usize, 1..=3_000_i64, 0..20_u8)
            .prop_map(|(of, amount_minor, key)| Step::Refund { of, amount_minor, key }),
    ]
}

async fn live_through(steps: &[Step]) {
    let shop = Shop::open().await;
    let mut paid = Vec::new();
    for chunk in steps.chunks(8) {
        let answers = join_all(chunk.iter().map(|step| {
            let (shop, paid) = (&shop, &paid);
            async move {
                match step {
                    Step::Pay {
                        payer,
                        amount_minor,
                        key,
                    } => shop.pay(*payer, *amount_minor, &format!("key-{key}")).await,
                    Step::Refund {
                        of,
                        amount_minor,
                        key,
                    } => {
                        let id: &str = paid.get(*of).map_or("pay_x", String::as_str);
                        shop.refund(id, *amount_minor, &format!("key-{key}")).await
                    }
                }
            }
        }))
        .await;
        for answer in answers {
            assert!(matches!(answer.status, 201 | 402 | 404 | 422), "{answer:?}");
            let is_payment = answer.body["user_id"].is_string() && !answer.replayed();
            if answer.status == 201 && is_payment {
                paid.push(answer.id());
            }
        }
    }
    shop.assert_books_balance().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn p3_entries_sum_to_zero_after_random_operations(steps in prop::collection::vec(step(), 1..60)) {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
        runtime.block_on(live_through(&steps));
    }
}
