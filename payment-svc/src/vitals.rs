//! Tasks a pod cannot do without: when one ends by itself, the pod ends too and is replaced.
//!
//! A pod that has lost its writer lanes or its control port otherwise stays, and looks alive.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

/// Watches tasks; clones watch for the same pod.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    lost: CancellationToken,
}

impl Vitals {
    /// Runs a task that may end only after `stop`; any other end, and every panic, is logged and
    /// ends [`Vitals::lost`].
    pub async fn watch(self, name: &'static str, stop: CancellationToken, task: impl Future) {
        // Nothing of the task is used after a panic: the process ends.
        let ended = AssertUnwindSafe(task).catch_unwind().await;
        if ended.is_err() || !stop.is_cancelled() {
            tracing::error!(
                task = name,
                panicked = ended.is_err(),
                "a task ended by itself"
            );
            self.lost.cancel();
        }
    }

    /// Ends when a watched task has ended by itself.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_noticed_also_while_stopping() {
        for stopping in [false, true] {
            let (vitals, stop) = (Vitals::default(), CancellationToken::new());
            if stopping {
                stop.cancel();
            }
            let task = async { panic!("as a task would") };
            tokio::spawn(vitals.clone().watch("task", stop, task))
                .await
                .unwrap();
            vitals.lost().await;
        }
    }

    #[tokio::test]
    async fn an_end_before_the_stop_is_noticed() {
        let vitals = Vitals::default();
        let stop = CancellationToken::new();
        vitals.clone().watch("task", stop, async {}).await;
        vitals.lost().await;
    }

    #[tokio::test]
    async fn an_end_after_the_stop_is_in_order() {
        let (vitals, stop) = (Vitals::default(), CancellationToken::new());
        stop.cancel();
        vitals.clone().watch("task", stop, async {}).await;
        assert!(vitals.lost().now_or_never().is_none());
    }
}
