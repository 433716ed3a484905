//! The bus: carries every room's facts to whoever subscribed, inside this process.
//!
//! A room attaches its database; a subscriber names itself and says how it wants to be served:
//! - [`Delivery::Durable`]: its place is kept in the source's database; the first time it begins with the oldest fact kept,
//!   after a restart where it left off. At least once, in each room's order, so it must be idempotent ([`crate::inbox`]).
//! - [`Delivery::Ephemeral`]: from now on, for read models in memory that are rebuilt at start.
//!
//! A handler that fails is asked again, with backoff, first with the same batch in single facts. A fact that fails
//! [`Settings::attempts_max`] times is logged as an error, counted, and for a durable subscriber put into `outbox_parked`;
//! then the next one has its turn. Nothing is dropped without a trace. A handler that panics has failed. An outbox that cannot
//! be read, and a handler for which a part is not there (`Unavailable`, `StorageFull`, `Overloaded`), say nothing against the
//! fact: it is waited for, however long that takes.
//!
//! ```ignore
//! bus.attach(&db).await?;                                    // in a room's `open`
//! bus.subscribe("recommend.titles", Delivery::Ephemeral, handler(move |events| { … })).await?;
//! ```
//! One subscriber's handler is called concurrently for different rooms, and never concurrently for one room.

mod tail;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use contract::{Fault, events::Event};
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::Clock,
    db::Db,
    outbox::{self, Position},
};

/// Takes facts.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// In order, at least one, at most [`Settings::batch_max`]. After an error the same facts come again.
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()>;
}

/// A [`Handler`] from a closure over a batch: `handler(move |events| Box::pin(async move { … }))`.
pub fn handler<F>(function: F) -> Arc<dyn Handler>
where
    F: Fn(Vec<Event>) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static,
{
    struct FromFn<F>(F);

    #[async_trait]
    impl<F> Handler for FromFn<F>
    where
        F: Fn(Vec<Event>) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static,
    {
        async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
            (self.0)(events.to_vec()).await
        }
    }

    Arc::new(FromFn(function))
}

/// How a subscriber is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Everything kept, then everything new, across restarts.
    Durable,
    /// From now on.
    Ephemeral,
}

/// The limits of the bus.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Facts handed over at once.
    pub batch_max: u32,
    /// How often a source is looked at for facts that another process wrote.
    pub poll: Duration,
    /// Wait after a failure, doubled each time up to `backoff_max`.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// Attempts at a single fact before it is put aside. With the default backoff about six minutes.
    pub attempts_max: u32,
    /// The longest that a durable subscriber's place stays unsaved: what may come twice after a crash.
    pub save_every: Duration,
    pub prune_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_max: 256,
            poll: Duration::from_millis(250),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(60),
            attempts_max: 15,
            save_every: Duration::from_millis(500),
            prune_every: Duration::from_secs(600),
        }
    }
}

/// Carries facts from the rooms' outboxes to subscribers. One per process.
pub struct Bus {
    clock: Arc<dyn Clock>,
    settings: Settings,
    links: Mutex<Links>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Links {
    sources: Vec<Db>,
    subscribers: Vec<Subscriber>,
    /// How far each running pair has come.
    progress: Vec<Progress>,
}

#[derive(Clone)]
struct Subscriber {
    name: &'static str,
    delivery: Delivery,
    handler: Arc<dyn Handler>,
}

#[derive(Clone)]
struct Progress {
    source: Db,
    done: watch::Receiver<Position>,
}

impl Bus {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with_settings(clock, Settings::default())
    }

    pub fn with_settings(clock: Arc<dyn Clock>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            clock,
            settings,
            links: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Makes a room's outbox a source for every subscriber, present and future.
    pub async fn attach(&self, db: &Db) -> Result<(), Fault> {
        outbox::realign(db).await?;
        let subscribers = {
            let mut links = self.links();
            links.sources.push(db.clone());
            links.subscribers.clone()
        };
        self.tasks.spawn(tail::watch_source(
            db.clone(),
            self.settings.clone(),
            self.clock.clone(),
            self.stop.clone(),
        ));
        for subscriber in subscribers {
            self.link(db, subscriber).await?;
        }
        Ok(())
    }

    /// Serves `handler` from every source, present and future. `name` is the durable place's name: never reuse or change it.
    /// An ephemeral subscriber gets everything that is committed after this answers.
    pub async fn subscribe(
        &self,
        name: &'static str,
        delivery: Delivery,
        handler: Arc<dyn Handler>,
    ) -> Result<(), Fault> {
        let subscriber = Subscriber {
            name,
            delivery,
            handler,
        };
        let sources = {
            let mut links = self.links();
            if links.subscribers.iter().any(|other| other.name == name) {
                return Err(Fault::Internal(format!("two subscribers are called {name}")));
            }
            links.subscribers.push(subscriber.clone());
            links.sources.clone()
        };
        for source in sources {
            self.link(&source, subscriber.clone()).await?;
        }
        Ok(())
    }

    /// Waits until every subscriber has taken everything that is committed now. For tests and orderly ends.
    pub async fn settle(&self) -> Result<(), Fault> {
        let pairs = self.links().progress.clone();
        for mut pair in pairs {
            let last = outbox::last(&pair.source).await?;
            // An error here means that the bus was stopped.
            if pair.done.wait_for(|done| *done >= last).await.is_err() {
                return Err(Fault::Unavailable("the bus has stopped".into()));
            }
        }
        Ok(())
    }

    /// Stops handing over, saves every place and waits for handlers at work.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn link(&self, source: &Db, subscriber: Subscriber) -> Result<(), Fault> {
        let start = match subscriber.delivery {
            Delivery::Durable => outbox::cursor(source, subscriber.name)
                .await?
                .unwrap_or(Position::START),
            Delivery::Ephemeral => outbox::head(source).await?,
        };
        let (done, progress) = watch::channel(start);
        self.links().progress.push(Progress {
            source: source.clone(),
            done: progress,
        });
        let tail = tail::Tail::new(
            source.clone(),
            subscriber,
            self.clock.clone(),
            self.settings.clone(),
            done,
        );
        self.tasks.spawn(tail.run(self.stop.clone()));
        Ok(())
    }

    fn links(&self) -> std::sync::MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
