//! One subscriber at one source: reads on from its place, hands over, keeps its place.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::anyhow;
use contract::{Code, DoorError, Fault, events::Event};
use futures::FutureExt as _;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Settings, Subscriber};
use crate::{
    clock::Clock,
    db::Db,
    inbox,
    outbox::{self, Position, Stored},
};

pub(super) struct Tail {
    source: Db,
    subscriber: Subscriber,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// How far the subscriber has come, for `Bus::settle`.
    done: watch::Sender<Position>,
    place: Position,
    saved: Position,
    saved_at: Instant,
    /// 1 while a batch that failed is taken apart, to find the fact at which it fails.
    batch: u32,
    /// In a row, whatever the reason: how long to wait before the next.
    failures: u32,
    /// Of the fact that is next, by its own fault: how close it is to being put aside.
    attempts: u32,
}

impl Tail {
    pub(super) fn new(
        source: Db,
        subscriber: Subscriber,
        clock: Arc<dyn Clock>,
        settings: Settings,
        done: watch::Sender<Position>,
    ) -> Self {
        let place = *done.borrow();
        let batch = settings.batch_max;
        let saved_at = Instant::now();
        Self {
            source,
            subscriber,
            clock,
            settings,
            done,
            place,
            saved: place,
            saved_at,
            batch,
            failures: 0,
            attempts: 0,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut woken = self.source.woken();
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            let wait = match self.step().await {
                Ok(true) => continue,
                // With an unsaved place, wait only until it should be saved.
                Ok(false) if self.place == self.saved => Duration::MAX,
                Ok(false) => self.settings.save_every,
                Err(error) => {
                    self.log_failure(&error);
                    self.backoff()
                }
            };
            let failing = self.failures > 0;
            tokio::select! {
                () = stop.cancelled() => {}
                _ = woken.changed(), if !failing => {}
                () = sleep(wait) => {}
            }
        }
        if let Err(error) = self.save().await {
            tracing::warn!(subscriber = self.subscriber.name, %error, "the place was not saved; some facts will come again");
        }
    }

    /// One batch. `false`: there was nothing to do.
    async fn step(&mut self) -> anyhow::Result<bool> {
        let facts = outbox::read(&self.source, self.place, self.batch).await?;
        let Some(last) = facts.last().map(Stored::position) else {
            self.failures = 0;
            self.save_if_due().await?;
            return Ok(false);
        };
        match self.hand_over(&facts).await {
            Ok(()) => {
                self.count(&facts);
                self.batch = (self.batch * 2).min(self.settings.batch_max);
            }
            Err(error) if self.batch > 1 => {
                // Once more, one by one: all but the one at fault get through.
                self.batch = 1;
                tracing::debug!(
                    subscriber = self.subscriber.name,
                    error = format!("{error:#}"),
                    "taking a batch apart"
                );
                return Ok(true);
            }
            // No fact is at fault when a database is away or a disk is full: it waits for as long as that lasts.
            Err(error) if is_outage(&error) => return Err(error),
            Err(error) if self.attempts + 1 < self.settings.attempts_max => {
                self.attempts += 1;
                return Err(error);
            }
            Err(error) => self.put_aside(&facts[0], &error).await?,
        }
        self.advance(last).await?;
        Ok(true)
    }

    async fn hand_over(&self, facts: &[Stored]) -> anyhow::Result<()> {
        let events: Vec<Event> = facts
            .iter()
            .map(|fact| {
                fact.event()
                    .map_err(|error| anyhow!("event {} cannot be read: {error}", fact.id))
            })
            .collect::<Result<_, _>>()?;
        match AssertUnwindSafe(self.subscriber.handler.handle(&events))
            .catch_unwind()
            .await
        {
            Ok(result) => result,
            Err(_) => Err(anyhow!("the handler panicked")),
        }
    }

    fn count(&self, facts: &[Stored]) {
        let (room, subscriber) = (self.source.room(), self.subscriber.name);
        metrics::counter!("bus_delivered_total", "room" => room, "subscriber" => subscriber)
            .increment(facts.len() as u64);
        // The oldest waited longest: from the moment it was told to the moment it was taken.
        let waited_ms = facts.first().map_or(0, |fact| self.clock.now_ms() - fact.at);
        metrics::histogram!("bus_delivery_seconds", "room" => room, "subscriber" => subscriber)
            .record(waited_ms as f64 / 1000.0);
    }

    async fn advance(&mut self, to: Position) -> Result<(), Fault> {
        self.failures = 0;
        self.attempts = 0;
        self.place = to;
        let saved = self.save_if_due().await;
        self.done.send_replace(to);
        saved
    }

    async fn save_if_due(&mut self) -> Result<(), Fault> {
        if self.saved_at.elapsed() < self.settings.save_every {
            Ok(())
        } else {
            self.save().await
        }
    }

    async fn save(&mut self) -> Result<(), Fault> {
        if self.subscriber.delivery == Delivery::Durable && self.place != self.saved {
            outbox::save_cursor(&self.source, self.subscriber.name, self.place, self.clock.now_ms()).await?;
        }
        self.saved = self.place;
        self.saved_at = Instant::now();
        Ok(())
    }

    async fn put_aside(&self, fact: &Stored, error: &anyhow::Error) -> Result<(), Fault> {
        let (room, subscriber) = (self.source.room(), self.subscriber.name);
        let error = format!("{error:#}");
        if self.subscriber.delivery == Delivery::Durable {
            outbox::park(&self.source, subscriber, fact, &error, self.clock.now_ms()).await?;
        }
        metrics::counter!("bus_parked_total", "room" => room, "subscriber" => subscriber).increment(1);
        tracing::error!(
            room,
            subscriber,
            event = fact.id,
            body = fact.body,
            error,
            "put aside a fact that fails every time"
        );
        Ok(())
    }

    fn log_failure(&mut self, error: &anyhow::Error) {
        self.failures += 1;
        let (room, subscriber) = (self.source.room(), self.subscriber.name);
        metrics::counter!("bus_failures_total", "room" => room, "subscriber" => subscriber).increment(1);
        tracing::warn!(
            room,
            subscriber,
            attempt = self.failures,
            error = format!("{error:#}"),
            "a subscriber failed"
        );
    }

    fn backoff(&self) -> Duration {
        let doubled = self
            .settings
            .backoff_min
            .saturating_mul(1 << self.failures.saturating_sub(1).min(20));
        doubled.min(self.settings.backoff_max)
    }
}

/// Whether a part was not there, rather than that the fact was too much for the handler.
fn is_outage(error: &anyhow::Error) -> bool {
    use contract::{
        accounts::AccountsError, activity::ActivityError, catalog::CatalogError, recommend::RecommendError,
        streaming::StreamingError,
    };
    fn code<E: DoorError>(error: &anyhow::Error) -> Option<Code> {
        error.downcast_ref().map(E::code)
    }
    let code = code::<Fault>(error)
        .or_else(|| code::<AccountsError>(error))
        .or_else(|| code::<ActivityError>(error))
        .or_else(|| code::<CatalogError>(error))
        .or_else(|| code::<RecommendError>(error))
        .or_else(|| code::<StreamingError>(error));
    matches!(code, Some(Code::Unavailable | Code::ResourceExhausted))
}

/// Wakes a source's tails when another process has written, and deletes what is old.
pub(super) async fn watch_source(db: Db, settings: Settings, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut poll = tokio::time::interval(settings.poll);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    let mut pruned_at = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = poll.tick() => {}
        }
        match outbox::head(&db).await {
            Ok(head) if seen != Some(head) => {
                seen = Some(head);
                db.wake();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(room = db.room(), %error, "the outbox cannot be read just now"),
        }
        if pruned_at.elapsed() >= settings.prune_every {
            pruned_at = Instant::now();
            prune(&db, clock.as_ref()).await;
        }
    }
}

async fn prune(db: &Db, clock: &dyn Clock) {
    let now = clock.now_ms();
    let pruned = async { Ok::<_, Fault>(outbox::prune(db, now).await? + inbox::prune(db, now).await?) };
    match pruned.await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(room = db.room(), rows, "pruned delivered facts"),
        Err(error) => tracing::warn!(room = db.room(), %error, "old facts were not pruned"),
    }
}

async fn sleep(duration: Duration) {
    if duration == Duration::MAX {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(duration).await;
}
