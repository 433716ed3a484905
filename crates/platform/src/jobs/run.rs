//! Workers: take a job, do it, keep its lease, report how it ended.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use contract::{Fault, JobId, async_trait, jobs::JobKind};
use futures::FutureExt as _;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::watch, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Beat, Failure, Lease, NewJob, Queue};

/// What a person reads of work that did not answer: the fault is ours, and what it was stands in the log.
const PANICKED: &str = "Kinora made a mistake of its own at this work. Try again; if it happens again, give the server's log to whoever maintains it.";

/// What a worker does with a job. Must be repeatable: a worker may die at any point and the job be done again.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Answers what came of it, in words. Returns soon after [`Ticket::cancelled`] fires; if not, it is dropped.
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure>;

    /// Called after a worker here has let go of a job, however it ended, with the one that people see. May have ended earlier, or not yet.
    async fn let_go(&self, _shown: JobId) {}
}

/// A job in the hands of its [`Work`].
pub struct Ticket {
    lease: Lease,
    report: watch::Sender<(f32, String)>,
    children: Mutex<Vec<NewJob>>,
    kept: Mutex<Option<serde_json::Value>>,
    cancelled: CancellationToken,
}

impl Ticket {
    pub fn id(&self) -> JobId {
        self.lease.id()
    }

    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The job that people see: the parent of this one, if it has one.
    pub fn shown(&self) -> JobId {
        self.lease.shown()
    }

    /// What has to be done before this job can go on, each with a key. Once the work answers, they are queued under the job and it waits,
    /// without a worker; when all have ended well its work runs again. A child that is known by its key and has ended begins anew.
    pub fn then(&self, children: impl IntoIterator<Item = NewJob>) {
        let mut all = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(children);
    }

    /// Puts another payload in the place of the job's, together with [`Ticket::then`]: what its work will want to know when it goes on.
    pub fn keep(&self, payload: &impl Serialize) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::to_value(payload).ok();
    }

    /// What the job works on, in words.
    pub fn subject(&self) -> &str {
        &self.lease.job.subject
    }

    fn take_children(&self) -> Vec<NewJob> {
        std::mem::take(&mut *self.children.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn kind(&self) -> JobKind {
        self.lease.job.kind
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.lease.job.attempts
    }

    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.lease.payload()
    }

    /// How far it is (0 to 1) and at which step, in words. As cheap as an assignment: call it as often as you like.
    pub fn progress(&self, progress: f32, stage: impl Into<String>) {
        self.report.send_replace((progress, stage.into()));
    }

    /// Fires when the job was cancelled, lost, or the process is going down.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }
}

/// Why work was told to stop.
enum Stop {
    Cancel,
    Lost,
    Shutdown,
}

impl Queue {
    /// Works on jobs of `kinds`, at most `concurrency` at a time, until `stop`; then gives back what is unfinished.
    pub async fn run(self, work: Arc<dyn Work>, kinds: Vec<JobKind>, concurrency: usize, stop: CancellationToken) {
        let workers = TaskTracker::new();
        for _ in 0..concurrency.max(1) {
            workers.spawn(self.clone().worker(work.clone(), kinds.clone(), stop.clone()));
        }
        workers.close();
        tokio::select! {
            () = workers.wait() => {}
            () = self.prune_regularly() => {}
        }
    }

    async fn prune_regularly(&self) {
        loop {
            time::sleep(self.settings.prune_every).await;
            if let Err(error) = self.prune().await {
                tracing::warn!(room = self.db.room(), %error, "old jobs were not cleared");
            }
        }
    }

    async fn worker(self, work: Arc<dyn Work>, kinds: Vec<JobKind>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let ready = self.ready.notified();
            tokio::pin!(ready);
            // Listening before looking: nothing that is announced in between is missed.
            ready.as_mut().enable();
            match self.take(&kinds).await {
                Ok(Some(lease)) => self.work_on(lease, &*work, &stop).await,
                taken => {
                    if let Err(error) = taken {
                        tracing::warn!(room = self.db.room(), %error, "no job could be taken");
                    }
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = ready => {}
                        () = time::sleep(self.settings.poll) => {}
                    }
                }
            }
        }
    }

    async fn work_on(&self, lease: Lease, work: &dyn Work, stop: &CancellationToken) {
        let (report, reported) = watch::channel((lease.job.progress, lease.job.stage.clone()));
        let ticket = Ticket {
            lease: lease.clone(),
            report,
            children: Mutex::default(),
            kept: Mutex::default(),
            cancelled: CancellationToken::new(),
        };
        self.see_through(&ticket, reported, work, stop).await;
        work.let_go(lease.shown()).await;
    }

    async fn see_through(
        &self,
        ticket: &Ticket,
        reported: watch::Receiver<(f32, String)>,
        work: &dyn Work,
        stop: &CancellationToken,
    ) {
        let lease = &ticket.lease;
        let job = AssertUnwindSafe(work.run(ticket)).catch_unwind();
        tokio::pin!(job);
        let why = tokio::select! {
            result = &mut job => return self.log(lease, self.finish(ticket, result).await),
            why = self.hold(lease, reported, stop) => why,
        };
        ticket.cancelled.cancel();
        let in_time = time::timeout(self.settings.stop_grace, &mut job).await;
        let ended = match (why, in_time) {
            // It was done before it noticed.
            (Stop::Cancel | Stop::Shutdown, Ok(Ok(Ok(outcome)))) => self.go_on(ticket, outcome.as_deref()).await,
            (Stop::Cancel, _) => self.end_cancelled(lease).await,
            (Stop::Shutdown, _) => self.release(lease).await,
            (Stop::Lost, _) => Ok(false),
        };
        self.log(lease, ended);
    }

    /// Keeps the lease and writes progress until there is a reason to stop.
    async fn hold(
        &self,
        lease: &Lease,
        mut reported: watch::Receiver<(f32, String)>,
        stop: &CancellationToken,
    ) -> Stop {
        let renew_every = self.settings.lease / 3;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Stop::Shutdown,
                () = time::sleep(renew_every) => {}
                // The sender lives in the ticket, which outlives this.
                _ = reported.changed() => {}
            }
            let (progress, stage) = reported.borrow_and_update().clone();
            match self.heartbeat(lease, progress, &stage).await {
                Ok(Beat::Continue) => {}
                Ok(Beat::Cancel) => return Stop::Cancel,
                Ok(Beat::Lost) => return Stop::Lost,
                // The lease has slack for two more attempts.
                Err(error) => tracing::warn!(job = %lease.id(), %error, "a heartbeat failed"),
            }
            tokio::select! {
                () = stop.cancelled() => return Stop::Shutdown,
                () = time::sleep(self.settings.progress_every) => {}
            }
        }
    }

    async fn finish(
        &self,
        ticket: &Ticket,
        result: std::thread::Result<Result<Option<String>, Failure>>,
    ) -> Result<bool, Fault> {
        let lease = &ticket.lease;
        let kind = super::row::kind_name(lease.job.kind);
        let result = result.unwrap_or_else(|_| Err(Failure::transient(PANICKED)));
        let name = if result.is_ok() { "done" } else { "failed" };
        metrics::counter!("jobs_total", "room" => self.db.room(), "kind" => kind, "result" => name).increment(1);
        match result {
            Ok(outcome) => self.go_on(ticket, outcome.as_deref()).await,
            Err(failure) => {
                tracing::warn!(job = %lease.id(), attempt = lease.job.attempts, error = failure.text, "a job failed");
                self.fail(lease, &failure).await
            }
        }
    }

    /// Done, or waiting for the children that its work asked for.
    async fn go_on(&self, ticket: &Ticket, outcome: Option<&str>) -> Result<bool, Fault> {
        let children = ticket.take_children();
        if children.is_empty() {
            return self.complete(&ticket.lease, outcome).await;
        }
        let (progress, stage) = ticket.report.borrow().clone();
        let payload = ticket.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.wait_for(&ticket.lease, children, payload, (progress, &stage))
            .await
    }

    fn log(&self, lease: &Lease, ended: Result<bool, Fault>) {
        match ended {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job = %lease.id(), "the lease was lost; the job is somebody else's"),
            Err(error) => {
                tracing::error!(job = %lease.id(), %error, "how the job ended was not noted; it will be done again")
            }
        }
    }
}
