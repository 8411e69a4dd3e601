//! A client layer that counts writes, and lets the process "die" after the n-th one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{Method, Request};
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Layer, Service};

/// What the process has written, and when it dies.
#[derive(Clone)]
pub struct Writes {
    count: Arc<AtomicU64>,
    last: Option<u64>,
    reply_lost: bool,
    dead: CancellationToken,
}

impl Writes {
    /// Never dies.
    pub fn unlimited() -> Self {
        Self {
            count: Arc::default(),
            last: None,
            reply_lost: false,
            dead: CancellationToken::new(),
        }
    }

    /// Dies once its `last` write is done.
    pub fn dying_after(last: u64) -> Self {
        Self {
            last: Some(last),
            ..Self::unlimited()
        }
    }

    /// Does its `last` write, never hears the answer, and dies.
    pub fn dying_unanswered_at(last: u64) -> Self {
        Self {
            reply_lost: true,
            ..Self::dying_after(last)
        }
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub fn is_dead(&self) -> bool {
        self.dead.is_cancelled()
    }
}

#[derive(Clone)]
pub struct WritesLayer(pub Writes);

impl<S> Layer<S> for WritesLayer {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting {
            inner,
            writes: self.0.clone(),
        }
    }
}

#[derive(Clone)]
pub struct Counting<S> {
    inner: S,
    writes: Writes,
}

impl<S, B> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, ctx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(ctx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let writes = self.writes.clone();
        if writes.is_dead() {
            return Box::pin(async { Err("the process is dead".into()) });
        }
        let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
        let number = if is_write {
            writes.count.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            0
        };
        let is_last = writes.last == Some(number);
        if writes.last.is_some_and(|last| number > last) {
            return Box::pin(async { Err("the process is dead".into()) });
        }
        let sent = self.inner.call(request);
        Box::pin(async move {
            let answer = sent.await.map_err(Into::into);
            if is_last {
                writes.dead.cancel();
                if writes.reply_lost {
                    return Err("the answer was lost".into());
                }
            }
            answer
        })
    }
}
