//! Group commit: commands that arrive while a transaction is being synced share the next one.
//!
//! On SQLite one writer is all there can be; on PostgreSQL several work side by side, a profile always with the same one. A
//! batch that fails as a whole is repeated one by one, so that only what is at fault fails.

use std::sync::Arc;

use contract::{
    Fault, ProfileId, TitleId,
    activity::{ActivityError, TitleRatings},
};
use tokio::sync::{mpsc, oneshot};

use crate::{cache::RecentCache, rules::Action, store::Store};

const QUEUE_MAX: usize = 4_096;
const BATCH_COMMANDS_MAX: usize = 256;
const BATCH_CHANGES_MAX: usize = 2_000;

/// One action on one title.
#[derive(Debug, Clone)]
pub struct Change {
    pub profile: ProfileId,
    pub title: TitleId,
    pub action: Action,
}

/// Changes that happen together.
#[derive(Debug, Clone)]
pub struct Command {
    pub changes: Vec<Change>,
    /// Whose figures the caller wants.
    pub ratings_of: Option<TitleId>,
}

pub type Outcome = Result<Option<TitleRatings>, ActivityError>;

/// The way to the writers.
pub struct Writer {
    queues: Vec<mpsc::Sender<Queued>>,
}

struct Queued {
    command: Arc<Command>,
    reply: oneshot::Sender<Outcome>,
}

impl Writer {
    /// Starts as many writers as the engine can use; they end when this is dropped and their queues are empty.
    pub fn start(store: Store, cache: Arc<RecentCache>) -> Self {
        let queues = (0..store.writers_max())
            .map(|_| {
                let (sender, receiver) = mpsc::channel(QUEUE_MAX);
                tokio::spawn(work(store.clone(), cache.clone(), receiver));
                sender
            })
            .collect();
        Self { queues }
    }

    /// Answers when the command is durable, or was refused.
    pub async fn execute(&self, command: Command) -> Outcome {
        let first = command.changes.first().map_or(0, |change| change.profile.0);
        let queue = &self.queues[first.rem_euclid(self.queues.len() as i64) as usize];
        let (reply, answer) = oneshot::channel();
        let gone = || Fault::Unavailable("the writer has stopped".into());
        let queued = Queued {
            command: Arc::new(command),
            reply,
        };
        queue.send(queued).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub async fn one(&self, profile: ProfileId, title: TitleId, action: Action) -> Result<(), ActivityError> {
        let changes = vec![Change { profile, title, action }];
        self.execute(Command {
            changes,
            ratings_of: None,
        })
        .await
        .map(drop)
    }
}

async fn work(store: Store, cache: Arc<RecentCache>, mut queue: mpsc::Receiver<Queued>) {
    while let Some(first) = queue.recv().await {
        let mut changes = first.command.changes.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_COMMANDS_MAX && changes < BATCH_CHANGES_MAX {
            let Ok(next) = queue.try_recv() else { break };
            changes += next.command.changes.len();
            batch.push(next);
        }
        metrics::histogram!("activity_commit_commands").record(batch.len() as f64);
        commit(&store, &cache, batch).await;
    }
}

async fn commit(store: &Store, cache: &RecentCache, batch: Vec<Queued>) {
    let commands: Vec<_> = batch.iter().map(|queued| queued.command.clone()).collect();
    let profiles = commands
        .iter()
        .flat_map(|command| &command.changes)
        .map(|change| change.profile)
        .collect();
    let writing = cache.writing(profiles);
    let outcomes = match store.write(&commands).await {
        Ok(outcomes) => outcomes,
        Err(fault) if commands.len() == 1 => vec![Err(fault.into())],
        Err(fault) => {
            tracing::warn!(commands = commands.len(), %fault, "a group of writes failed; repeating them one by one");
            one_by_one(store, &commands).await
        }
    };
    // Before the answers: whoever gets one must find the new state.
    drop(writing);
    for (queued, outcome) in batch.into_iter().zip(outcomes) {
        // A caller that no longer waits has lost interest, not the write.
        queued.reply.send(outcome).ok();
    }
}

async fn one_by_one(store: &Store, commands: &[Arc<Command>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(commands.len());
    for command in commands {
        let outcome = store.write(std::slice::from_ref(command)).await;
        outcomes.push(
            outcome
                .map_err(ActivityError::from)
                .and_then(|mut outcomes| match outcomes.pop() {
                    Some(outcome) => outcome,
                    None => Err(Fault::Internal("a write without an outcome".into()).into()),
                }),
        );
    }
    outcomes
}
