//! What a worker of this room does with a job that it has taken: the film's own steps or one part of it (`saga.rs`), stopped as soon as
//! somebody asks for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use contract::{JobId, jobs::JobKind};
use platform::jobs::{Failure, Ticket, Work};
use tokio_util::sync::CancellationToken;

use crate::{room::Room, saga::LOOKED};

/// What this process works on, and how to stop it.
#[derive(Default)]
pub struct Running(Arc<Mutex<HashMap<JobId, (JobId, CancellationToken)>>>);

impl Running {
    /// A job and all its parts.
    pub fn stop(&self, job: JobId) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = running.values().filter(|(shown, _)| *shown == job);
        of_it.for_each(|(_, token)| token.cancel());
    }

    /// A token that ends with the ticket's own, or earlier by [`Running::stop`]; forgotten when the guard goes.
    fn enter(&self, ticket: &Ticket) -> (CancellationToken, impl Drop + use<>) {
        struct Leave(Arc<Mutex<HashMap<JobId, (JobId, CancellationToken)>>>, JobId);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
            }
        }
        let token = ticket.cancelled().child_token();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ticket.id(), (ticket.shown(), token.clone()));
        (token, Leave(self.0.clone(), ticket.id()))
    }
}

/// The worker's view of the room.
pub struct Transcoder(pub Arc<Room>);

#[async_trait]
impl Work for Transcoder {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let (stop, _leave) = self.0.running.enter(ticket);
        let began = Instant::now();
        let is_part = ticket.id() != ticket.shown();
        let result = if is_part {
            self.0.make_part(ticket, &stop).await
        } else {
            self.0.make_film(ticket, &stop).await
        };
        if stop.is_cancelled() && !ticket.cancelled().is_cancelled() {
            // Stopped here before the queue has told us: it will, at the next heartbeat, and that decides how the job ends.
            ticket.progress(LOOKED, "stopping");
            ticket.cancelled().cancelled().await;
        }
        let name = if result.is_ok() { "done" } else { "failed" };
        if is_part {
            metrics::histogram!("streaming_transcode_part_seconds", "result" => name)
                .record(began.elapsed().as_secs_f64());
        }
        result.map(Some)
    }

    async fn let_go(&self, shown: JobId) {
        if let Err(error) = self.0.undo(shown).await {
            tracing::warn!(job = %shown, %error, "a half-stored video was not removed; it will be");
        }
    }
}

impl Room {
    /// Runs transcodes, at most `parallelism` parts at a time, and tidies up, until `stop`. Both `kinora serve` and a command that waits
    /// for its own job call this; the queue shares the work out.
    pub async fn run_worker(self: Arc<Self>, parallelism: usize, stop: CancellationToken) {
        self.say_encoder().await;
        let work = Arc::new(Transcoder(self.clone()));
        let jobs = self
            .queue
            .clone()
            .run(work, vec![JobKind::Transcode], parallelism, stop.clone());
        tokio::join!(jobs, self.tidy_until(stop));
    }
}
