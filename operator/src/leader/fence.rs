//! A layer of the Kubernetes client that lets writes pass only while this process leads.
//!
//! Leadership is checked in one place, at the last moment before a request leaves, instead of at
//! every call: a leader that was paused past its lease and wakes sends nothing (F51).

use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use http::{Method, Request};
use tokio::{sync::watch, time::Instant};
use tower::{BoxError, Layer, Service};

use super::Leadership;

/// A write was stopped because this process does not hold the lease.
#[derive(Debug, thiserror::Error)]
#[error("not sent: this process does not hold the lease")]
pub struct NotLeader;

/// Wraps a client service in a [`Fence`].
#[derive(Clone, Debug)]
pub struct FenceLayer {
    leadership: watch::Receiver<Leadership>,
}

impl FenceLayer {
    /// A layer that follows `leadership`.
    pub fn new(leadership: watch::Receiver<Leadership>) -> Self {
        Self { leadership }
    }
}

impl<S> Layer<S> for FenceLayer {
    type Service = Fence<S>;

    fn layer(&self, inner: S) -> Fence<S> {
        Fence {
            inner,
            leadership: self.leadership.clone(),
        }
    }
}

/// Passes reads always and writes only while leading.
#[derive(Clone, Debug)]
pub struct Fence<S> {
    inner: S,
    leadership: watch::Receiver<Leadership>,
}

impl<S, B> Service<Request<B>> for Fence<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<
        Ready<Result<S::Response, BoxError>>,
        futures::future::MapErr<S::Future, fn(S::Error) -> BoxError>,
    >;

    fn poll_ready(&mut self, ctx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(ctx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !reads && !self.leadership.borrow().may_write(Instant::now()) {
            return Either::Left(ready(Err(NotLeader.into())));
        }
        let into_box: fn(S::Error) -> BoxError = Into::into;
        Either::Right(futures::TryFutureExt::map_err(
            self.inner.call(request),
            into_box,
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tower::{ServiceExt, service_fn};

    use super::*;

    async fn send(method: Method, leadership: Leadership) -> bool {
        let (_sender, receiver) = watch::channel(leadership);
        let inner = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(()) });
        let request = Request::builder().method(method).body(()).unwrap();
        FenceLayer::new(receiver)
            .layer(inner)
            .oneshot(request)
            .await
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn f51_s6_writes_pass_only_while_the_lease_is_held() {
        let leading = Leadership {
            taken_over: false,
            until: Some(Instant::now() + Duration::from_secs(5)),
        };
        assert!(send(Method::GET, Leadership::default()).await);
        assert!(!send(Method::PATCH, Leadership::default()).await);
        assert!(send(Method::PATCH, leading).await);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(
            !send(Method::PATCH, leading).await,
            "a paused leader wakes and writes nothing"
        );
        assert!(send(Method::GET, leading).await);
    }
}
