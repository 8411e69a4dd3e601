//! Reads of accounts, merchants and payments through the cache.
//!
//! Invariant: nothing read here decides anything; the ledger decides by its own rows.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;

use crate::cache::{Cache, FetchError, LoadError, kind};
use crate::control::{WarmError, WarmTarget};
use crate::ids;
use crate::order::PaymentView;
use crate::store::{Store, StoreError};

/// Reads through the cache; every value is the JSON to answer with.
pub struct ReadCache {
    store: Arc<Store>,
    cache: Arc<Cache>,
}

impl ReadCache {
    /// Reads of a store through a cache.
    pub fn new(store: Arc<Store>, cache: Arc<Cache>) -> Self {
        Self { store, cache }
    }

    /// A user's account.
    pub async fn account(&self, user_id: &str) -> Result<Option<Bytes>, FetchError> {
        if !ids::is_account_id(user_id) {
            return Ok(None);
        }
        let (store, user_id) = (Arc::clone(&self.store), user_id.to_owned());
        self.cache
            .fetch(&account_key(&user_id), &kind::ACCOUNT, move || async move {
                encoded(store.account(&user_id).await)
            })
            .await
    }

    /// A merchant.
    pub async fn merchant(&self, merchant_id: &str) -> Result<Option<Bytes>, FetchError> {
        if !ids::is_account_id(merchant_id) {
            return Ok(None);
        }
        let (store, merchant_id) = (Arc::clone(&self.store), merchant_id.to_owned());
        self.cache
            .fetch(
                &format!("merchant:{merchant_id}"),
                &kind::MERCHANT,
                move || async move { encoded(store.merchant(&merchant_id).await) },
            )
            .await
    }

    /// A payment.
    pub async fn payment(&self, id: &str) -> Result<Option<Bytes>, FetchError> {
        if ids::Slot::of_payment(id).is_none() {
            return Ok(None);
        }
        let (store, id) = (Arc::clone(&self.store), id.to_owned());
        self.cache
            .fetch(&payment_key(&id), &kind::PAYMENT, move || async move {
                let payment = store.payment(&id).await;
                encoded(payment.map(|payment| payment.map(PaymentView::from)))
            })
            .await
    }

    /// Forgets what a refund changed.
    pub async fn forget_refunded(&self, payment_id: &str, user_id: &str) {
        self.cache.invalidate(&payment_key(payment_id)).await;
        self.cache.invalidate(&account_key(user_id)).await;
    }
}

impl WarmTarget for ReadCache {
    fn load(&self, key: String) -> BoxFuture<'_, Result<bool, WarmError>> {
        async move {
            let value = match key.split_once(':') {
                Some(("merchant", id)) => self.merchant(id).await,
                Some(("account", id)) => self.account(id).await,
                Some(("payment", id)) => self.payment(id).await,
                _ => Ok(None),
            };
            value
                .map(|value| value.is_some())
                .map_err(|error| WarmError(error.to_string()))
        }
        .boxed()
    }

    fn open_pools(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        async move {
            self.store
                .open()
                .await
                .map_err(|error| WarmError(error.to_string()))
        }
        .boxed()
    }

    fn self_test(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        async move {
            self.store
                .self_test()
                .await
                .map_err(|error| WarmError(error.to_string()))
        }
        .boxed()
    }
}

fn encoded<T: Serialize>(
    loaded: Result<Option<T>, StoreError>,
) -> Result<Option<Bytes>, LoadError> {
    let value = loaded.map_err(|error| LoadError::new(&error))?;
    let bytes = value.map(|value| serde_json::to_vec(&value)).transpose();
    bytes
        .map(|bytes| bytes.map(Bytes::from))
        .map_err(|error| LoadError::new(&error))
}

fn account_key(user_id: &str) -> String {
    format!("account:{user_id}")
}

fn payment_key(id: &str) -> String {
    format!("payment:{id}")
}
