//! The relay: events reach the stream once, in order, also when it was down.

use async_nats::jetstream::{self, consumer};
use futures::StreamExt;
use payment_svc::events::{self, Relayed};
use payment_svc::gate::{Clock, Gate, GateConfig};
use tokio_util::sync::CancellationToken;

use super::servers::{Nats, free_port};
use super::shop::{Shop, eventually, number};

async fn waiting(shop: &Shop) -> i64 {
    let mut rows = 0;
    for url in &shop.urls {
        rows += number(url, "SELECT count(*) FROM outbox", &[]).await;
    }
    rows
}

async fn received(context: &jetstream::Context) -> Vec<serde_json::Value> {
    let mut stream = context.get_stream(events::STREAM).await.unwrap();
    let count = stream.info().await.unwrap().state.messages;
    let config = consumer::pull::OrderedConfig::default();
    let messages = stream
        .create_consumer(config)
        .await
        .unwrap()
        .messages()
        .await
        .unwrap();
    messages
        .take(usize::try_from(count).unwrap())
        .map(|message| serde_json::from_slice(&message.unwrap().payload).unwrap())
        .collect()
        .await
}

#[tokio::test]
async fn every_payment_and_refund_is_told_once_and_in_order() {
    let shop = Shop::open().await;
    let nats = Nats::start();
    let context = events::open(&nats.url).await.unwrap();
    let paid = shop.pay(1, 100, "buy").await.id();
    let refund = shop.refund(&paid, 30, "back").await.id();
    for shard in shop.store.shards() {
        events::relay_batch(&context, shard, &shop.metrics)
            .await
            .unwrap();
        let again = events::relay_batch(&context, shard, &shop.metrics)
            .await
            .unwrap();
        assert_eq!(again, Relayed::Nothing);
    }
    let events = received(&context).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[0]["type"], "payment.succeeded");
    assert_eq!(events[0]["payment_id"], paid.as_str());
    assert_eq!(events[1]["type"], "payment.refunded");
    assert_eq!(events[1]["refund_id"], refund.as_str());
    assert_eq!(waiting(&shop).await, 0);
}

#[tokio::test]
async fn events_sent_twice_are_dropped_by_the_stream() {
    let shop = Shop::open().await;
    let nats = Nats::start();
    let context = events::open(&nats.url).await.unwrap();
    assert_eq!(shop.pay(1, 100, "buy").await.status, 201);
    let url = shop.shard_url(1).to_owned();
    let copy = "WITH o AS (SELECT topic, message_id, payload FROM outbox),
        i AS (INSERT INTO outbox (topic, message_id, payload) SELECT * FROM o RETURNING 1)
        SELECT count(*) FROM i";
    assert_eq!(number(&url, copy, &[]).await, 1);
    for shard in shop.store.shards() {
        events::relay_batch(&context, shard, &shop.metrics)
            .await
            .unwrap();
    }
    assert_eq!(received(&context).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_stream_is_down_payments_go_on_and_events_wait() {
    let shop = Shop::open().await;
    let port = free_port();
    let stop = CancellationToken::new();
    let gate = Gate::new(
        &GateConfig::default(),
        shop.metrics.clone(),
        Clock::system(),
    );
    let relay = tokio::spawn(events::run(
        format!("nats://127.0.0.1:{port}"),
        shop.store.shards().to_vec(),
        gate,
        shop.metrics.clone(),
        stop.clone(),
    ));
    for payer in 1..=5 {
        assert_eq!(shop.pay(payer, 100, "buy").await.status, 201);
    }
    assert_eq!(waiting(&shop).await, 5);
    let nats = Nats::start_on(port);
    eventually("the outboxes are empty", async || waiting(&shop).await == 0).await;
    let context = events::open(&nats.url).await.unwrap();
    assert_eq!(received(&context).await.len(), 5);
    stop.cancel();
    relay.await.unwrap();
}
