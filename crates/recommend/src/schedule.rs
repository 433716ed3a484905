//! When models are trained: by command, by enough news, or because it is time; and the worker that does it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use contract::{
    activity::CountInteractions,
    jobs::JobKind,
    recommend::{Recommend as _, StartTraining},
};
use tokio_util::sync::CancellationToken;

use crate::{Config, Room, training::Trainer};

impl Room {
    /// Works on trainings that were asked for, here or in another process, until `stop`.
    pub async fn run_worker(self: Arc<Self>, stop: CancellationToken) {
        let queue = self.queue.clone();
        queue
            .run(Arc::new(Trainer::new(self)), vec![JobKind::Train], 1, stop)
            .await;
    }

    /// Asks for a training whenever there is enough to learn, until `stop`.
    pub async fn run_schedule(self: Arc<Self>, stop: CancellationToken) {
        if !self.config.auto_train {
            return;
        }
        let every = Duration::from_millis(self.config.train_check_ms.max(100));
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            if let Err(error) = self.train_if_due().await {
                tracing::warn!(error = format!("{error:#}"), "whether to train could not be decided");
            }
        }
    }

    /// Queues a training if there is enough news; says whether it did.
    pub async fn train_if_due(&self) -> anyhow::Result<bool> {
        let changes = self.activity.count(CountInteractions {}).await?.changes;
        let last = self.store.last_training().await?;
        // A training that failed left no record; it is not asked for again for the same reason.
        let asked = self.asked_at_changes.load(Ordering::Acquire);
        let known = last.map_or(0, |(changes, _)| changes).max(asked);
        let is_first = last.is_none() && asked == 0;
        let age_ms = last.map_or(0, |(_, at)| self.inputs.now_ms() - at);
        if !is_due(&self.config, known, changes, is_first, age_ms) {
            return Ok(false);
        }
        self.asked_at_changes.store(changes, Ordering::Release);
        let job = self.train(StartTraining {}).await?;
        tracing::info!(job = %job.id, changes, known, "enough is new: training");
        Ok(true)
    }
}

/// `known`: changes that the last training saw; `changes`: those there are now.
fn is_due(config: &Config, known: u64, changes: u64, is_first: bool, age_ms: i64) -> bool {
    let new = changes.saturating_sub(known);
    let share = (known as f64 * config.train_changes_share) as u64;
    let enough = if is_first {
        config.train_changes_first
    } else {
        config.train_changes_min.max(share)
    };
    let is_much = new >= enough;
    let is_time = !is_first && new > 0 && age_ms >= i64::try_from(config.train_every_ms).unwrap_or(i64::MAX);
    new > 0 && (is_much || is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_news_or_a_long_time_makes_it_due() {
        let config = Config {
            train_changes_first: 20,
            train_changes_min: 100,
            train_changes_share: 0.1,
            train_every_ms: 1_000,
            ..Config::default()
        };
        assert!(is_due(&config, 0, 20, true, 0), "the first model");
        assert!(!is_due(&config, 0, 19, true, 0));
        assert!(!is_due(&config, 50, 149, false, 0));
        assert!(is_due(&config, 50, 150, false, 0));
        assert!(
            !is_due(&config, 10_000, 10_500, false, 999),
            "five per cent of what is known"
        );
        assert!(is_due(&config, 10_000, 11_000, false, 0));
        assert!(is_due(&config, 10_000, 10_001, false, 1_000));
        assert!(!is_due(&config, 10_000, 10_000, false, i64::MAX), "nothing is new");
    }
}
