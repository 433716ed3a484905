//! Subscriptions and the flusher: what runs beside requests in a process that serves.

use std::{sync::Arc, time::Duration};

use contract::{
    Fault,
    activity::{Activity as _, ForProfileOnly, Progress},
    events::{Event, EventBody},
};
use platform::{
    Bus,
    bus::{Delivery, handler},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Room,
    pending::Waiting,
    rules::Action,
    writer::{Change, Command},
};

const FLUSH_ROWS: usize = 1_000;

impl Room {
    /// Erases deleted profiles, takes deleted titles off lists, and notices what other processes (an import command) write into this database.
    pub async fn subscribe(self: &Arc<Self>, bus: &Bus) -> Result<(), Fault> {
        let room = self.clone();
        let erase = handler(move |events| {
            let room = room.clone();
            Box::pin(async move { room.erase_deleted(&events).await })
        });
        bus.subscribe("activity.erase", Delivery::Durable, erase).await?;
        let room = self.clone();
        let unlist = handler(move |events| {
            let room = room.clone();
            Box::pin(async move { room.unlist_deleted(&events).await })
        });
        bus.subscribe("activity.titles", Delivery::Durable, unlist).await?;
        let room = self.clone();
        let refresh = handler(move |events| {
            let room = room.clone();
            Box::pin(async move {
                room.refresh(&events);
                Ok(())
            })
        });
        bus.subscribe("activity.cache", Delivery::Ephemeral, refresh).await
    }

    /// Writes positions behind until `stop`, and what is left then.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let every = Duration::from_millis(self.config.flush_ms.max(1));
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            self.flush_or_log().await;
        }
        self.flush_or_log().await;
    }

    async fn flush_or_log(&self) {
        metrics::gauge!("activity_positions_waiting").set(self.pending.len() as f64);
        if let Err(error) = self.flush().await {
            metrics::counter!("activity_flush_failures_total").increment(1);
            tracing::warn!(%error, waiting = self.pending.len(), "positions could not be written; they are kept and tried again");
        }
    }

    /// Writes all positions that are waiting.
    pub async fn flush(&self) -> Result<(), contract::activity::ActivityError> {
        let _flushing = self.flushing.lock().await;
        // What arrives meanwhile waits for the next time, so this ends.
        let mut left = self.pending.len();
        while left > 0 {
            let waiting = self.pending.waiting(FLUSH_ROWS);
            if waiting.is_empty() {
                break;
            }
            left = left.saturating_sub(waiting.len());
            self.write(&waiting).await?;
        }
        Ok(())
    }

    /// Writes the positions of one profile.
    pub(crate) async fn flush_profile(
        &self,
        profile: contract::ProfileId,
    ) -> Result<(), contract::activity::ActivityError> {
        if !self.pending.has(profile) {
            return Ok(());
        }
        let _flushing = self.flushing.lock().await;
        self.write_waiting(profile).await
    }

    /// The same, of who holds `flushing`.
    pub(crate) async fn write_waiting(
        &self,
        profile: contract::ProfileId,
    ) -> Result<(), contract::activity::ActivityError> {
        let waiting = self.pending.waiting_of(profile);
        self.write(&waiting).await
    }

    async fn write(&self, waiting: &[Waiting]) -> Result<(), contract::activity::ActivityError> {
        for rows in waiting.chunks(FLUSH_ROWS) {
            let changes = |waiting: &Waiting| {
                let (profile, title) = (waiting.profile, waiting.title);
                let change = move |step: &Progress| Change {
                    profile,
                    title,
                    action: Action::Watch(step.clone()),
                };
                waiting.steps().map(change).collect::<Vec<_>>()
            };
            let changes = rows.iter().flat_map(changes).collect();
            self.writer
                .execute(Command {
                    changes,
                    ratings_of: None,
                })
                .await?;
            self.pending.written(rows);
        }
        Ok(())
    }

    async fn erase_deleted(&self, events: &[Event]) -> anyhow::Result<()> {
        for event in events {
            if let EventBody::ProfileDeleted { profile, .. } = event.body {
                self.erase(ForProfileOnly { profile }).await?;
            }
        }
        Ok(())
    }

    /// A title that is gone is on nobody's list; what they thought of it stays their taste.
    async fn unlist_deleted(&self, events: &[Event]) -> anyhow::Result<()> {
        for event in events {
            let EventBody::TitleDeleted { title } = event.body else {
                continue;
            };
            loop {
                let profiles = self.store.listing(title, FLUSH_ROWS).await?;
                if profiles.is_empty() {
                    break;
                }
                let unlist = |profile| Change {
                    profile,
                    title,
                    action: Action::Unlist,
                };
                let changes = profiles.into_iter().map(unlist).collect();
                let command = Command {
                    changes,
                    ratings_of: None,
                };
                self.writer.execute(command).await?;
            }
            while self.store.forget_removed_of(title, FLUSH_ROWS).await? == FLUSH_ROWS as u64 {
                self.database().give_way().await;
            }
        }
        Ok(())
    }

    fn refresh(&self, events: &[Event]) {
        for event in events {
            match &event.body {
                EventBody::ProfileActed { profile, .. } => self.cache.invalidate(*profile),
                EventBody::InteractionsImported { .. } => self.cache.invalidate_all(),
                _ => {}
            }
        }
    }
}
