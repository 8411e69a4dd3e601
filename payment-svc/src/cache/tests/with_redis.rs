//! Two pods over one Redis, and a Redis that fails in every way.

use std::time::Instant;

use super::server::RedisServer;
use super::*;

/// Bound of every wait for something to happen in the background.
const SOON: Duration = Duration::from_secs(10);

/// Time after which a Redis that fails is given up, where that is what a test is about.
const QUICK: Duration = Duration::from_millis(50);

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !done().await {
        assert!(since.elapsed() < SOON, "it did not happen");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_one_pod_loaded_the_next_one_takes_from_redis() {
    let redis = RedisServer::start();
    let store = Store::default();
    let (first, _hand, metrics) = cache(Some(redis.url()));
    fetch(&first, KEY, &store, Ok(Some("v")))
        .await
        .expect("loaded");
    until(async || {
        let (other, _hand, _metrics) = cache(Some(redis.url()));
        other.prefetch(&[KEY, "merchant:m-9999", "nonsense"]).await == [true, false, false]
    })
    .await;
    let (other, _hand, metrics_of_other) = cache(Some(redis.url()));
    assert_eq!(text(&fetch(&other, KEY, &store, Ok(None)).await), Some("v"));
    assert_eq!(store.asked(), 1);
    assert_eq!(metrics.cache_count(Tier::L2, Outcome::Miss), 1);
    assert_eq!(metrics_of_other.cache_count(Tier::L2, Outcome::Hit), 1);
}

#[tokio::test]
async fn what_one_pod_forgets_is_gone_from_redis() {
    let redis = RedisServer::start();
    let store = Store::default();
    let (first, _hand, _metrics) = cache(Some(redis.url()));
    fetch(&first, KEY, &store, Ok(Some("v")))
        .await
        .expect("loaded");
    until(async || {
        let (other, _hand, _metrics) = cache(Some(redis.url()));
        other.prefetch(&[KEY]).await == [true]
    })
    .await;
    first.invalidate(KEY).await;
    let (other, _hand, _metrics) = cache(Some(redis.url()));
    assert_eq!(
        text(&fetch(&other, KEY, &store, Ok(Some("new"))).await),
        Some("new")
    );
    assert_eq!(store.asked(), 2);
}

#[tokio::test]
async fn f73_without_redis_everything_is_served_and_redis_is_used_again_when_it_is_back() {
    let mut redis = RedisServer::start();
    let store = Store::default();
    let (cache, hand, metrics) = cache_with(Some(redis.url()), QUICK);
    fetch(&cache, KEY, &store, Ok(Some("v")))
        .await
        .expect("loaded");
    redis.kill();
    for key in 0..50 {
        let key = format!("merchant:down-{key}");
        assert_eq!(
            text(&fetch(&cache, &key, &store, Ok(Some("v"))).await),
            Some("v")
        );
    }
    assert_eq!(store.asked(), 51);
    assert!(metrics.cache_count(Tier::L2, Outcome::Error) >= 50);
    redis.restart();
    let answered = || {
        metrics.cache_count(Tier::L2, Outcome::Miss) + metrics.cache_count(Tier::L2, Outcome::Hit)
    };
    let before = answered();
    let mut round = 0;
    until(async || {
        round += 1;
        hand.advance(Duration::from_secs(9));
        let key = format!("merchant:back-{round}");
        fetch(&cache, &key, &store, Ok(Some("v")))
            .await
            .expect("loaded");
        answered() > before
    })
    .await;
}

#[tokio::test]
async fn f74_an_emptied_redis_costs_loads_and_nothing_else() {
    let redis = RedisServer::start();
    let store = Store::default();
    let (cache, hand, _metrics) = cache(Some(redis.url()));
    fetch(&cache, KEY, &store, Ok(Some("v")))
        .await
        .expect("loaded");
    redis.command(&["FLUSHALL"]);
    hand.advance(Duration::from_secs(601));
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("w"))).await),
        Some("w")
    );
    assert_eq!(store.asked(), 2);
    redis.command(&["SET", KEY, "garbage of another program"]);
    hand.advance(Duration::from_secs(601));
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("x"))).await),
        Some("x")
    );
}

#[tokio::test]
async fn f75_a_redis_that_hangs_costs_some_timeouts_and_is_then_left_alone() {
    let redis = RedisServer::start();
    let store = Store::default();
    let (cache, _hand, metrics) = cache_with(Some(redis.url()), QUICK);
    fetch(&cache, "merchant:m-0000", &store, Ok(Some("v")))
        .await
        .expect("loaded");
    redis.freeze(true);
    let since = Instant::now();
    for key in 0..200 {
        let key = format!("merchant:hung-{key}");
        assert_eq!(
            text(&fetch(&cache, &key, &store, Ok(Some("v"))).await),
            Some("v")
        );
    }
    let took = since.elapsed();
    redis.freeze(false);
    assert!(metrics.cache_count(Tier::L2, Outcome::Error) >= 200);
    // Without the breaker: 200 time-outs of 50 ms, 10 s.
    assert!(took < Duration::from_secs(5), "{took:?}");
}
