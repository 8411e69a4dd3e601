//! Waiting on a condition, always with a bound.

use std::future::Future;
use std::time::{Duration, Instant};

/// A condition that did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("{condition} did not happen within {} s", bound.as_secs())]
pub struct TimedOut {
    /// What was waited for, as the subject of a sentence.
    pub condition: String,
    /// How long it was waited for.
    pub bound: Duration,
}

/// How long to rest between two looks at a condition: short against the second or so that most
/// servers need, long against what one look costs.
const PERIOD: Duration = Duration::from_millis(100);

/// Waits until `probe` answers true, at most for `bound`.
pub async fn until<F, Fut>(condition: &str, bound: Duration, mut probe: F) -> Result<(), TimedOut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let begin = Instant::now();
    loop {
        if probe().await {
            return Ok(());
        }
        if begin.elapsed() >= bound {
            return Err(TimedOut {
                condition: condition.to_owned(),
                bound,
            });
        }
        tokio::time::sleep(PERIOD).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_that_never_holds_ends_with_its_name() {
        let error = until("the moon", Duration::ZERO, || async { false })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "the moon did not happen within 0 s");
    }

    #[tokio::test]
    async fn a_condition_is_looked_at_again_until_it_holds() {
        let mut looks = 0;
        until("the third look", Duration::from_secs(5), || {
            looks += 1;
            let holds = looks == 3;
            async move { holds }
        })
        .await
        .unwrap();
        assert_eq!(looks, 3);
    }
}
