//! The cache under those who ask at once, and under a Redis that fails.

use std::sync::atomic::AtomicU32;

use futures::future::join_all;
use tokio::sync::Notify;

use super::*;
use crate::gate::ClockHand;

mod server;
mod with_redis;

const KEY: &str = "merchant:m-0001";

/// A store that counts how often it is asked.
#[derive(Clone, Default)]
struct Store {
    asked: Arc<AtomicU32>,
    at_once: Arc<AtomicU32>,
    most_at_once: Arc<AtomicU32>,
}

impl Store {
    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer(
        self,
        answer: Result<Option<&'static str>, &'static str>,
    ) -> Result<Option<Bytes>, LoadError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        // Long enough for everybody to be waiting: many turns of the runtime, no clock.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match answer {
            Ok(value) => Ok(value.map(|value| Bytes::from_static(value.as_bytes()))),
            Err(error) => Err(LoadError::new(&error)),
        }
    }
}

fn cache(url: Option<String>) -> (Arc<Cache>, ClockHand, Arc<Metrics>) {
    // A busy machine is not a Redis that fails.
    cache_with(url, Duration::from_secs(5))
}

fn cache_with(
    url: Option<String>,
    redis_timeout: Duration,
) -> (Arc<Cache>, ClockHand, Arc<Metrics>) {
    let metrics = Metrics::new(1);
    let (clock, hand) = Clock::manual();
    let config = CacheConfig {
        url,
        redis_timeout,
        clock,
        ..CacheConfig::default()
    };
    let cache = Cache::connect(config, Arc::clone(&metrics), LevelWatch::default());
    (cache, hand, metrics)
}

async fn fetch(
    cache: &Arc<Cache>,
    key: &str,
    store: &Store,
    answer: Result<Option<&'static str>, &'static str>,
) -> Loaded {
    let store = store.clone();
    cache
        .fetch(key, &kind::MERCHANT, move || store.answer(answer))
        .await
}

fn text(loaded: &Loaded) -> Option<&str> {
    let bytes = loaded.as_ref().expect("loaded").as_ref()?;
    Some(std::str::from_utf8(bytes).expect("text"))
}

#[tokio::test]
async fn g9_a_thousand_who_miss_at_once_cause_one_load_and_more_are_turned_away() {
    let (cache, _hand, metrics) = cache(None);
    let store = Store::default();
    let all = join_all((0..5_000).map(|_| fetch(&cache, KEY, &store, Ok(Some("v"))))).await;
    assert_eq!(store.asked(), 1);
    let crowded = |loaded: &&Loaded| matches!(loaded, Err(FetchError::Crowded));
    assert_eq!(
        all.iter().filter(crowded).count(),
        4_000,
        "waiters are bounded"
    );
    assert!(
        all.iter()
            .filter(|loaded| loaded.is_ok())
            .all(|loaded| text(loaded) == Some("v"))
    );
    assert_eq!(metrics.cache_count(Tier::Store, Outcome::Hit), 1);
}

#[tokio::test]
async fn g9_an_error_is_shared_and_not_asked_for_again_for_a_moment() {
    let (cache, hand, _metrics) = cache(None);
    let store = Store::default();
    let all = join_all((0..500).map(|_| fetch(&cache, KEY, &store, Err("down")))).await;
    assert!(
        all.iter()
            .all(|loaded| matches!(loaded, Err(FetchError::Load(_))))
    );
    hand.advance(Duration::from_millis(99));
    assert!(fetch(&cache, KEY, &store, Ok(Some("v"))).await.is_err());
    assert_eq!(store.asked(), 1);
    hand.advance(Duration::from_millis(300));
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("v"))).await),
        Some("v")
    );
    assert_eq!(store.asked(), 2);
}

#[tokio::test]
async fn a_first_asker_who_goes_away_does_not_end_the_load() {
    let (cache, _hand, _metrics) = cache(None);
    let store = Store::default();
    let first = tokio::spawn({
        let (cache, store) = (Arc::clone(&cache), store.clone());
        async move { fetch(&cache, KEY, &store, Ok(Some("v"))).await }
    });
    while store.asked() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("other"))).await),
        Some("v")
    );
    assert_eq!(store.asked(), 1);
}

#[tokio::test]
async fn a_loader_that_panics_leaves_nobody_waiting() {
    let (cache, _hand, _metrics) = cache(None);
    let loaded = cache
        .fetch(KEY, &kind::MERCHANT, || async {
            panic!("a bug in a loader")
        })
        .await;
    assert!(loaded.is_err());
    assert!(
        fetch(&cache, KEY, &Store::default(), Ok(Some("v")))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_a_key_for_ever() {
    let (cache, _hand, _metrics) = cache(None);
    let hangs = || async {
        std::future::pending::<()>().await;
        Ok(None)
    };
    let loaded = cache.fetch(KEY, &kind::MERCHANT, hangs).await;
    assert!(matches!(loaded, Err(FetchError::TimedOut)));
}

#[tokio::test]
async fn g10_an_old_value_is_handed_out_at_once_while_one_load_renews_it() {
    let (cache, hand, _metrics) = cache(None);
    let store = Store::default();
    fetch(&cache, KEY, &store, Ok(Some("old")))
        .await
        .expect("loaded");
    hand.advance(Duration::from_secs(75));
    let all = join_all((0..1_000).map(|_| fetch(&cache, KEY, &store, Ok(Some("new"))))).await;
    assert!(
        all.iter().all(|loaded| text(loaded) == Some("old")),
        "nobody waits"
    );
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.asked(), 2);
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(None)).await),
        Some("new")
    );
}

#[tokio::test]
async fn an_old_value_outlives_an_error_up_to_its_hard_age() {
    let (cache, hand, _metrics) = cache(None);
    let store = Store::default();
    fetch(&cache, KEY, &store, Ok(Some("old")))
        .await
        .expect("loaded");
    for _ in 0..5 {
        hand.advance(Duration::from_secs(100));
        assert_eq!(
            text(&fetch(&cache, KEY, &store, Err("down")).await),
            Some("old")
        );
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
    }
    hand.advance(Duration::from_secs(101));
    assert!(fetch(&cache, KEY, &store, Err("down")).await.is_err());
}

#[tokio::test]
async fn what_is_forgotten_during_its_load_is_not_kept() {
    let (cache, _hand, _metrics) = cache(None);
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let load = tokio::spawn({
        let (cache, started, go) = (Arc::clone(&cache), Arc::clone(&started), Arc::clone(&go));
        let loader = || async move {
            started.notify_one();
            go.notified().await;
            Ok(Some(Bytes::from_static(b"before the change")))
        };
        async move { cache.fetch(KEY, &kind::MERCHANT, loader).await }
    });
    started.notified().await;
    cache.invalidate(KEY).await;
    go.notify_one();
    assert_eq!(text(&load.await.expect("ended")), Some("before the change"));
    let store = Store::default();
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("after"))).await),
        Some("after")
    );
}

#[tokio::test]
async fn what_is_absent_is_remembered_until_it_is_forgotten() {
    let (cache, _hand, _metrics) = cache(None);
    let store = Store::default();
    for _ in 0..3 {
        assert_eq!(text(&fetch(&cache, KEY, &store, Ok(None)).await), None);
    }
    assert_eq!(store.asked(), 1);
    cache.invalidate(KEY).await;
    assert_eq!(
        text(&fetch(&cache, KEY, &store, Ok(Some("new"))).await),
        Some("new")
    );
}

// Paused: three hundred loads in turn may take a slow machine longer than one load may.
#[tokio::test(start_paused = true)]
async fn g11_the_store_sees_eight_loads_at_a_time_whatever_is_missing() {
    let (cache, _hand, _metrics) = cache(None);
    let store = Store::default();
    let keys: Vec<String> = (0..300).map(|key| format!("merchant:m-{key:04}")).collect();
    let all = join_all(
        keys.iter()
            .map(|key| fetch(&cache, key, &store, Ok(Some("v")))),
    )
    .await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(store.asked(), 300);
    assert_eq!(store.most_at_once.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn the_status_names_the_keys_asked_for_most() {
    let (cache, _hand, _metrics) = cache(None);
    let store = Store::default();
    for _ in 0..3 {
        fetch(&cache, KEY, &store, Ok(Some("v")))
            .await
            .expect("loaded");
    }
    fetch(&cache, "merchant:m-0002", &store, Ok(Some("v")))
        .await
        .expect("loaded");
    let hottest = cache.hottest(1);
    assert_eq!((hottest[0].key.as_str(), hottest[0].count), (KEY, 3));
}
