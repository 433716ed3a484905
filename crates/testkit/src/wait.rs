//! Owns waiting for what is promised soon but not at once: asked again and again, for a limited time, never slept through.

use std::time::{Duration, Instant};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(25);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none in time; `what` says for what it waited.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
