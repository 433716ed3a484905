//! Durable background work: a queue in the room's own database (table `jobs`, made by [`crate::db`]).
//!
//! ```ignore
//! let queue = Queue::new(db.clone(), inputs.clone());
//! // In the transaction of whatever asks for the work; the same key enqueues once.
//! let job = queue.enqueue(&mut tx, NewJob::new(JobKind::Transcode, "Solaris (1972)", &payload).key("upload-7")).await?;
//! // In `open`: run them, at most two at a time, until `stop`.
//! tokio::spawn(queue.clone().run(Arc::new(Transcoder { … }), vec![JobKind::Transcode], 2, stop.clone()));
//! ```
//!
//! A worker holds a job by a lease that it renews; the job of a worker that died is taken again once the lease is over, and
//! what the dead one still tries to write is refused (the lease is a fence). Work must therefore be repeatable. A failure is tried
//! again with backoff, unless it says that this is pointless, up to `attempts_max` times. [`Queue`] is a
//! [`contract::jobs::Jobs`] door.
//!
//! Large work is divided: a job's work may answer with children ([`Ticket::then`]). They are queued under it, any number of workers
//! take them, and the job waits without a worker until all are done; then its work runs again and finds them ([`Queue::children`]).
//! A child that fails for good fails its parent; a parent that ends takes its children along. People see the parent alone.

mod children;
mod door;
mod row;
mod run;
mod store;

use std::{sync::Arc, time::Duration};

use contract::{
    JobId, TitleId,
    jobs::{Job, JobKind},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{Notify, broadcast};

pub use run::{Ticket, Work};

use crate::{db::Db, inputs::Inputs};

/// Ended jobs are kept for a quarter of a year, and their keys with them.
pub const KEEP_MS: i64 = 90 * 86_400_000;

/// The limits of a queue.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a worker may be silent before its job is taken from it.
    pub lease: Duration,
    /// How often to look for work that nobody announced here (another process, a lease that ran out, a retry that is due).
    pub poll: Duration,
    /// The least time between two writes of a job's progress.
    pub progress_every: Duration,
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// How long work may go on after it was asked to stop.
    pub stop_grace: Duration,
    /// How often jobs that ended long ago are looked for.
    pub prune_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            progress_every: Duration::from_secs(1),
            backoff_min: Duration::from_secs(5),
            backoff_max: Duration::from_secs(600),
            stop_grace: Duration::from_secs(10),
            prune_every: Duration::from_secs(3600),
        }
    }
}

/// Work to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: JobKind,
    /// What it works on, in words.
    pub subject: String,
    pub title: Option<TitleId>,
    pub payload: serde_json::Value,
    /// Enqueues once per key, for as long as the job is kept ([`KEEP_MS`] after its end).
    pub key: Option<String>,
    pub attempts_max: u32,
    /// Higher is taken first; that of a child counts from its parent's.
    pub priority: i64,
    /// How much work this is, beside the others of its kind or, for a child, beside its siblings.
    pub weight: f64,
}

impl NewJob {
    /// Three attempts, no key. A payload that cannot be JSON becomes null, and the work will say so.
    pub fn new(kind: JobKind, subject: impl Into<String>, payload: &impl Serialize) -> Self {
        let payload = serde_json::to_value(payload).unwrap_or_default();
        Self {
            kind,
            subject: subject.into(),
            title: None,
            payload,
            key: None,
            attempts_max: 3,
            priority: 0,
            weight: 1.0,
        }
    }

    pub fn title(mut self, title: TitleId) -> Self {
        self.title = Some(title);
        self
    }

    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts.max(1);
        self
    }

    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }

    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight.max(f64::MIN_POSITIVE);
        self
    }
}

/// Why work failed, in words for the person who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub text: String,
    /// Whether trying again can help.
    pub retry: bool,
}

impl Failure {
    /// Trying again is pointless: the input itself is wrong.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            retry: false,
        }
    }

    pub fn transient(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            retry: true,
        }
    }
}

/// What fails for reasons of its own may work the next time.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::transient(format!("{:#}", error.into()))
    }
}

/// How many jobs are in each state that matters to an operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub queued: u64,
    pub running: u64,
    pub failed: u64,
}

/// A job that this worker holds.
#[derive(Debug, Clone)]
pub struct Lease {
    pub job: Job,
    pub payload: serde_json::Value,
    pub attempts_max: u32,
    /// The job that waits for this one.
    pub parent: Option<JobId>,
    /// The fence: every write of the holder carries it.
    pub(crate) token: i64,
}

/// A job under another one, as its parent finds it.
#[derive(Debug, Clone)]
pub struct Child {
    pub job: Job,
    pub payload: serde_json::Value,
}

impl Lease {
    pub fn id(&self) -> JobId {
        self.job.id
    }

    /// The job that people see: its parent's, if it has one.
    pub fn shown(&self) -> JobId {
        self.parent.unwrap_or(self.job.id)
    }

    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_value(self.payload.clone()).map_err(|error| {
            tracing::warn!(job = %self.id(), %error, "a job's payload cannot be read");
            Failure::permanent(
                "This was begun by another version of Kinora. See that all its processes run the same one, then begin it anew.",
            )
        })
    }
}

/// What a worker learns when it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Continue,
    /// Somebody asked for the job to be cancelled.
    Cancel,
    /// The lease ran out and the job is somebody else's, or gone.
    Lost,
}

/// A room's queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    db: Db,
    inputs: Inputs,
    settings: Arc<Settings>,
    /// Wakes this process's workers.
    ready: Arc<Notify>,
    changes: broadcast::Sender<Job>,
}

impl Queue {
    pub fn new(db: Db, inputs: Inputs) -> Self {
        Self::with_settings(db, inputs, Settings::default())
    }

    pub fn with_settings(db: Db, inputs: Inputs, settings: Settings) -> Self {
        Self {
            db,
            inputs,
            settings: Arc::new(settings),
            ready: Arc::default(),
            changes: broadcast::Sender::new(256),
        }
    }

    /// Every change that happens in this process, live; a slow listener misses some (they carry the whole state).
    pub fn changes(&self) -> broadcast::Receiver<Job> {
        self.changes.subscribe()
    }

    /// Whether anybody here listens to changes.
    fn is_heard(&self) -> bool {
        self.changes.receiver_count() > 0
    }

    fn tell(&self, job: &Job) {
        // Nobody listening is fine.
        self.changes.send(job.clone()).ok();
    }
}

#[cfg(test)]
mod tests;
